//go:build !unix

package database

import (
	"os"
	"syscall"
)

func childAttributes() *syscall.SysProcAttr { return nil }

func commandLine(int) []string { return nil }

// terminate kills: there is no gentle signal here, and InnoDB recovers.
func terminate(p *os.Process) error { return p.Kill() }

func killGroup(p *os.Process) error { return p.Kill() }
