//go:build linux

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"vinfast-classifier/local/program"
)

// diskSize is that of the shared folder's file system, in bytes: room for all
// pictures of a run at once, and quickly filled.
const diskSize = 96 << 20

// disk is the shared folder: a small file system of its own on a loop device.
type disk struct {
	folder string     // where it is mounted
	busy   sync.Mutex // one thing at a time is wrong with it
	state  sync.Mutex
	full   bool
}

// mountDisk makes a file system in dir and mounts it. That takes root, a loop
// device and mkfs.ext4.
func mountDisk(dir string) (*disk, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the fault harness fills and freezes a small file system of its own, and only root may mount one: run it as root")
	}
	image, folder := filepath.Join(dir, "shared.img"), filepath.Join(dir, "shared")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, diskSize), os.MkdirAll(folder, 0o700)); err != nil {
		return nil, fmt.Errorf("make the shared disk: %w", err)
	}
	// No blocks kept for root: the app runs as root here and is to see a full disk.
	if err := command("mkfs.ext4", "-q", "-m", "0", "-N", "8192", image); err != nil {
		return nil, fmt.Errorf("make the shared disk (Debian's package e2fsprogs brings mkfs.ext4): %w", err)
	}
	if err := command("mount", "-o", "loop,noatime", image, folder); err != nil {
		return nil, fmt.Errorf("mount the shared disk (it takes a free loop device and the right to mount): %w", err)
	}
	return &disk{folder: folder}, nil
}

// command runs a program that administrators have on their path.
func command(name string, args ...string) error {
	cmd := program.Command(context.Background(), name, args...)
	if cmd.Err != nil {
		cmd = program.Command(context.Background(), filepath.Join("/usr/sbin", name), args...)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// unmount frees mount and loop device; the image stays. The instances have
// ended.
func (d *disk) unmount() error { return unmount(d.folder) }

func unmount(folder string) error {
	// An interrupted run may have left it frozen, and then nothing unmounts.
	_ = freezing(folder, thaw)
	var err error
	for range 50 {
		// A process that was killed a moment ago may still hold it.
		if err = syscall.Unmount(folder, 0); !errors.Is(err, syscall.EBUSY) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", folder, err)
	}
	return nil
}

// sweep unmounts what a killed run left mounted below dir.
func sweep(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	var faults []error
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); strings.HasPrefix(fields[1], dir+"/") {
			faults = append(faults, unmount(fields[1]))
		}
	}
	return errors.Join(faults...)
}

const ballast = "ballast"

// fill takes all space that is left, until free. One fill at a time.
func (d *disk) fill() error {
	d.busy.Lock()
	f, err := os.OpenFile(filepath.Join(d.folder, ballast), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		d.busy.Unlock()
		return fmt.Errorf("fill the disk: %w", err)
	}
	// Large pieces first, then the rest: others free and take blocks meanwhile.
	for piece := int64(diskSize); piece >= 4096; {
		info, err := f.Stat()
		if err == nil {
			err = syscall.Fallocate(int(f.Fd()), 0, info.Size(), piece)
		}
		if err != nil {
			piece /= 2
		}
	}
	d.setFull(true)
	return f.Close()
}

// free gives the space back.
func (d *disk) free() error {
	defer d.busy.Unlock()
	err := os.Remove(filepath.Join(d.folder, ballast))
	d.setFull(false)
	return err
}

func (d *disk) setFull(full bool) {
	d.state.Lock()
	defer d.state.Unlock()
	d.full = full
}

func (d *disk) isFull() bool {
	d.state.Lock()
	defer d.state.Unlock()
	return d.full
}

// freeze makes every write to the disk hang until melt. One freeze at a time.
func (d *disk) freeze() error {
	d.busy.Lock()
	if err := freezing(d.folder, freeze); err != nil {
		d.busy.Unlock()
		return fmt.Errorf("freeze the disk: %w", err)
	}
	return nil
}

func (d *disk) melt() error {
	defer d.busy.Unlock()
	if err := freezing(d.folder, thaw); err != nil {
		return fmt.Errorf("thaw the disk: %w", err)
	}
	return nil
}

// Requests of ioctl_fifreeze(2).
const (
	freeze = 0xc0045877
	thaw   = 0xc0045878
)

func freezing(folder string, request uintptr) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, _, fault := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, 0); fault != 0 {
		return fault
	}
	return nil
}

// entries counts the spool's files by folder, "." for its own.
func (d *disk) entries() (map[string][]string, error) {
	found := map[string][]string{}
	spool := filepath.Join(d.folder, "spool")
	err := filepath.WalkDir(spool, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(spool, path)
		found[filepath.Dir(name)] = append(found[filepath.Dir(name)], filepath.Base(name))
		return err
	})
	return found, err
}
