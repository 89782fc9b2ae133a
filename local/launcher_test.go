//go:build unix && !unit

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"vinfast-classifier/local/program"
)

// TestLife goes through a life of the system in one folder: start, second
// start, a death of each part, orderly stop, start, sudden death.
func TestLife(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	hub := httptest.NewServer(http.StripPrefix("/owner/demo/resolve/main/", http.FileServer(http.Dir("model/demo"))))
	defer hub.Close()
	t.Setenv("HF_ENDPOINT", hub.URL)
	l := launch(t, dir, port)
	l.expect("Ready")
	if last := l.seen[len(l.seen)-1]; !strings.Contains(last, l.url) {
		t.Errorf("no address in %q", last)
	}
	t.Run("environment", func(t *testing.T) { environment(t, l, dir) })
	t.Run("classify", func(t *testing.T) { classify(t, l) })
	t.Run("doctor", func(t *testing.T) { doctorInPlace(t, l, dir) })
	t.Run("second start", func(t *testing.T) {
		second := launch(t, dir, freePort(t))
		status, said := second.ended()
		want := fmt.Sprintf("running already in this folder, as process %d, at %s", l.cmd.Process.Pid, l.url)
		if status != 1 || !strings.Contains(said, want) {
			t.Errorf("status %d, said %q, want %q", status, said, want)
		}
	})
	for _, name := range []string{"web app", "model", "object storage", "database"} {
		t.Run(name+" is killed", func(t *testing.T) { restart(t, l, name) })
	}
	pids := l.children()
	if len(pids) != 4 {
		t.Errorf("parts %v, want four", pids)
	}
	l.signal(syscall.SIGINT)
	if status, said := l.ended(); status != 0 || !strings.Contains(said, "Stopped.") {
		t.Errorf("status %d after Ctrl-C:\n%s", status, said)
	}
	gone(t, pids)
	there, err := os.ReadFile(filepath.Join(dir, "farewell"))
	if want := "VINFAST_DB_DSN AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"; err != nil || string(there) != want {
		t.Errorf("when the app ended, there was still %q (%v), want %s", there, err, want)
	}

	l = launch(t, dir, port, "-model", "owner/demo")
	l.expect("Starting the model owner/demo")
	l.expect("Ready")
	if said := strings.Join(l.seen, "\n"); strings.Contains(said, "Preparing") {
		t.Errorf("the second time it prepares again:\n%s", said)
	}
	classify(t, l)
	pids = l.children()
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	gone(t, pids)
}

