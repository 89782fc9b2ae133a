package database

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// childAttributes: an own process group, so that Ctrl-C in the terminal
// reaches only us and the server is shut down in order; and an end with its
// parent. SIGTERM lets it close its tables first.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// commandLine returns the arguments of a process; none if it is gone.
func commandLine(pid int) []string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return nil
	}
	return strings.Split(string(data), "\x00")
}
