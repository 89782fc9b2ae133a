package boot

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newCgroup makes the control group that an instance's systemd has for its own, below where this machine keeps them. With
// version 2 only; it needs no controller.
func newCgroup(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	must(t, err)
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if fields[2] != "cgroup2" {
			continue
		}
		group, err := os.MkdirTemp(fields[1], "vinfast-")
		must(t, err)
		t.Cleanup(func() { removeGroups(t, group) })
		return group
	}
	t.Fatal("an instance's systemd needs a mounted cgroup2 file system, and this machine has none: mount -t cgroup2 none /sys/fs/cgroup")
	return ""
}

// removeGroups removes a group and all below it, the deepest first; no process is left in them.
func removeGroups(t *testing.T, group string) {
	var groups []string
	err := filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			groups = append(groups, path)
		}
		return err
	})
	for _, path := range slices.Backward(groups) {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		t.Errorf("remove the control groups: %v", err)
	}
}
