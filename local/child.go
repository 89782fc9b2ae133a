//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is what a child gets to end in order; the app takes up to 80
// seconds to finish requests.
const stopTimeout = 85 * time.Second

// command describes a child process.
type command struct {
	path  string
	args  []string
	env   []string
	files []*os.File // descriptors 3 and up
	log   string     // file that gets its output
	ready string     // URL that answers 200 when it is ready
}

// child is a running command.
type child struct {
	cmd   *exec.Cmd
	alive io.Closer // its standard input: closing tells it that we are gone
	log   *os.File
	from  int64 // where in log this start begins
	done  chan struct{}
	err   error // read after done is closed
}

// start returns when the child is ready, or quotes its log.
func (c command) start(ctx context.Context) (*child, error) {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open log: %w", err), log.Close())
	}
	cmd := exec.Command(c.path, c.args...)
	cmd.Env, cmd.ExtraFiles = c.env, c.files
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", c.path, err), log.Close())
	}
	p := &child{cmd: cmd, alive: alive, log: log, from: from, done: make(chan struct{})}
	if err := p.run(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := p.await(ctx, c.ready); err != nil {
		p.Kill()
		<-p.done
		return nil, err
	}
	return p, nil
}

// run starts the process on a thread that stays until it has ended: the kernel
// sends the parent-death signal when the thread that forked ends, not the
// process.
func (p *child) run() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := p.cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", p.cmd.Path, err)
			return
		}
		started <- nil
		p.err = p.cmd.Wait()
		if p.err == nil {
			p.err = errors.New("exit status 0")
		}
		p.err = fmt.Errorf("%w%s", p.err, p.said())
		p.err = errors.Join(p.err, p.log.Close())
		close(p.done)
	}()
	return <-started
}

// await polls url until it answers 200.
func (p *child) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		last := probe(ctx, url)
		if last == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.err
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w (%w)%s", ctx.Err(), last, p.said())
		case <-tick.C:
		}
	}
}

func probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 2<<10))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s %s", url, resp.Status, bytes.TrimSpace(text))
	}
	return err
}

// said quotes the last lines that the child wrote since its start.
func (p *child) said() string {
	const lines, size = 15, 8 << 10
	end, err := p.log.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	from := max(p.from, end-size)
	text := make([]byte, end-from)
	n, err := p.log.ReadAt(text, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(text[:n])), "\n")
	all = all[max(0, len(all)-lines):]
	if len(all) == 1 && all[0] == "" {
		return ""
	}
	return "; its last words, from " + p.log.Name() + ":\n    " + strings.Join(all, "\n    ")
}

// Done is closed when the child has ended, for whatever reason.
func (p *child) Done() <-chan struct{} { return p.done }

// Stop asks the child to end and returns when it has; one that takes too long
// is killed, which is an error.
func (p *child) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopTimeout):
		p.Kill()
		<-p.done
		return fmt.Errorf("%s did not stop within %v and was killed", p.cmd.Path, stopTimeout)
	}
}

// Kill ends the child and whatever it has started.
func (p *child) Kill() {
	// The group is the child's own; the only fault is that it has ended.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
}
