//go:build !unit

package database_test

import (
	"bufio"
	"os"
	osexec "os/exec"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/local/program"
)

// TestServerEndsWithItsKilledParent is for Linux only: elsewhere a child is
// not told of its parent's death, and the next Start ends it.
func TestServerEndsWithItsKilledParent(t *testing.T) {
	dir := installed(t)
	child := osexec.Command(os.Args[0])
	child.Env = program.Environment(childDir + "=" + dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	pid, dsn, _ := strings.Cut(lines.Text(), " ")
	// A query that takes its time would notice the server's end.
	if n := count(t, open(t, dsn), "SELECT SLEEP(1)"); n != 0 {
		t.Fatalf("the server went while its parent lived; child said %q", lines.Text())
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // "signal: killed"
	works := func() bool {
		data, err := os.ReadFile("/proc/" + pid + "/cmdline")
		return err == nil && strings.Contains(string(data), dir)
	}
	for patience := time.Now().Add(time.Minute); works(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(patience) {
			t.Fatalf("server %s outlived its parent", pid)
		}
	}
}
