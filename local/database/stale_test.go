//go:build !unit

package database_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"vinfast-classifier/local/database"
	"vinfast-classifier/local/program"
)

const childDir = "DATABASE_TEST_CHILD_DIR"

// TestMain runs the test binary as a child that starts a server in the folder
// it is told, prints the server's pid and waits to be killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		code := m.Run()
		if err := os.RemoveAll(template); err != nil {
			fmt.Println(err)
			code = 1
		}
		os.Exit(code)
	}
	s, err := database.Start(context.Background(), database.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// Threads end: none of them may take the server along.
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(runtime.LockOSThread)
	}
	wg.Wait()
	fmt.Println(s.Pid(), s.DSN())
	fmt.Println(s.Wait())
}

func TestLeftOverServerIsEnded(t *testing.T) {
	dir := installed(t)
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
	left := program.Command(context.Background(), path, args...)
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
	dir := installed(t)
	stranger := program.Command(context.Background(), "sleep", "600")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pid"), []byte(strconv.Itoa(stranger.Process.Pid)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, database.Options{Dir: dir})
	if err := stranger.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := stranger.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("the stranger did not live until we killed it: %v", err)
	}
}
