package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Volume is an EBS volume: a file behind a loop device.
type Volume struct {
	ID     string // vol-...
	Device string // /dev/loop7 of this machine
	major  string
	minor  string
}

// NewVolume makes a blank one. The file is sparse.
func NewVolume(t *testing.T, id string, bytes int64) Volume {
	t.Helper()
	file := filepath.Join(t.TempDir(), id)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, bytes); err != nil {
		t.Fatal(err)
	}
	device := strings.TrimSpace(output(t, exec.Command("losetup", "--find", "--show", file)))
	t.Cleanup(func() { tell(t, exec.Command("losetup", "--detach", device)) })
	numbers := strings.Fields(output(t, exec.Command("stat", "--format=%Hr %Lr", device)))
	return Volume{ID: id, Device: device, major: numbers[0], minor: numbers[1]}
}

// Digest is that of all that is on it.
func (v Volume) Digest(t *testing.T) string {
	t.Helper()
	return output(t, exec.Command("sha256sum", v.Device))
}

func output(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(command.Args, " "), explain(err))
	}
	return string(text)
}
