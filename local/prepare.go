//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// makeFolders makes .local and what belongs in it, for this user only.
func (l *launcher) makeFolders() error {
	dir, err := filepath.Abs(".local")
	if err != nil {
		return fmt.Errorf("find the current folder: %w", err)
	}
	l.dir = dir
	for _, name := range []string{"tmp", "log", "shared", "objects", "models"} {
		if err := os.MkdirAll(l.path(name), 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	return nil
}

// trimLogs puts aside logs of earlier runs that have grown past 10 MiB, over
// those that were put aside before.
func (l *launcher) trimLogs() error {
	entries, err := os.ReadDir(l.path("log"))
	if err != nil {
		return fmt.Errorf("list logs: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("list logs: %w", err)
		}
		if info.Size() < 10<<20 || strings.HasSuffix(e.Name(), ".old") {
			continue
		}
		if err := os.Rename(l.path("log", e.Name()), l.path("log", e.Name()+".old")); err != nil {
			return fmt.Errorf("put log aside: %w", err)
		}
	}
	return nil
}

// lock holds .local for this process; the kernel drops the lock of one that was
// killed. The file tells a second launcher where the first one is.
func (l *launcher) lock() (io.Closer, error) {
	f, err := os.OpenFile(l.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock .local: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		text, err := io.ReadAll(io.LimitReader(f, 200))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Name(), err)
		}
		return nil, sentence("It is running already in this folder%s. Stop that one first with Ctrl-C.", strings.TrimSpace(" "+string(text)))
	}
	text := fmt.Sprintf(", as process %d, at %s", os.Getpid(), l.url())
	if err := errors.Join(f.Truncate(0), writeAt(f, text)); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// checkPort refuses a port that is in use, and names the next one that is not.
func checkPort(port int) error {
	err := free(port)
	if err == nil {
		return nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return sentence("Port %d cannot be used (%w). Choose another one: make run PORT=8081", port, err)
	}
	other := port + 1
	for other < 65535 && free(other) != nil {
		other++
	}
	return sentence("Port %d is in use by another program. Choose another one: make run PORT=%d", port, other)
}

func free(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}