// environment: the app gets what it needs, and none of the caller's settings.
func environment(t *testing.T, l *launcher, dir string) {
	env := l.appEnvironment()
	local, err := filepath.EvalSymlinks(filepath.Join(dir, ".local"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"VINFAST_LISTEN": strings.TrimPrefix(l.url, "http://"), "VINFAST_ENDPOINT": "vinfast-local", "VINFAST_BUCKET": "vinfast-local-images",
		"VINFAST_SHARED_DIR": filepath.Join(local, "shared"), "VINFAST_LOG_FILE": filepath.Join(local, "log", "app.log"),
		"TMPDIR": filepath.Join(local, "tmp"), "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
		"VINFAST_MIN_SCORE": "0.25", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	}
	for name, value := range want {
		if env[name] != value {
			t.Errorf("%s is %q, want %q", name, env[name], value)
		}
	}
	for _, name := range []string{"VINFAST_DB_DSN", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"} {
		if !strings.Contains(env[name], "127.0.0.1:") {
			t.Errorf("%s is %q, not on loopback", name, env[name])
		}
		want[name] = ""
	}
	own := []string{"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ"} // of the person's, whatever their values
	for name := range env {
		if _, ok := want[name]; !ok && !slices.Contains(own, name) {
			t.Errorf("%s got in from outside", name)
		}
	}
}

// classify asks the endpoint about a picture, by the address that the app has.
func classify(t *testing.T, l *launcher) {
	url := l.appEnvironment()["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] + "/endpoints/vinfast-local/invocations"
	photo, err := os.ReadFile(filepath.Join("endpoint", "testdata", "a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(photo))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "image/jpeg")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=key/20300101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=00")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var scores []struct{ Label string }
	if err := json.NewDecoder(resp.Body).Decode(&scores); err != nil || resp.StatusCode != http.StatusOK || len(scores) != 5 {
		t.Fatalf("%s, scores %v, %v", resp.Status, scores, err)
	}
	if notice := resp.Header.Get("X-Amzn-SageMaker-Custom-Attributes"); !strings.HasPrefix(scores[0].Label, "Vinfast_") || !strings.Contains(notice, "demo model") {
		t.Errorf("label %q, notice %q", scores[0].Label, notice)
	}
}

// restart kills a part, which comes back without the others noticing.
func restart(t *testing.T, l *launcher, name string) {
	before := l.children()
	if err := syscall.Kill(before[name], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	l.expect("The " + name + " ended unexpectedly; starting it again")
	l.expect("The " + name + " runs again.")
	after := l.children()
	if after[name] == 0 || after[name] == before[name] {
		t.Errorf("process %d, before %d", after[name], before[name])
	}
	if name == "web app" {
		if pid, err := get(l.url + "/pid"); err != nil || pid != strconv.Itoa(after[name]) {
			t.Errorf("at its port answers process %s (%v), want %d", pid, err, after[name])
		}
	}
	delete(before, name)
	delete(after, name)
	if !maps.Equal(before, after) {
		t.Errorf("other parts changed: %v, before %v", after, before)
	}
}

func TestTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir, port := t.TempDir(), taken.Addr().(*net.TCPAddr).Port
	status, said := launch(t, dir, port).ended()
	if want := fmt.Sprintf("Port %d is in use by another program. Choose another one: make run PORT=", port); status != 1 || !strings.Contains(said, want) {
		t.Errorf("status %d, said %q, want %q", status, said, want)
	}
	if _, err := os.Stat(filepath.Join(dir, ".local", "database")); err == nil {
		t.Error("something was started")
	}
}

func TestWrongCommandLine(t *testing.T) {
	for _, args := range [][]string{{}, {"walk"}, {"run", "-port", "0"}, {"run", "-port", "x"}, {"run", "now"}, {"guard"}} {
		cmd := program.Command(t.Context(), launcherProgram, args...)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || len(out) == 0 {
			t.Errorf("%q: %v, said %q", args, err, out)
		}
	}
}

// TestTroubledApp: an app that fails ends the start, and one that does not
// stop is killed by the second Ctrl-C. Nothing is left behind either way.
func TestTroubledApp(t *testing.T) {
	dir := t.TempDir()
	mark(t, dir, "broken")
	l := launch(t, dir, freePort(t))
	l.expect("Starting the web app")
	pids := l.children()
	status, said := l.ended()
	if status != 1 || !strings.Contains(said, "The web app does not start: exit status 3") || !strings.Contains(said, "the moon is in the wrong phase") {
		t.Errorf("status %d:\n%s", status, said)
	}
	gone(t, pids)

	if err := os.Remove(filepath.Join(dir, "broken")); err != nil {
		t.Fatal(err)
	}
	mark(t, dir, "stubborn")
	l = launch(t, dir, freePort(t))
	l.expect("Ready")
	pids = l.children()
	l.signal(syscall.SIGINT)
	l.expect("Stopping")
	l.signal(syscall.SIGINT)
	if status, said := l.ended(); status != 1 || !strings.Contains(said, "Killing what is left.") {
		t.Errorf("status %d:\n%s", status, said)
	}
	gone(t, pids)
}

func mark(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEarlyInterrupt: Ctrl-C is heard while the system is coming up, too.
func TestEarlyInterrupt(t *testing.T) {
	l := launch(t, t.TempDir(), freePort(t))
	l.expect("Starting the database")
	l.signal(syscall.SIGHUP)
	if status, said := l.ended(); status != 0 || !strings.Contains(said, "Stopped.") || strings.Contains(said, "Ready") {
		t.Errorf("status %d:\n%s", status, said)
	}
}

func TestModelOption(t *testing.T) {
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/private/"):
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/pickled/") && !strings.HasSuffix(r.URL.Path, ".safetensors"),
			strings.HasPrefix(r.URL.Path, "/text/") && strings.HasSuffix(r.URL.Path, "/config.json"):
			fmt.Fprint(w, "{}")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer hub.Close()
	t.Setenv("HF_ENDPOINT", hub.URL)
	folder := t.TempDir()
	tests := map[string]string{
		folder:          "The folder " + folder + " has no config.json.",
		"nothing":       `MODEL is "nothing", which is neither a folder nor a Hugging Face id`,
		"./nothing":     "There is no folder ./nothing.",
		"owner/missing": "The hub has no model owner/missing.",
		"private/model": "set HF_TOKEN",
		"pickled/model": "MODEL=pickled/model@refs/pr/1",
		"text/model":    "text/model has no preprocessor_config.json",
	}
	for model, want := range tests {
		status, said := launch(t, t.TempDir(), freePort(t), "-model", model).ended()
		if status != 1 || !strings.Contains(said, want) {
			t.Errorf("%s: status %d, said %q, want %q", model, status, said, want)
		}
	}
}

// TestGuard: where the kernel does not end the app with the launcher, the
// guard does, when its standard input closes.
func TestGuard(t *testing.T) {
	port := freePort(t)
	cmd := exec.Command(launcherProgram, "guard", appProgram, "serve")
	cmd.Dir = t.TempDir()
	cmd.Env = program.Environment(fmt.Sprintf("VINFAST_LISTEN=127.0.0.1:%d", port))
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	eventually(t, "the guarded program answers", func() bool {
		body, err := get(fmt.Sprintf("http://127.0.0.1:%d/pid", port))
		if err == nil {
			pid, err = strconv.Atoi(body)
		}
		return err == nil
	})
	if err := alive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("guard: %v", err)
	}
	gone(t, map[string]int{"guarded program": pid})
}
