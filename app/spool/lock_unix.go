//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package spool

import (
	"os"
	"strings"
	"sync"
	"syscall"
)

// lock takes the file's lock if nobody has it. The kernel frees it when the
// process ends, however it ends.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// machine names the running kernel: only under the same one is a lock a proof.
var machine = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		name, err := os.Hostname()
		if err != nil {
			return "unknown"
		}
		return name
	}
	return strings.TrimSpace(string(id))
})
