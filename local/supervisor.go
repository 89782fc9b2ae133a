//go:build unix

package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Back-off between starts of a part that keeps ending, and how long one must
// have run for the next end to count as the first again.
const (
	firstWait = 200 * time.Millisecond
	lastWait  = 10 * time.Second
	calm      = 30 * time.Second
)

// running is a part that has started: a child, or the database server.
type running interface {
	Done() <-chan struct{}
	Stop() error
	Kill()
}

// part is one of the processes of the system. Start returns when it is ready
// and may be called again after the part has ended.
type part struct {
	name  string // as in "The web app ended"
	log   string // path of the file with its output
	start func(context.Context) (running, error)
}

// supervisor keeps parts running until its context ends.
type supervisor struct {
	say   func(format string, args ...any)
	parts []*kept
	loops sync.WaitGroup
}

// kept is a part and its present process; nil while it has none.
type kept struct {
	part
	mu  sync.Mutex
	now running
}

// add starts p, and starts it again whenever it ends before ctx does.
func (s *supervisor) add(ctx context.Context, p part) error {
	r, err := p.start(ctx)
	if err != nil {
		return sentence("The %s does not start: %w", p.name, err)
	}
	k := &kept{part: p, now: r}
	s.parts = append(s.parts, k)
	s.loops.Go(func() { s.keep(ctx, k) })
	return nil
}

func (s *supervisor) keep(ctx context.Context, k *kept) {
	wait := firstWait
	for {
		began := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-k.running().Done():
		}
		k.set(nil)
		if time.Since(began) > calm {
			wait = firstWait
		}
		s.say("The %s ended unexpectedly; starting it again (what it said is in %s).", k.name, k.log)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			wait = min(2*wait, lastWait)
			r, err := k.start(ctx)
			if err == nil {
				k.set(r)
				s.say("The %s runs again.", k.name)
				break
			}
			if ctx.Err() != nil {
				return
			}
			s.say("The %s does not start: %v. Trying again in %v.", k.name, err, wait)
		}
	}
}

// stop ends all parts in order, the last one added first. Its context must
// have ended.
func (s *supervisor) stop() error {
	s.loops.Wait()
	var faults []error
	for _, k := range slices.Backward(s.parts) {
		if r := k.running(); r != nil {
			faults = append(faults, r.Stop())
		}
	}
	return errors.Join(faults...)
}

// kill ends all parts at once.
func (s *supervisor) kill() {
	for _, k := range s.parts {
		if r := k.running(); r != nil {
			r.Kill()
		}
	}
}

func (k *kept) running() running {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *kept) set(r running) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = r
}
