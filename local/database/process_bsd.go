//go:build unix && !linux

package database

import (
	"context"
	"strconv"
	"strings"
	"syscall"

	"vinfast-classifier/local/program"
)

// childAttributes: an own process group, so that Ctrl-C in the terminal
// reaches only us and the server is shut down in order. A server whose parent
// was killed lives on; the next Start ends it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// commandLine returns the arguments of a process, as far as ps tells them
// apart; none if it is gone.
func commandLine(pid int) []string {
	out, err := program.Command(context.Background(), "ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return nil
	}
	var args []string
	for _, part := range strings.Split(strings.TrimSpace(string(out)), " --") {
		args = append(args, "--"+part)
	}
	return args
}
