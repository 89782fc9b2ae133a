package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const sampleEvery = 250 * time.Millisecond

// session runs a command in a session of its own and returns what it printed and the most memory that all processes of the
// session held at one time. Pulumi starts each plugin in its own process group, so the session is what holds them together:
// whatever is left of it afterwards, or when ctx ends, is killed.
func session(ctx context.Context, command *exec.Cmd) (output []byte, peak int64, err error) {
	var text bytes.Buffer
	command.Stdout, command.Stderr = &text, &text
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		return nil, 0, fmt.Errorf("start %s: %w", command.Path, err)
	}
	id := command.Process.Pid
	stop := make(chan struct{})
	var sampling sync.WaitGroup
	sampling.Go(func() {
		ticker := time.NewTicker(sampleEvery)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ctx.Done():
				killSession(id)
				return
			case <-ticker.C:
				peak = max(peak, memory(id))
			}
		}
	})
	err = command.Wait()
	close(stop)
	sampling.Wait()
	killSession(id)
	return text.Bytes(), peak, errors.Join(err, ctx.Err())
}

// member is a process of a session: its id and the pages it holds.
type member struct {
	id    int
	pages int64
}

// members reads /proc. Without it (not on Linux) there are none: no memory is shown and nothing is left to kill.
func members(session int) []member {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var found []member
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// The name in parentheses may hold spaces; after it: state, parent, group, session, and 22nd the resident pages.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 22 || string(fields[3]) != strconv.Itoa(session) {
			continue
		}
		id, idErr := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		pages, pagesErr := strconv.ParseInt(string(fields[21]), 10, 64)
		if idErr == nil && pagesErr == nil {
			found = append(found, member{id, pages})
		}
	}
	return found
}

func memory(session int) int64 {
	var pages int64
	for _, m := range members(session) {
		pages += m.pages
	}
	return pages * int64(os.Getpagesize())
}

func killSession(session int) {
	for _, m := range members(session) {
		_ = syscall.Kill(m.id, syscall.SIGKILL) // it may have ended by itself
	}
}
