//go:build unix && !unit

package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vinfast-classifier/local/program"
)

// doctor runs "local doctor" in dir with a shell script in the app's place.
func doctor(t *testing.T, dir, script string, args ...string) (int, string) {
	t.Helper()
	app := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(app, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := program.Command(t.Context(), launcherProgram, append([]string{"doctor", "-app", app}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestDoctorBeforeTheFirstRun(t *testing.T) {
	if status, said := doctor(t, t.TempDir(), "exit 0"); status != 1 || !strings.Contains(said, "make run") {
		t.Errorf("status %d, said %q", status, said)
	}
}

// doctorInPlace: the app's doctor gets the environment of the running app, and
// its verdict is passed on.
func doctorInPlace(t *testing.T, l *launcher, dir string) {
	status, said := doctor(t, dir, `echo "$@"; env`, "-json")
	if status != 0 || !strings.HasPrefix(said, "doctor --json\n") {
		t.Errorf("status %d, said %q", status, said)
	}
	for name, value := range l.appEnvironment() {
		if (strings.HasPrefix(name, "VINFAST_") || strings.HasPrefix(name, "AWS_")) && !strings.Contains(said, "\n"+name+"="+value+"\n") {
			t.Errorf("the doctor does not get %s=%s", name, value)
		}
	}
	info, err := os.Stat(filepath.Join(dir, ".local", "app.env"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the environment: %v, %v", info, err)
	}
	if status, said := doctor(t, dir, "exit 1"); status != 1 || !strings.Contains(said, "Not everything works") {
		t.Errorf("status %d, said %q", status, said)
	}
}
