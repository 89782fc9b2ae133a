package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// endStale ends a server that still works on the folder although the process
// that started it is gone (we hold the folder's lock). The pid file alone
// proves nothing: after a reboot its number may be anybody's, so the process
// must also name our data folder on its command line.
func endStale(ctx context.Context, dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read database pid file: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 1 {
		return nil
	}
	// The handle is taken before the look, so that the signal cannot reach
	// a process that got the number in between.
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil // gone
	}
	defer process.Release()
	if !ours(pid, dir) {
		return nil
	}
	if err := terminate(process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end left-over database process %d: %w", pid, err)
	}
	return awaitEnd(ctx, process, dir)
}

// awaitEnd waits for a process that is not our child, and kills it when it
// does not end.
func awaitEnd(ctx context.Context, process *os.Process, dir string) error {
	patience := time.NewTimer(stopTimeout)
	defer patience.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ours(process.Pid, dir) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for left-over database process %d: %w", process.Pid, ctx.Err())
		case <-patience.C:
			if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fmt.Errorf("kill left-over database process %d: %w", process.Pid, err)
			}
		case <-tick.C:
		}
	}
	return nil
}

// ours tells whether pid is a server on our data folder.
func ours(pid int, dir string) bool {
	return slices.Contains(commandLine(pid), "--datadir="+filepath.Join(dir, "data"))
}
