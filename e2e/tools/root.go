package tools

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// BootRoot is what emulated instances boot from.
type BootRoot struct {
	Tree  string // a root file system, not to be written to
	MySQL string // an archive in the layout of MySQL's own
	Start string // the script that becomes an instance's first process

	versions, passed string // files: its packages, and those that the tests last passed with
}

// PrepareBootRoot finds or makes the root file system. Source is this module's folder. The first time on a machine
// it takes some minutes; it needs root.
func PrepareBootRoot(ctx context.Context, source string, say func(format string, args ...any)) (BootRoot, error) {
	if err := bootNeeds(); err != nil {
		return BootRoot{}, err
	}
	b, err := newBuilder(source, say)
	if err != nil {
		return BootRoot{}, err
	}
	folder, err := b.once(ctx, "boot-root", []string{"boot/root.sh"}, func(ctx context.Context, folder string) error {
		return b.run(ctx, folder, "installing the instances' root file system (once per machine, some minutes)", nil,
			filepath.Join(b.source, "boot", "root.sh"), folder)
	})
	return BootRoot{
		Tree:  filepath.Join(folder, "tree"),
		MySQL: filepath.Join(folder, "mysql.tar.xz"),
		Start: filepath.Join(b.source, "boot", "start.sh"),

		versions: filepath.Join(folder, "versions"),
		passed:   filepath.Join(b.source, "boot", "versions.txt"),
	}, err
}

// Moved says for whoever looks at a failed boot where the root file system is not the one that the tests last
// passed with: Debian unstable changes every day, and what is kept on this machine was made on some day.
func (r BootRoot) Moved() (string, error) {
	now, err := os.ReadFile(r.versions)
	if err != nil {
		return "", fmt.Errorf("read the packages of the instances: %w", err)
	}
	passed, err := os.ReadFile(r.passed)
	if err != nil {
		return "", fmt.Errorf("read the packages that the tests last passed with: %w", err)
	}
	if bytes.Equal(now, passed) {
		return "The instances have the packages of Debian unstable that the tests last passed with: look for the reason " +
			"here.", nil
	}
	return fmt.Sprintf("Debian unstable has moved, which may be the reason. The instances have\n%sand the tests last "+
		"passed with\n%s(%s; if they pass with the new ones, copy %s there).", now, passed, r.passed, r.versions), nil
}

// bootNeeds names all that is missing, at once.
func bootNeeds() error {
	var missing []string
	if os.Geteuid() != 0 {
		missing = append(missing, "to be root, since it makes namespaces, mounts and loop devices (sudo make e2e)")
	}
	for program, source := range map[string]string{"debootstrap": "debootstrap", "ip": "iproute2", "losetup": "mount",
		"nsenter": "util-linux", "unshare": "util-linux", "xz": "xz-utils", "chroot": "coreutils"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program+" (Debian's package "+source+")")
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("booting the instances needs %s", strings.Join(missing, "; "))
	}
	return nil
}
