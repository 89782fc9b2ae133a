//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package spool

import (
	"os"
	"sync"

	"github.com/google/uuid"
)

// Without locks, only time tells whether another process has ended.
func lock(*os.File) error { return nil }

// machine is another one for each process: none trusts the lock of another.
var machine = sync.OnceValue(uuid.NewString)
