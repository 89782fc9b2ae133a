//go:build unix && !unit && long

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vinfast-classifier/local/program"
)

// TestLongPageTellsAndRecovers: each part of the whole system, with the real app,
// hangs and is then killed. The page and /readyz say what is wrong and what
// becomes of pictures, and all is well again once the part was restarted.
func TestLongPageTellsAndRecovers(t *testing.T) {
	t.Setenv("VINFAST_RATE_PER_MINUTE", "100000")
	dir := t.TempDir()
	app := filepath.Join(dir, "vinfast")
	if out, err := program.Command(t.Context(), "go", "build", "-o", app, "../app").CombinedOutput(); err != nil {
		t.Fatalf("go build ../app: %v\n%s", err, out)
	}
	l := launch(t, dir, freePort(t), "-app", app, "-latency", "1ms")
	l.expect("Ready")
	n := 0
	upload := func(want string) bool {
		n++
		stored, err := l.upload(fmt.Sprint(n))
		if err != nil {
			t.Logf("upload: %v", err)
		}
		return stored == want
	}
	if !upload("yes") {
		t.Fatal("the first picture is not stored")
	}
	for _, c := range []struct{ part, dependency, says string }{
		{"object storage", "bucket", "The picture store does not answer. Pictures are taken and kept, and stored when it does."},
		{"database", "database", "The database is starting or does not answer. Pictures are taken and kept; the history comes back with it."},
		{"model", "endpoint", "The model does not answer: it is switched off, starting or busy. Pictures are refused until it does."},
	} {
		t.Run(c.part, func(t *testing.T) {
			pid := l.children()[c.part]
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			// Good news of the model count for a minute, as asking it costs
			// money; patience is longer.
			eventually(t, "readyz says that it is down", func() bool { return l.states()[c.dependency] == "down" })
			eventually(t, "the page says it", func() bool {
				page, err := get(l.url + "/")
				return err == nil && strings.Contains(page, c.says)
			})
			if c.part != "model" && !upload("pending") {
				t.Error("a picture is not taken meanwhile")
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			l.expect("The " + c.part + " ended unexpectedly")
			l.expect("The " + c.part + " runs again.")
			eventually(t, "all is well", func() bool { _, err := get(l.url + "/readyz"); return err == nil })
			eventually(t, "pictures are stored", func() bool { return upload("yes") })
			page, err := get(l.url + "/")
			if err != nil || strings.Contains(page, c.says) {
				t.Errorf("the page still complains (%v)", err)
			}
		})
	}
	t.Run("web app", func(t *testing.T) {
		if err := syscall.Kill(l.children()["web app"], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		l.expect("The web app ended unexpectedly; starting it again")
		l.expect("The web app runs again.")
		if !upload("yes") {
			t.Error("a picture is not stored")
		}
	})
	eventually(t, "nothing waits", func() bool {
		text, err := get(l.url + "/metrics")
		return err == nil && strings.Contains(text, "\nvinfast_spool_uploads 0\n")
	})
}

// states asks /readyz.
func (l *launcher) states() map[string]string {
	l.t.Helper()
	resp, err := http.Get(l.url + "/readyz")
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct {
		Dependencies []struct{ Name, State string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		l.t.Fatal(err)
	}
	states := map[string]string{}
	for _, d := range said.Dependencies {
		states[d.Name] = d.State
	}
	return states
}

// upload sends a picture and tells whether it is stored: yes or pending. Bytes
// behind its end make it another one.
func (l *launcher) upload(tail string) (string, error) {
	photo, err := os.ReadFile(filepath.Join("endpoint", "testdata", "a.jpg"))
	if err != nil {
		return "", err
	}
	resp, err := http.Post(l.url+"/api/v1/predictions", "image/jpeg", io.MultiReader(bytes.NewReader(photo), strings.NewReader(tail)))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("%s %s (%v)", resp.Status, body, err)
	}
	var got struct{ Predictions []struct{ Stored string } }
	if err := json.Unmarshal(body, &got); err != nil || len(got.Predictions) != 1 {
		return "", fmt.Errorf("%s (%v)", body, err)
	}
	return got.Predictions[0].Stored, nil
}
