package main

import "syscall"

// guarded: the kernel ends our children with us.
const guarded = true

// childAttributes: an own process group, so that Ctrl-C in the terminal reaches
// only us and the parts end in order; and an end with their parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
