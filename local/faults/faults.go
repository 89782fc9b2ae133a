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
	"sync"
	"time"
)

// Options of Run.
type Options struct {
	Seed    uint64
	Uploads int    // pictures
	Clients int    // that send at the same time
	Binary  string // the app
	Dir     string // absolute; everything of the run lies here
}

// Report is what a run found.
type Report struct {
	Options
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
	for n := range s.options.Uploads {
		p, err := newPicture(s.options.Seed, n)
		if err != nil {
			return Report{}, err
		}
		s.ledger.outcomes = append(s.ledger.outcomes, &outcome{picture: p})
	}
	began := time.Now()
	s.sendAll(ctx, newRequests(random, s.options.Seed, s.ledger.outcomes))
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
		s.ledger.complain("%v", err)
	}
}

// sendAll sends all requests, each client one at a time.
func (s *system) sendAll(ctx context.Context, requests []request) {
	work := make(chan request)
	var all sync.WaitGroup
	for client := range s.options.Clients {
		random := rand.New(rand.NewPCG(s.options.Seed, uint64(client)+1))
		all.Go(func() {
			for r := range work {
				s.deliver(ctx, random, r)
			}
		})
	}
	for _, r := range requests {
		work <- r
	}
	close(work)
	all.Wait()
}
