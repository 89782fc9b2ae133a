//go:build linux || darwin || freebsd

package doctor

import "syscall"

// space is what an ordinary user may still write to the file system of a
// folder, and its size, in bytes.
func space(folder string) (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}
