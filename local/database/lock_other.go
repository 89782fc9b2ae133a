//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package database

import "io"

type noLock struct{}

func (noLock) Close() error { return nil }

// lockFolder does nothing here; InnoDB's own lock refuses a second server.
func lockFolder(string) (io.Closer, error) { return noLock{}, nil }
