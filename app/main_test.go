package main_test

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	app "vinfast-classifier/app"
	"vinfast-classifier/local/program"
)

func TestCommandLine(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "vinfast")
	if out, err := program.Command(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, c := range []struct {
		args           []string
		status         int
		stdout, stderr string // how each begins
	}{
		{[]string{"version"}, 0, "vinfast ", ""},
		{[]string{"help"}, 0, "Usage: vinfast <command>", ""},
		{nil, 2, "", "Usage: "},
		{[]string{"doctro"}, 2, "", "Usage: "},
		{[]string{"serve", "now"}, 2, "", "Usage: "},
		{[]string{"doctor", "--yaml"}, 2, "", "Usage: "},
		{[]string{"doctor"}, 1, "RESULT ", ""},
		{[]string{"doctor", "--json"}, 1, "{\n  \"ok\": false,", ""},
		{[]string{"reindex", "--all"}, 2, "", "usage: vinfast reindex [--dry-run] [--after KEY]"},
		{[]string{"reindex"}, 1, "", "vinfast reindex: the environment is wrong:\nAWS_REGION: not set"},
		{[]string{"serve"}, 1, "", "vinfast serve: the environment is wrong:\nAWS_REGION: not set"},
	} {
		cmd := exec.Command(binary, c.args...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, []string{"PATH=/usr/bin"}
		err := cmd.Run()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != c.status {
			t.Errorf("%v: status %d, want %d", c.args, got, c.status)
		}
		for _, out := range []struct{ name, got, want string }{{"stdout", stdout.String(), c.stdout}, {"stderr", stderr.String(), c.stderr}} {
			if !strings.HasPrefix(out.got, out.want) || out.want == "" && out.got != "" {
				t.Errorf("%v: %s is %q, want it to begin with %q", c.args, out.name, out.got, out.want)
			}
		}
		if c.stdout == "vinfast " && !strings.Contains(stdout.String(), runtime.Version()) {
			t.Errorf("version does not name Go: %s", &stdout)
		}
		if strings.HasPrefix(c.stdout, "Usage") {
			for _, v := range app.Variables {
				if !strings.Contains(stdout.String(), v.Name) {
					t.Errorf("help does not name %s", v.Name)
				}
			}
		}
	}
}
