package boot

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vinfast-classifier/e2e/tools"
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
	device := strings.TrimSpace(output(t, tools.Command(t.Context(), "losetup", "--find", "--show", file)))
	t.Cleanup(func() { tell(t, tools.Command(context.Background(), "losetup", "--detach", device)) })
	numbers := strings.Fields(output(t, tools.Command(t.Context(), "stat", "--format=%Hr %Lr", device)))
	return Volume{ID: id, Device: device, major: numbers[0], minor: numbers[1]}
}

// Digest is that of all that is on it.
func (v Volume) Digest(t *testing.T) string {
	t.Helper()
	return output(t, tools.Command(t.Context(), "sha256sum", v.Device))
}

func output(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(command.Args, " "), explain(err))
	}
	return string(text)
}
