//go:build linux && !unit

package main_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// call is one system call: what strace wrote of it, and the lines of the trace
// at which it began and ended.
type call struct {
	text       string
	began, end int
}

var (
	// line of a trace: process, then a call, its beginning, or its end
	traceLine = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumed   = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
)

// calls reads a trace of several threads.
func calls(trace string) []call {
	var all []call
	open := map[string]int{} // by thread: its unfinished call
	for n, line := range strings.Split(trace, "\n") {
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if rest := resumed.FindStringSubmatch(m[2]); rest != nil {
			if i, ok := open[m[1]]; ok {
				all[i].text, all[i].end = all[i].text+rest[1], n
			}
			continue
		}
		text, unfinished := strings.CutSuffix(m[2], "<unfinished ...>")
		if unfinished {
			open[m[1]] = len(all)
		}
		all = append(all, call{text, n, n})
	}
	return all
}

// TestPromisesAreOnDisk follows one upload through the system calls of the
// running app: what the endpoint or the sender is told about is on disk, and so
// is its name.
func TestPromisesAreOnDisk(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("strace is missing; install it with apt-get: %v", err)
	}
	s := newSystem(t, fixed)
	trace := filepath.Join(t.TempDir(), "trace")
	// -D: the app is our child, strace its; -y: paths of descriptors
	s.under = []string{strace, "-D", "-f", "-y", "-s", "120", "-o", trace,
		"-e", "trace=write,pwrite64,writev,fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlinkat,openat,symlinkat"}
	a := s.start()
	status, got, err := a.post(t.Context(), picture(1), "")
	must(t, err)
	if status != http.StatusCreated {
		t.Fatalf("status %d", status)
	}
	a.stop(t)
	var text []byte
	s.await("the trace is whole", func() bool {
		text, err = os.ReadFile(trace)
		must(t, err)
		return strings.Contains(string(text), "exited with 0")
	})
	all := calls(string(text))
	id := regexp.QuoteMeta(got.Predictions[0].ID)
	draft, entry, folder := `/spool/tmp/`+id+`\.\d+`, `/spool/`+id, `/spool`
	at := 0
	for _, step := range []struct{ what, pattern string }{
		{"the entry is written", `^write\(\d+<[^>]*` + draft + `>, .*[1-9]\d*$`},
		{"its bytes are on disk", `^fsync\(\d+<[^>]*` + draft + `> ?\) += 0`},
		{"it gets its name", `^linkat\(.*` + draft + `", .*` + entry + `", .* = 0`},
		{"the name is on disk", `^fsync\(\d+<[^>]*` + folder + `> ?\) += 0`},
		{"the endpoint is asked", `^write\(.*"POST /endpoints/vinfast-test/invocations`},
		{"the promise is written", `^write\(\d+<[^>]*` + entry + `>, .*[1-9]\d*$`},
		{"the promise is on disk", `^fsync\(\d+<[^>]*` + entry + `> ?\) += 0`},
		{"S3 is asked", `^write\(.*"PUT /` + bucket},
		{"the entry goes", `^unlinkat\(.*` + entry + `", 0 ?\) += 0`},
		{"the sender is told", `^write\(.*"HTTP/1\.1 201 Created`},
	} {
		// A step must begin after the one before has ended.
		pattern, found := regexp.MustCompile(step.pattern), false
		for _, c := range all {
			if c.began > at && pattern.MatchString(c.text) {
				t.Logf("%5d-%5d %-24s %.100s", c.began, c.end, step.what, c.text)
				at, found = c.end, true
				break
			}
		}
		if !found {
			t.Fatalf("no sign, after line %d of the trace, that %s", at, step.what)
		}
	}
	// Nobody was asked or told before, either.
	first := func(pattern string, after int) int {
		for _, c := range all {
			if c.began > after && regexp.MustCompile(pattern).MatchString(c.text) {
				return c.began
			}
		}
		return -1
	}
	begun := first(`^openat\(.*`+draft, 0)
	if asked, durable := first(`"POST /endpoints/`, begun), first(`^fsync\(\d+<[^>]*`+folder+`> ?\) += 0`, begun); asked < durable {
		t.Errorf("the endpoint was asked at line %d, before the entry was durable at %d", asked, durable)
	}
	if told, durable := first(`"HTTP/1\.1 201 Created`, begun), first(`^fsync\(\d+<[^>]*`+entry+`> ?\) += 0`, begun); told < durable {
		t.Errorf("the sender was told at line %d, before the promise was durable at %d", told, durable)
	}
}
