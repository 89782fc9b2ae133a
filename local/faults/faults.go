//go:build linux

// Package faults runs two instances of the web app on one shared folder
// against real servers (MySQL, S3 and SageMaker Runtime by their protocols),
// breaks them in every way a schedule from a seed says, and then holds what
// the clients were told against what is there: every acknowledged picture has
// exactly one object and one right row, every refused one has neither.
package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Options of Run.
type Options struct {
	Seed    uint64
	Uploads int           // pictures
	Clients int           // that send at the same time
	Binary  string        // the app
	Dir     string        // absolute; everything of the run lies here
	Drain   time.Duration // for the spool to become empty after the last fault
}

// Report is what a run found.
type Report struct {
	Options
	Pictures              int // sent: a few more than Uploads
	Acknowledged, Refused int
	UnknownKept           int // no answer, and kept
	UnknownLost           int // no answer, and not kept
	Statuses              map[int]int
	Hits                  map[Kind]*[steps]int
	Wrong                 []string // empty: the run has passed
	Sending, Draining     time.Duration
}

// Run makes one run. The error is a fault of the harness or of its ending; what
// the app did wrong is in the report. When ctx ends, all is taken down.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	ctx, cancel := context.WithCancel(ctx)
	random := rand.New(rand.NewPCG(o.Seed, 0))
	s, err := newSystem(ctx, o, random)
	defer func() {
		cancel()
		err = errors.Join(err, s.close())
	}()
	if err != nil {
		return Report{}, err
	}
	return s.run(ctx, random)
}

func (s *system) run(ctx context.Context, random *rand.Rand) (Report, error) {
	began := time.Now()
	if err := s.sendAll(ctx, random, s.options.Uploads); err != nil {
		return Report{}, err
	}
	// A fault can have found nothing to hit, like an instance that was down.
	for range extra {
		if len(s.plan.missing()) == 0 {
			break
		}
		if err := s.sendAll(ctx, random, 4*s.options.Clients); err != nil {
			return Report{}, err
		}
	}
	if err := s.settle(); err != nil {
		return Report{}, err
	}
	if ctx.Err() != nil {
		return Report{}, fmt.Errorf("given up: %w", context.Cause(ctx))
	}
	sent := time.Now()
	// A spool that does not empty, or an instance that does not get well, is a
	// finding; what is there is looked at all the same.
	s.blame(s.ready())
	s.blame(s.drain())
	drained := time.Now()
	s.blame(s.stop())
	if err := s.check(ctx); err != nil {
		return Report{}, err
	}
	return s.report(sent.Sub(began), drained.Sub(sent)), nil
}

func (s *system) blame(err error) {
	if err != nil {
		s.ledger.complain("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// extra bounds how often some more pictures are sent for the faults that have
// not come to hit anything.
const extra = 20

// thinking is the longest pause of a client between two requests. It makes the
// run long enough for the instances to look into the spool several times.
const thinking = 200 * time.Millisecond

// sendAll sends so many new pictures, each client one request at a time.
func (s *system) sendAll(ctx context.Context, random *rand.Rand, count int) error {
	var outcomes []*outcome
	for range count {
		p, err := newPicture(s.options.Seed, len(s.ledger.outcomes))
		if err != nil {
			return err
		}
		outcomes = append(outcomes, &outcome{picture: p})
		s.ledger.outcomes = append(s.ledger.outcomes, outcomes[len(outcomes)-1])
	}
	work := make(chan request)
	var all sync.WaitGroup
	for range s.options.Clients {
		random := rand.New(rand.NewPCG(s.options.Seed, random.Uint64()))
		all.Go(func() {
			for r := range work {
				s.deliver(ctx, random, r)
				pass(ctx, time.Duration(random.Int64N(int64(thinking))))
			}
		})
	}
	for _, r := range newRequests(random, s.options.Seed, outcomes) {
		work <- r
	}
	close(work)
	all.Wait()
	return nil
}
