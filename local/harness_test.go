//go:build unix && !unit

package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vinfast-classifier/local/database"
	"vinfast-classifier/local/program"
)

// patience bounds every wait; no test depends on its length.
const patience = 5 * time.Minute

// programs built for the tests.
var launcherProgram, appProgram string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "launcher")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	launcherProgram, appProgram = filepath.Join(dir, "local"), filepath.Join(dir, "app")
	for path, source := range map[string]string{launcherProgram: ".", appProgram: "./testdata/app"} {
		if out, err := program.Command(context.Background(), "go", "build", "-o", path, source).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build %s: %v\n%s", source, err, out)
			return 1
		}
	}
	if _, _, err := database.Find(); err != nil {
		fmt.Fprintf(os.Stderr, "%v; install mariadb-server-core, or mysqld, first\n", err)
		return 1
	}
	return m.Run()
}

// launcher is a running "local run".
type launcher struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	seen  []string
	done  chan struct{}
	err   error
	url   string
}

// launch starts it in dir, as a shell would: in a process group of its own.
func launch(t *testing.T, dir string, port int, more ...string) *launcher {
	t.Helper()
	// The last -app counts.
	cmd := exec.Command(launcherProgram, append([]string{"run", "-app", appProgram, "-port", strconv.Itoa(port)}, more...)...)
	cmd.Dir = dir
	cmd.Env = program.Environment("AWS_PROFILE=private", "AWS_SESSION_TOKEN=secret", "VINFAST_MIN_SCORE=0.25", "VINFAST_BUCKET=mine",
		"MAKEFLAGS=-j9", "GOFLAGS=-bogus", "TMPDIR="+dir, "HF_ENDPOINT="+os.Getenv("HF_ENDPOINT"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	l := &launcher{t: t, cmd: cmd, lines: make(chan string, 1000), done: make(chan struct{}), url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			l.lines <- s.Text()
		}
		close(l.lines)
		l.err = cmd.Wait()
		close(l.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has mostly ended by now
		<-l.done
	})
	return l
}

// expect reads lines until one contains text.
func (l *launcher) expect(text string) {
	l.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-l.lines:
			if !ok {
				l.t.Fatalf("it ended without saying %q:\n%s", text, strings.Join(l.seen, "\n"))
			}
			l.seen = append(l.seen, line)
			if strings.Contains(line, text) {
				return
			}
		case <-timeout:
			l.t.Fatalf("it does not say %q:\n%s", text, strings.Join(l.seen, "\n"))
		}
	}
}

// signal reaches the whole group, as Ctrl-C in a terminal does.
func (l *launcher) signal(s syscall.Signal) {
	l.t.Helper()
	if err := syscall.Kill(-l.cmd.Process.Pid, s); err != nil {
		l.t.Fatal(err)
	}
}

// ended waits for its end and returns exit status and everything it said.
func (l *launcher) ended() (int, string) {
	l.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-l.lines:
			if ok {
				l.seen = append(l.seen, line)
				continue
			}
			<-l.done
			var exit *exec.ExitError
			if l.err != nil && !errors.As(l.err, &exit) {
				l.t.Fatal(l.err)
			}
			return l.cmd.ProcessState.ExitCode(), strings.Join(l.seen, "\n")
		case <-timeout:
			l.t.Fatalf("it does not end:\n%s", strings.Join(l.seen, "\n"))
		}
	}
}

// children lists the processes it has started, by what their command line
// says.
func (l *launcher) children() map[string]int {
	l.t.Helper()
	found := map[string]int{}
	for _, p := range processes(l.t) {
		if p.parent != l.cmd.Process.Pid || p.dead || len(p.args) < 2 {
			continue
		}
		switch {
		case strings.Contains(p.args[0], "mariadbd") || strings.Contains(p.args[0], "mysqld"):
			found["database"] = p.pid
		case p.args[1] == "s3":
			found["object storage"] = p.pid
		case p.args[1] == "endpoint":
			found["model"] = p.pid
		case p.args[1] == "serve":
			found["web app"] = p.pid
		case p.args[1] == "run": // forked a moment ago, and about to be one of them
		default:
			l.t.Errorf("unknown child: %q", p.args)
		}
	}
	return found
}

// gone waits until no process of pids is left.
func gone(t *testing.T, pids map[string]int) {
	t.Helper()
	for name, pid := range pids {
		eventually(t, fmt.Sprintf("the %s, process %d, ends", name, pid), func() bool {
			return !slices.ContainsFunc(processes(t), func(p process) bool { return p.pid == pid && !p.dead })
		})
	}
}

// process is a line of the process table. A dead one's parent has not asked
// for it yet.
type process struct {
	pid, parent int
	dead        bool
	args        []string
}

// processes reads /proc where there is one, as a small system has no ps.
func processes(t *testing.T) []process {
	t.Helper()
	var table []process
	if runtime.GOOS != "linux" {
		out, err := program.Command(context.Background(), "ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args=").Output()
		if err != nil {
			t.Fatalf("ps: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			table = append(table, readProcess(t, strings.Fields(line)))
		}
		return table
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		stat, err := os.ReadFile(file)
		args, err2 := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if err != nil || err2 != nil {
			continue // it has just ended
		}
		// pid (name, which may hold anything) state parent ...
		pid, rest, _ := strings.Cut(string(stat), " ")
		f := strings.Fields(rest[strings.LastIndex(rest, ")")+1:])
		table = append(table, readProcess(t, append([]string{pid, f[1], f[0]}, strings.Split(string(args), "\x00")...)))
	}
	return table
}

func readProcess(t *testing.T, fields []string) process {
	t.Helper()
	pid, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	return process{pid, parent, strings.HasPrefix(fields[2], "Z"), fields[3:]}
}

// eventually asks until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not seen within %v: %s", patience, what)
		}
	}
}

// get returns the body of a 200.
func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(body), err
}

// appEnvironment asks the app for its environment.
func (l *launcher) appEnvironment() map[string]string {
	l.t.Helper()
	body, err := get(l.url + "/env")
	if err != nil {
		l.t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.SplitSeq(body, "\n") {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := program.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
