package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Each process shows that it lives by one file in the folder "instances", which
// it writes anew every beat. All times are modification times of that folder's
// files, by the one clock of the file server: how the clocks of the instances
// differ does not matter.
const (
	beat = 5 * time.Second
	// expiry is how long a process may be silent before others take over what
	// it holds.
	expiry = 30 * time.Second
	// margin is what a process holds back of it before it stops trusting its
	// own lease.
	margin = 5 * time.Second
)

// lease is this process's file in "instances".
type lease struct {
	folder string // "instances"
	drafts string // where a new file is made ready

	mu      sync.Mutex
	token   string    // the file's name
	file    *os.File  // open and locked
	renewed time.Time // when the last renewal that worked began, by our clock
}

// join begins a new life: a file under a name that was never there before. Its
// lock is taken before it has that name.
func (l *lease) join() error {
	f, err := os.CreateTemp(l.drafts, "instance.*")
	if err != nil {
		return fmt.Errorf("join the spool: %w", err)
	}
	began, token := time.Now(), uuid.NewString()
	err = lock(f)
	if err == nil {
		_, err = f.WriteAt([]byte(machine()), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), l.path(token))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("join the spool: %w", err), f.Close(), os.Remove(f.Name()))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.file
	l.token, l.file, l.renewed = token, f, began
	if old != nil {
		return old.Close()
	}
	return nil
}

func (l *lease) path(name string) string { return l.folder + string(os.PathSeparator) + name }

// renew writes the file anew; the server stamps it with its time, which is
// returned. The same bytes at the same place need no room on a full disk.
func (l *lease) renew() (now time.Time, err error) {
	l.mu.Lock()
	f, token := l.file, l.token
	l.mu.Unlock()
	if _, err := f.WriteAt([]byte(machine()), 0); err != nil {
		return time.Time{}, err
	}
	if err := f.Sync(); err != nil {
		return time.Time{}, err
	}
	f, info, err := openFresh(l.path(token), os.O_RDONLY)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), f.Close()
}

// trust the lease from a renewal that began then. Not before it is seen that
// the file still has its name: a file that others took away can be written, too.
func (l *lease) trust(began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = began
}

// current is our name, and whether the lease can be trusted: nobody else may
// count us as dead yet.
func (l *lease) current() (token string, good bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.token, time.Since(l.renewed) < expiry-margin
}

// leave ends the life in order.
func (l *lease) leave() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = time.Time{}
	err := os.Remove(l.path(l.token))
	if gone(err) {
		err = nil
	}
	return errors.Join(err, l.file.Close())
}

// dead tells whether the process behind a file in "instances" has ended: it was
// silent for too long, or it ran on this machine and its lock is free.
func (l *lease) dead(name string, now time.Time) (bool, error) {
	f, info, err := openFresh(l.path(name), os.O_RDWR)
	if gone(err) {
		return false, nil // it left, or is being dealt with
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if now.Sub(info.ModTime()) > expiry {
		return true, nil
	}
	where := make([]byte, 256)
	n, _ := f.ReadAt(where, 0) // io.EOF at its end; one that cannot be read is another's
	return string(where[:n]) == machine() && lock(f) == nil, nil
}

// openFresh opens a file and describes it as the server sees it now: NFS asks
// the server at each open, but answers a plain stat from memory for a minute.
func openFresh(path string, flag int) (*os.File, os.FileInfo, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}
