package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"vinfast-classifier/app/spool"
)

// Room that must be left on each file system.
const leastFree = 200 << 20 // bytes

// disk looks at the file systems of the root, the log and the shared folder.
func (d *doctor) disk(context.Context) (string, error) {
	folders := []string{"/", d.SharedDir}
	if d.LogFile != "" {
		folders = append(folders, filepath.Dir(d.LogFile))
	}
	var seen []string
	var faults []error
	for _, folder := range folders {
		free, total, err := space(folder)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("space of %s: %w", folder, err))
		case free < leastFree:
			faults = append(faults, fmt.Errorf("%s has %d MiB left", folder, free>>20))
		case total > 1<<50:
			// EFS says 8 EiB.
			seen = append(seen, folder+" has no bound")
		default:
			seen = append(seen, fmt.Sprintf("%s has %.1f of %.1f GiB left", folder, gib(free), gib(total)))
		}
	}
	return strings.Join(seen, ", "), errors.Join(faults...)
}

func gib(n uint64) float64 { return float64(n) / (1 << 30) }

// shared looks how the folder is mounted, and uses it.
func (d *doctor) shared(context.Context) (string, error) {
	mount := "a folder of this machine"
	if d.Machine.EC2() {
		m, err := mountOf(d.Machine.MountInfo, d.SharedDir)
		if err != nil {
			return "", err
		}
		// The proxy of efs-utils listens here and encrypts to the file system.
		tls := m.kind == "nfs4" && strings.HasPrefix(m.source, "127.0.0.1:") || m.kind == "efs"
		if m.point != filepath.Clean(d.SharedDir) || !tls {
			return "", fmt.Errorf("%s is on %s (type %s from %s), not on EFS over TLS", d.SharedDir, m.point, m.kind, m.source)
		}
		mount = fmt.Sprintf("EFS over TLS (%s from %s)", m.kind, m.source)
	}
	if err := writeProbe(d.SharedDir); err != nil {
		return "", advise("It must take files of user vinfast: look at its access point, the file system's policy and space.", err)
	}
	return mount + ", written, read back and removed", nil
}

// writeProbe writes a file to the disk, reads it again and removes it.
func writeProbe(dir string) (err error) {
	name := filepath.Join(dir, ".doctor-"+uuid.NewString())
	text := []byte(name)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write to the shared folder: %w", err)
	}
	defer func() {
		if gone := os.Remove(name); gone != nil {
			err = errors.Join(err, fmt.Errorf("remove from the shared folder: %w", gone))
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write to the shared folder: %w", err)
	}
	back, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read from the shared folder: %w", err)
	}
	if !bytes.Equal(back, text) {
		return fmt.Errorf("read from the shared folder: %s has other bytes than were written", name)
	}
	return nil
}

type mount struct{ point, kind, source string }

// mountOf finds the mount that a folder is on, in the format of
// proc_pid_mountinfo(5).
func mountOf(table, folder string) (mount, error) {
	text, err := os.ReadFile(table)
	if err != nil {
		return mount{}, fmt.Errorf("list mounts: %w", err)
	}
	var best mount
	for line := range strings.Lines(string(text)) {
		left, right, found := strings.Cut(line, " - ")
		before, after := strings.Fields(left), strings.Fields(right)
		if !found || len(before) < 5 || len(after) < 2 {
			continue
		}
		m := mount{strings.ReplaceAll(before[4], `\040`, " "), after[0], after[1]}
		// Of two on the same point the later hides the earlier.
		if inside(folder, m.point) && len(m.point) >= len(best.point) {
			best = m
		}
	}
	if best.point == "" {
		return mount{}, fmt.Errorf("list mounts: none holds %s", folder)
	}
	return best, nil
}

func inside(folder, point string) bool {
	rel, err := filepath.Rel(point, folder)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// patience is how long an upload may wait in the spool before somebody should
// look.
const patience = 10 * time.Minute

func (d *doctor) spool(context.Context) (string, error) {
	s, err := spool.Look(d.SpoolDir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", advise("The app makes it when it starts: journalctl -u vinfast -n 50.", err)
	}
	if err != nil {
		return "", err
	}
	if s.Damaged > 0 {
		return "", advise("Look at them, then remove them: "+filepath.Join(d.SpoolDir, "damaged")+"."+guide("the-spool"),
			fmt.Errorf("%d entries do not read back", s.Damaged))
	}
	if s.Entries == 0 {
		return "empty", nil
	}
	age := d.Machine.Now().Sub(s.Oldest).Round(time.Second)
	text := fmt.Sprintf("%d uploads wait, %d bytes, the oldest for %s", s.Entries, s.Bytes, age)
	if age > patience {
		return "", errors.New(text)
	}
	return text, nil
}
