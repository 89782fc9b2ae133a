//go:build unix && !linux

package main

import "syscall"

// guarded: our own parts notice the end of their standard input, the app needs
// a guard.
const guarded = false

// childAttributes: an own process group, so that Ctrl-C in the terminal reaches
// only us and the parts end in order.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
