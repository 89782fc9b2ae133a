package database_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"vinfast-classifier/local/database"
)

const childDir = "DATABASE_TEST_CHILD_DIR"

// TestMain runs the test binary as a child that starts a server in the folder
// it is told, prints the server's pid and waits to be killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	// Many threads come and go: none of them may take the server along.
	for range 50 {
		go func() { runtime.LockOSThread() }()
	}
	s, err := database.Start(context.Background(), database.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for range 50 {
		go func() { runtime.LockOSThread() }()
	}
	fmt.Println(s.Pid())
	fmt.Println(s.Wait())
}

func TestServerEndsWithItsKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child of its parent's death")
	}
	dir := t.TempDir()
	child := osexec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	pid, err := strconv.Atoi(lines.Text())
	if err != nil {
		t.Fatalf("child said %q", lines.Text())
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // "signal: killed"
	// A start right now waits for the server to be gone.
	s := start(t, database.Options{Dir: dir})
	if data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline"); err == nil && strings.Contains(string(data), dir) {
		t.Errorf("server %d outlived its parent", pid)
	}
	if err := open(t, s.DSN()).Ping(); err != nil {
		t.Error(err)
	}
}

func TestLeftOverServerIsEnded(t *testing.T) {
	dir := t.TempDir()
	s := start(t, database.Options{Dir: dir})
	exec(t, open(t, s.DSN()), "CREATE TABLE kept (id INT)")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	_, path, err := database.Find()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--pid-file=" + filepath.Join(dir, "pid"), "--skip-networking", "--socket="}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	left := osexec.Command(path, args...)
	log, err := left.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	lines := bufio.NewScanner(log)
	for lines.Scan() && !strings.Contains(lines.Text(), "ready for connections") {
	}
	go func() {
		for lines.Scan() {
		}
		ended <- left.Wait()
	}()
	again := start(t, database.Options{Dir: dir})
	if err := <-ended; err != nil {
		t.Errorf("left-over server did not shut down in order: %v", err)
	}
	if n := count(t, open(t, again.DSN()), "SELECT COUNT(*) FROM kept"); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

func TestStrangerWithTheSamePidLives(t *testing.T) {
	dir := t.TempDir()
	stranger := osexec.Command("sleep", "600")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer stranger.Process.Kill()
	if err := os.WriteFile(filepath.Join(dir, "pid"), []byte(strconv.Itoa(stranger.Process.Pid)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, database.Options{Dir: dir})
	if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the stranger is gone: %v", err)
	}
}
