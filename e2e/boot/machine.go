// Package boot starts emulated EC2 instances: a throw-away root file system with systemd and cloud-init of its own, in
// namespaces of its own, that gets its user data and credentials from a metadata service, as on EC2.
package boot

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vinfast-classifier/e2e/tools"
)

// Bounds of waits. They end a hang; no test is decided by how fast something is.
const (
	stopLimit = 5 * time.Minute
	lookAgain = 200 * time.Millisecond
)

// standIns are the files that take the place of what only Amazon Linux has. They lie in /var/lib/machine but for those of
// standInPaths.
//
//go:embed machine
var standIns embed.FS

var standInPaths = map[string]string{
	"dnf":                      "usr/bin/dnf",
	"amazon-ssm-agent.service": "usr/lib/systemd/system/amazon-ssm-agent.service",
}

// Settings are what differs between two machines.
type Settings struct {
	Name        string // the instance's id
	UserData    string
	Host        Host
	MemoryMiB   int               // what the instance type has
	SharedOwner int               // user and group that the access point gives its folder
	Environment map[string]string // of every service: where the emulated AWS is
}

// Machine is an emulated instance. Its root file system stays over reboots.
type Machine struct {
	Settings
	Root    string // as this machine sees it; /run, /dev, /tmp and mounted volumes are the instance's own
	start   string // the script that becomes systemd
	cgroup  string
	process *exec.Cmd
	ended   chan error

	StandIns []string // every file of this root that is not Debian's, before the first boot
}

// New lays a root file system over the base. Nothing is started yet.
func New(t *testing.T, base tools.BootRoot, settings Settings) *Machine {
	t.Helper()
	folder := t.TempDir()
	m := &Machine{Settings: settings, Root: filepath.Join(folder, "root"), start: base.Start}
	// In memory, since a folder that is itself an overlay cannot hold the changes.
	changes := filepath.Join(folder, "changes")
	must(t, os.Mkdir(changes, 0o755))
	must(t, os.Mkdir(m.Root, 0o755))
	mount(t, changes, "-t", "tmpfs", "-o", "size=2g", "changes", changes)
	must(t, os.Mkdir(filepath.Join(changes, "upper"), 0o755))
	must(t, os.Mkdir(filepath.Join(changes, "work"), 0o755))
	mount(t, m.Root, "-t", "overlay", "-o",
		fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", base.Tree, changes, changes), "overlay", m.Root)
	m.furnish(t)
	m.StandIns = files(t, filepath.Join(changes, "upper"))
	m.cgroup = newCgroup(t)
	t.Cleanup(func() { m.kill(t) })
	return m
}

// files lists those of a folder by their paths within it.
func files(t *testing.T, folder string) []string {
	t.Helper()
	var found []string
	must(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, strings.TrimPrefix(path, folder+"/"))
		}
		return err
	}))
	return found
}

// furnish writes what makes the plain root an instance.
func (m *Machine) furnish(t *testing.T) {
	t.Helper()
	entries, err := fs.ReadDir(standIns, "machine")
	must(t, err)
	for _, file := range entries {
		text, err := fs.ReadFile(standIns, "machine/"+file.Name())
		must(t, err)
		path, placed := standInPaths[file.Name()]
		if !placed {
			path = "var/lib/machine/" + file.Name()
		}
		mode := fs.FileMode(0o755)
		if filepath.Ext(path) == ".service" {
			mode = 0o644
		}
		m.Write(t, path, string(text), mode)
	}
	m.Write(t, "var/lib/machine/calls", "", 0o644)
	m.Write(t, "var/lib/machine/volumes", "", 0o644)
	shared := filepath.Join(m.Root, "var/lib/machine/efs")
	must(t, os.Mkdir(shared, 0o750))
	must(t, os.Chown(shared, m.SharedOwner, m.SharedOwner))
	m.Write(t, "etc/machine-meminfo", fmt.Sprintf("MemTotal: %d kB\nMemAvailable: %d kB\n", m.MemoryMiB<<10, m.MemoryMiB<<10), 0o444)
	m.Write(t, "etc/cloud/cloud.cfg.d/90_machine.cfg", "datasource_list: [NoCloud]\nnetwork: {config: disabled}\nssh_genkeytypes: []\n", 0o644)
	// The metadata service cannot give these: cloud-init asks it with a token only where the firmware says Amazon EC2.
	m.Write(t, "var/lib/cloud/seed/nocloud/meta-data", "instance-id: "+m.Name+"\nlocal-hostname: "+m.Name+"\n", 0o644)
	m.Write(t, "var/lib/cloud/seed/nocloud/user-data", m.UserData, 0o644)
	var environment strings.Builder
	for name, value := range m.Environment {
		fmt.Fprintf(&environment, " %s=%s", name, value)
	}
	m.Write(t, "etc/systemd/system.conf.d/machine.conf", "[Manager]\nDefaultEnvironment="+environment.String()+"\n", 0o644)
}

