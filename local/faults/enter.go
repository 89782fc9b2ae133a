//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"vinfast-classifier/local/program"
)

// Enter takes a folder for runs, one program at a time, and clears away what
// an earlier, killed one left mounted there. The folder run in it is emptied.
func Enter(dir string) (leave func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("a fault run is under way in %s: %w", dir, err), lock.Close())
	}
	if err := errors.Join(sweep(dir), os.RemoveAll(filepath.Join(dir, "run"))); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock.Close, nil
}

// Build makes the app from the module of the working folder, with further
// arguments of go build.
func Build(ctx context.Context, binary string, args ...string) error {
	args = append([]string{"build", "-buildvcs=false", "-o", binary}, args...)
	if out, err := program.Command(ctx, "go", append(args, "vinfast-classifier/app")...).CombinedOutput(); err != nil {
		return fmt.Errorf("build the app: %w\n%s", err, out)
	}
	return nil
}
