package installer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/local/installer"
)

func TestChoose(t *testing.T) {
	const install = "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core"
	const update = "env DEBIAN_FRONTEND=noninteractive apt-get update"
	tests := map[string]struct {
		programs string
		root     bool
		sudo     bool
		tries    []string // commands of one try joined by " && "
		manual   string
	}{
		"Debian, root":         {"apt-get", true, false, []string{install, update + " && " + install}, "sudo apt-get update"},
		"Debian, sudo":         {"apt-get sudo", false, true, []string{"sudo -n " + install, "sudo -n " + update + " && sudo -n " + install}, "sudo apt-get update"},
		"Debian, password":     {"apt-get sudo", false, false, nil, "sudo apt-get update"},
		"Debian, no sudo":      {"apt-get", false, true, nil, "sudo apt-get update"},
		"Fedora, root":         {"dnf", true, false, []string{"env DEBIAN_FRONTEND=noninteractive dnf install -y mariadb-server", "env DEBIAN_FRONTEND=noninteractive dnf install -y mariadb105-server"}, "sudo dnf install mariadb-server"},
		"Fedora, password":     {"dnf sudo", false, false, nil, "sudo dnf install mariadb-server"},
		"macOS":                {"brew sudo", false, false, []string{"brew install mariadb"}, "brew install mariadb"},
		"macOS, root":          {"brew", true, false, nil, "brew install mariadb"},
		"nothing that we know": {"pacman", true, true, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan := installer.Choose(installer.Machine{Root: tt.root,
				Has:  func(p string) bool { return slices.Contains(strings.Fields(tt.programs), p) },
				Sudo: func() bool { return tt.sudo }})
			var tries []string
			for _, try := range plan.Tries {
				var commands []string
				for _, c := range try {
					commands = append(commands, strings.Join(c, " "))
				}
				tries = append(tries, strings.Join(commands, " && "))
			}
			if !slices.Equal(tries, tt.tries) {
				t.Errorf("tries %q, want %q", tries, tt.tries)
			}
			if !strings.HasPrefix(plan.Manual, tt.manual) || (tt.manual == "") != (plan.Manual == "") {
				t.Errorf("manual %q, want %q", plan.Manual, tt.manual)
			}
		})
	}
}

// TestRun plays a package manager that finds nothing before it is told to
// refresh its lists.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\ncd " + dir + "\nif [ $1 = update ]; then touch lists; echo Get:1 lists; exit; fi\n" +
		"[ -e lists ] || { echo Unable to locate package; exit 100; }\necho Reading\necho Unpacking server; touch done\n"
	program := filepath.Join(dir, "manager")
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	install, update := []string{program, "install"}, []string{program, "update"}
	var log bytes.Buffer
	var said []string
	say := func(line string) { said = append(said, line) }

	err := installer.Plan{Tries: [][][]string{{install}}}.Run(t.Context(), &log, say)
	if err == nil || !strings.Contains(err.Error(), "Unable to locate package") {
		t.Errorf("error %v does not quote the manager", err)
	}
	err = installer.Plan{Tries: [][][]string{{install}, {update, install}}}.Run(t.Context(), &log, say)
	if err != nil {
		t.Error(err)
	}
	if want := []string{"Get:1 lists", "Unpacking server"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "done")); err != nil || !strings.Contains(log.String(), "Reading") {
		t.Errorf("not installed: %v; log %q", err, log.String())
	}
}