// Write puts a file into the root.
func (m *Machine) Write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(m.Root, filepath.Dir(path)), 0o755))
	must(t, os.WriteFile(filepath.Join(m.Root, path), []byte(text), mode))
}

// Read returns a file of the root.
func (m *Machine) Read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.Root, path))
	must(t, err)
	return string(text)
}

// Boot starts systemd as the first process of namespaces of its own.
func (m *Machine) Boot(t *testing.T) {
	t.Helper()
	console, err := os.Create(filepath.Join(t.TempDir(), "console"))
	must(t, err)
	defer console.Close()
	m.process = tools.Command(context.Background(), "nsenter", "--net="+m.Host.file(), m.start, m.Root, m.cgroup, m.Name)
	m.process.Stdout, m.process.Stderr = console, console
	m.process.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Setsid:     true,
		Pdeathsig:  syscall.SIGKILL, // nothing outlives the test
	}
	m.launch(t)
	ctx, cancel := context.WithTimeout(t.Context(), stopLimit)
	defer cancel()
	for !m.answers(ctx) {
		select {
		case err := <-m.ended:
			text, _ := os.ReadFile(console.Name()) // the failure is what is told
			m.process = nil
			t.Fatalf("the instance %s did not start: %v\n%s", m.Name, err, text)
		case <-ctx.Done():
			t.Fatalf("systemd of %s does not answer", m.Name)
		case <-time.After(lookAgain):
		}
	}
}

// launch starts the process on a thread that stays as long as the process: a process is killed when the thread that started it
// ends, and threads that were in a network namespace do.
func (m *Machine) launch(t *testing.T) {
	t.Helper()
	process, started, ended := m.process, make(chan error), make(chan error, 1)
	m.ended = ended
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := process.Start()
		started <- err
		if err == nil {
			ended <- process.Wait()
		}
	}()
	if err := <-started; err != nil {
		m.process = nil
		t.Fatalf("start the instance %s: %v", m.Name, err)
	}
}

// answers tells whether the first process has become systemd and talks.
func (m *Machine) answers(ctx context.Context) bool {
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", m.process.Process.Pid))
	if err != nil || filepath.Base(program) != "systemd" {
		return false
	}
	_, err = m.Try(ctx, "systemctl", "show", "--property=Version")
	return err == nil
}

// Try runs a command inside as root.
func (m *Machine) Try(ctx context.Context, command ...string) (string, error) {
	enter := []string{"--target", strconv.Itoa(m.process.Process.Pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--"}
	run := exec.CommandContext(ctx, "nsenter", append(enter, command...)...)
	run.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"}
	for name, value := range m.Environment {
		run.Env = append(run.Env, name+"="+value)
	}
	text, err := run.Output()
	if err != nil {
		return string(text), fmt.Errorf("%s on %s: %w\n%s", strings.Join(command, " "), m.Name, explain(err), text)
	}
	return string(text), nil
}

// Run is Try for a command that has to succeed.
func (m *Machine) Run(t *testing.T, command ...string) string {
	t.Helper()
	text, err := m.Try(t.Context(), command...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Running tells whether it was booted and not powered off.
func (m *Machine) Running() bool { return m.process != nil }

// PowerOff ends all services in order, as a stop or reboot does, and waits until nothing runs any more.
func (m *Machine) PowerOff(t *testing.T) {
	t.Helper()
	const powerOff = syscall.Signal(34 + 4) // SIGRTMIN+4
	must(t, m.process.Process.Signal(powerOff))
	select {
	case <-m.ended:
		m.process = nil
	case <-time.After(stopLimit):
		t.Fatalf("the instance %s does not stop", m.Name)
	}
}

// kill ends an instance that is still running, as a power cut would.
func (m *Machine) kill(t *testing.T) {
	if m.process == nil {
		return
	}
	if err := m.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("kill %s: %v", m.Name, err)
	}
	<-m.ended
	m.process = nil
}

// Attach makes a volume appear under the name that Amazon Linux gives it, now and at each later boot.
func (m *Machine) Attach(t *testing.T, volume Volume) {
	t.Helper()
	name := "nvme-Amazon_Elastic_Block_Store_" + strings.Replace(volume.ID, "-", "", 1)
	m.Write(t, "var/lib/machine/volumes", strings.Join([]string{volume.major, volume.minor, name}, " ")+"\n", 0o644)
	if m.process != nil {
		m.Run(t, "/var/lib/machine/attach", volume.major, volume.minor, name)
	}
}

// Calls are those that the stand-ins noted.
func (m *Machine) Calls(t *testing.T) []string {
	t.Helper()
	return strings.Split(strings.TrimSpace(m.Read(t, "var/lib/machine/calls")), "\n")
}

func mount(t *testing.T, target string, args ...string) {
	t.Helper()
	output(t, tools.Command(t.Context(), "mount", args...))
	t.Cleanup(func() { tell(t, tools.Command(context.Background(), "umount", "--lazy", target)) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// explain adds what a command said before it failed.
func explain(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
