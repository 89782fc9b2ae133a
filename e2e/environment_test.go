package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/e2e/boot"
	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/stack"
	"vinfast-classifier/e2e/tools"
)

// foreign are variables that make, a developer or a shell may have set for something else.
var foreign = []string{"MAKEFLAGS", "MAKELEVEL", "GOFLAGS", "GOWORK", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG", "AWS_PROFILE",
	"AWS_SESSION_TOKEN", "PYTHONPATH", "BASH_ENV", "MARKER"}

// TestNothingForeignReachesWhatIsStarted starts scripts that note their environment in the place of the engine, the
// emulated AWS, the tools that a recipe runs, and Debian's installer with what it runs inside.
func TestNothingForeignReachesWhatIsStarted(t *testing.T) {
	notes := t.TempDir()
	fake := func(name, then string) string {
		file := filepath.Join(notes, "bin", name)
		script := "#!/bin/sh\nenv >>" + filepath.Join(notes, name+".environment") + "\n" + then
		if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if err := os.Mkdir(filepath.Join(notes, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	pulumi, python := fake("pulumi", ""), fake("python", "echo 1\ncat\n")
	fake("debootstrap", "mkdir -p \"$3/proc\" \"$3/usr/sbin\"\n")
	fake("mount", "")
	fake("mountpoint", "exit 1\n")
	fake("chroot", "exit 1\n")
	t.Setenv("PATH", filepath.Join(notes, "bin")+":"+os.Getenv("PATH"))
	t.Setenv("https_proxy", "http://proxy.example.com")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	checkedOut := checkout(t)
	for _, name := range foreign {
		t.Setenv(name, "foreign")
	}
	temporary := filepath.Join(notes, "foreign") // there, since this test needs one itself, and in no other root
	if err := os.Mkdir(temporary, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temporary)
	t.Run("engine", func(t *testing.T) {
		stack.New(t, tools.Tools{Pulumi: pulumi, Plugin: notes}, checkedOut, "dev", "http://127.0.0.1:1", &stack.Report{})
	})
	t.Run("emulator", func(t *testing.T) { cloud.Start(t, python, ".", region) })
	if _, err := tools.PrepareBootRoot(t.Context(), ".", t.Logf); err == nil {
		t.Error("a root file system is made although its chroot fails")
	}
	for _, name := range []string{"pulumi", "python", "debootstrap", "mount", "chroot"} {
		text, err := os.ReadFile(filepath.Join(notes, name+".environment"))
		if err != nil {
			t.Errorf("%s was not started: %v", name, err)
		}
		if !strings.Contains(string(text), "https_proxy=http://proxy.example.com\n") {
			t.Errorf("%s is not told of the proxy", name)
		}
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(strings.TrimSpace(line), "="); strings.HasSuffix(value, "foreign") {
				t.Errorf("%s gets %s", name, line)
			}
		}
	}
}

// TestDebianIsNamed has Debian's installer fail as it does when the mirror or unstable is at fault.
func TestDebianIsNamed(t *testing.T) {
	const mirror = "The Debian mirror failed, not the program"
	for _, c := range []struct{ name, debootstrap, chroot, want string }{
		{"mirror", "echo 'E: Failed getting release file http://mirror.example/debian'; exit 1", "", mirror},
		{"mirror later", "", "echo 'E: Failed to fetch http://mirror.example/debian/x.deb'; exit 100", mirror},
		{"base system", "echo 'W: Failure while configuring base packages'; exit 1", "",
			"Debian unstable has changed, not the program under test: it could not install the base system with debootstrap"},
		{"package gone", "", "echo 'E: Unable to locate package mysql-server-core'; exit 100",
			"it could not install cloud-init, systemd, MySQL"},
		{"MySQL moved", "", "exit 0", "it could not find MySQL's files where its Debian packages had them"},
	} {
		t.Run(c.name, func(t *testing.T) {
			programs := t.TempDir()
			for name, does := range map[string]string{"chroot": c.chroot, "mount": "", "mountpoint": "exit 1",
				"debootstrap": "mkdir -p \"$3/proc\" \"$3/usr/sbin\"\n" + c.debootstrap} {
				if err := os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"+does+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", programs+":"+os.Getenv("PATH"))
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			_, err := tools.PrepareBootRoot(t.Context(), ".", t.Logf)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "not the program") != 1 {
				t.Errorf("the error is %v\nand does not say %q", err, c.want)
			}
		})
	}
}

// startsClean looks at what the first process of an instance was given. Bash adds three of its own.
func startsClean(t *testing.T, m *boot.Machine) {
	for variable := range strings.SplitSeq(strings.Trim(m.Run(t, "cat", "/proc/1/environ"), "\x00"), "\x00") {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.Contains([]string{"container", "PATH", "PWD", "SHLVL", "_"}, name) {
			t.Errorf("the instance is started with %s", variable)
		}
	}
}
