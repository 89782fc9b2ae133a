//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/objectstore"
)

const (
	bucket       = "vinfast-faults"
	endpointName = "vinfast-faults"
	// modelPatience stands for the 60 seconds that SageMaker gives a container.
	modelPatience = 2 * time.Second
)

// system is everything of one run.
type system struct {
	ctx       context.Context // ends when the run is given up
	options   Options
	plan      *schedule
	ledger    *ledger
	clients   *clients
	hanging   *sync.Map
	http      *http.Client
	disk      *disk
	database  *server
	store     http.Handler // S3
	storeURL  string       // S3 without faults
	model     http.Handler // SageMaker Runtime
	instances []*instance
	troubles  sync.WaitGroup // of the disk, under way
	cleaning  []func() error
}

// newSystem starts everything and returns when both instances are ready. close
// ends it, in any case.
func newSystem(ctx context.Context, o Options, random *rand.Rand) (*system, error) {
	s := &system{ctx: ctx, options: o, plan: newSchedule(random, o.Uploads), ledger: &ledger{statuses: map[int]int{}},
		clients: &clients{hanging: map[int]context.CancelFunc{}}, hanging: &sync.Map{},
		// A connection for each request: the client is not to repeat one by itself.
		http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true, WriteBufferSize: 512}}}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return s, fmt.Errorf("make folder: %w", err)
	}
	var err error
	if s.disk, err = mountDisk(o.Dir); err != nil {
		return s, err
	}
	s.cleaning = append(s.cleaning, s.disk.unmount)
	if s.database, err = startDatabase(ctx, o.Dir); err != nil {
		return s, err
	}
	s.cleaning = append(s.cleaning, s.database.close)
	if err := s.serve(); err != nil {
		return s, err
	}
	for i := range 2 {
		in, err := newInstance(s, fmt.Sprintf("instance-%d", i+1))
		if err != nil {
			return s, err
		}
		s.cleaning = append(s.cleaning, in.close)
		s.instances = append(s.instances, in)
		if err := in.start(ctx); err != nil {
			return s, err
		}
	}
	return s, s.ready()
}

// serve starts S3 and SageMaker Runtime.
func (s *system) serve() error {
	store, closer, err := objectstore.New(filepath.Join(s.options.Dir, "objects"), slog.New(slog.DiscardHandler), bucket)
	if err != nil {
		return err
	}
	s.store = store
	plain := httptest.NewServer(store)
	s.storeURL = plain.URL
	container := httptest.NewServer(endpoint.Container(reader{s.hanging}, 64))
	s.model = endpoint.Runtime{Endpoint: endpointName, Region: "us-east-1", Account: "000000000000",
		Container: container.URL, Timeout: modelPatience}.Handler()
	s.cleaning = append(s.cleaning, closer.Close, func() error { plain.Close(); container.Close(); return nil })
	return nil
}

const readyTime = 60 * time.Second

// ready waits until both instances say that all parts answer.
func (s *system) ready() error {
	for _, in := range s.instances {
		for end := time.Now().Add(readyTime); status(in.address()+"/readyz") != http.StatusOK; {
			if time.Now().After(end) {
				return fmt.Errorf("%s is not ready within %v though no fault is left, see %s", in.name, readyTime, in.log.Name())
			}
			if !pass(s.ctx, 100*time.Millisecond) {
				return s.ctx.Err()
			}
		}
	}
	return nil
}

// trouble makes the shared disk full or hang, or kills an instance while it
// hangs, which is in the middle of a write. It returns when that has begun.
func (s *system) trouble(in *instance, f fault) error {
	if f.Kind == DiskFull {
		if err := s.disk.fill(); err != nil {
			return err
		}
		before := s.plan.count(DiskFull, Spool)
		s.troubles.Go(func() {
			end := time.Now().Add(fillTime)
			pass(s.ctx, f.Last)
			for s.plan.count(DiskFull, Spool) == before && time.Now().Before(end) && pass(s.ctx, 20*time.Millisecond) {
			}
			s.note(s.disk.free())
		})
		return nil
	}
	if err := s.disk.freeze(); err != nil {
		return err
	}
	s.troubles.Go(func() {
		if f.Kind == FolderHangs {
			s.plan.hit(f.Kind, f.Step)
			pass(s.ctx, f.Last)
			s.note(s.disk.melt())
			return
		}
		pass(s.ctx, hangTime)
		s.struck(f, in.killAnd(f.Last, func() { s.note(s.disk.melt()) }))
	})
	return nil
}

const (
	fillTime = 8 * time.Second        // a full disk is freed after it, hit or not
	hangTime = 250 * time.Millisecond // for an upload to come to its first write
)

// note keeps a fault of the harness itself.
func (s *system) note(err error) {
	if err != nil {
		s.ledger.complain("the harness: %v", err)
	}
}

// settle lets the faults under way end, and the next ones not begin.
func (s *system) settle() error {
	s.plan.end()
	s.troubles.Wait()
	faults := []error{s.database.settle()}
	for _, in := range s.instances {
		faults = append(faults, in.settle())
	}
	return errors.Join(faults...)
}

// drain waits until both instances say that the spool is empty, and nothing is
// left in its folders of an instance that was killed.
func (s *system) drain() error {
	for end := time.Now().Add(s.options.Drain); ; {
		faults := []error{s.quiet()}
		for _, in := range s.instances {
			count, err := in.waiting()
			if err == nil && count != "0" {
				err = fmt.Errorf("%s says that %s uploads wait", in.name, count)
			}
			faults = append(faults, err)
		}
		err := errors.Join(faults...)
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the spool is not empty %v after the last fault: %w", s.options.Drain, err)
		}
		if !pass(s.ctx, 200*time.Millisecond) {
			return s.ctx.Err()
		}
	}
}

// quiet tells what is in the spool's folders besides half files and one sign of
// life of each instance.
func (s *system) quiet() error {
	found, err := s.disk.entries()
	if err != nil {
		return fmt.Errorf("list the spool: %w", err)
	}
	for folder, names := range found {
		if folder != "tmp" && !(folder == "instances" && len(names) == len(s.instances)) {
			return fmt.Errorf("%d files are in its folder %q", len(names), folder)
		}
	}
	return nil
}

// stop ends the instances in order.
func (s *system) stop() error {
	faults := make([]error, len(s.instances))
	var all sync.WaitGroup
	for i, in := range s.instances {
		all.Go(func() { faults[i] = in.stop() })
	}
	all.Wait()
	return errors.Join(faults...)
}

// close ends everything, at once where it still runs. The context has ended.
func (s *system) close() error {
	s.troubles.Wait()
	var faults []error
	for i := range s.cleaning {
		faults = append(faults, s.cleaning[len(s.cleaning)-1-i]())
	}
	return errors.Join(faults...)
}
