//go:build linux

package faults

import (
	"os/exec"
	"runtime"
	"syscall"
)

// process is a child that is waited for from its start on.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // read after done is closed
}

// launch starts a child that ends with us, on a thread that stays until it has
// ended: the kernel sends the parent-death signal when the thread that forked
// ends, not the process.
func launch(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// kill is kill -9; the process has not ended yet when it returns.
func (p *process) kill() {
	// The only fault is that it has ended, which is what was wanted.
	_ = p.cmd.Process.Kill()
}
