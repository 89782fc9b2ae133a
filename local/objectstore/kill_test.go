package objectstore_test

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"vinfast-classifier/local/objectstore"
	"vinfast-classifier/local/program"
)

const childDir = "OBJECTSTORE_TEST_CHILD_DIR"

// TestMain runs the test binary as a child that serves a store until killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	handler, _, err := objectstore.New(dir, slog.Default(), bucket)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(httptest.NewServer(handler).URL)
	select {}
}

func TestKilledServerKeepsWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = program.Environment(childDir + "=" + dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	c := client(lines.Text())
	photo := bytes.Repeat([]byte("photo"), 100_000)
	acknowledged := make(chan string, 1000)
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d", worker, i)
				if put(t.Context(), c, key, photo) != nil {
					acknowledged <- ""
					return
				}
				acknowledged <- key
			}
		}()
	}
	// The child is killed while all workers have puts under way.
	var keys []string
	ended := 0
	for ended < 4 {
		if key := <-acknowledged; key != "" {
			keys = append(keys, key)
		} else {
			ended++
		}
		if len(keys) == 20 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // "signal: killed"
	c, _ = open(t, dir)
	for _, key := range keys {
		if _, body := get(t, c, key, ""); !bytes.Equal(body, photo) {
			t.Errorf("object %s has %d bytes, want %d", key, len(body), len(photo))
		}
	}
}
