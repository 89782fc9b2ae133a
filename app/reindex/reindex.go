// Package reindex makes the rows of predictions again from the pictures'
// metadata in S3. What metadata cannot tell is the row's number (id), which is
// dealt out anew, and the last of very many scores (see photostore).
package reindex

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/photostore"
	"vinfast-classifier/app/predictions"
)

// workers is how many objects are asked about at once.
const workers = 16

// shownFaults is how many objects with faults are named; all are counted.
const shownFaults = 100

// Run is one run over the bucket. All fields but DryRun and After are
// required.
type Run struct {
	Photos *photostore.Store
	Rows   *predictions.Store
	DryRun bool      // count only, change nothing
	After  string    // key to go on after; empty for the first
	Out    io.Writer // gets progress and faults

	mu     sync.Mutex
	counts Counts
}

// Counts is what a run did, or would do.
type Counts struct {
	Objects int // looked at
	Added   int // rows that were missing
	There   int // rows that were there
	Faults  int // objects without a row for it: not ours, or broken
}

// Do works page by page. Every key up to the one of a fault of the network or
// of the database is done; the error says where to go on. Its counts are valid
// with an error too.
func (r *Run) Do(ctx context.Context) (Counts, error) {
	began := time.Now()
	if !r.DryRun {
		if err := r.Rows.Rebuild(ctx); err != nil {
			return r.counts, err
		}
	}
	for after := r.After; ; {
		objects, err := r.Photos.List(ctx, after)
		if err == nil {
			err = r.page(ctx, objects)
		}
		if err != nil {
			return r.counts, fmt.Errorf("%w\nIt can be run again as it was, or go on with: vinfast reindex --after %q", err, after)
		}
		if len(objects) == 0 {
			return r.counts, nil
		}
		after = objects[len(objects)-1].Key
		r.progress(time.Since(began), after)
	}
}

func (r *Run) page(ctx context.Context, objects []photostore.Object) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, o := range objects {
		group.Go(func() error { return r.object(ctx, o) })
	}
	return group.Wait()
}

// object adds the row of one picture. An error is one that the next object
// would meet as well.
func (r *Run) object(ctx context.Context, o photostore.Object) error {
	p, err := r.Photos.Describe(ctx, o.Key)
	switch {
	case errors.Is(err, car.ErrNotFound):
		return nil // deleted since it was listed
	case errors.Is(err, photostore.ErrForeign):
		r.fault(o.Key, err)
		return nil
	case err != nil:
		return err
	}
	if err := fits(p, o); err != nil {
		r.fault(o.Key, err)
		return nil
	}
	there, err := r.Rows.Has(ctx, p.ID)
	if err != nil {
		return err
	}
	if !there && !r.DryRun {
		// Somebody else may add it meanwhile: the unique key decides.
		if _, err := r.Rows.Insert(ctx, p); errors.Is(err, predictions.ErrUnfit) {
			r.fault(o.Key, err)
			return nil
		} else if errors.Is(err, car.ErrDeleted) {
			return nil // its object goes with the next sweep
		} else if err != nil {
			return err
		}
	}
	r.count(func(c *Counts) {
		if there {
			c.There++
		} else {
			c.Added++
		}
	})
	return nil
}

// fits holds the metadata against the object that brought it: a copy under
// another name, or bytes that were replaced, make no row.
func fits(p car.Prediction, o photostore.Object) error {
	name := path.Base(o.Key)
	switch {
	case p.ID == "" || strings.TrimSuffix(name, path.Ext(name)) != p.ID:
		return fmt.Errorf("it says that it is upload %q", p.ID)
	case p.Size != o.Size:
		return fmt.Errorf("it has %d bytes and says %d", o.Size, p.Size)
	case p.Label == "" || len(p.SHA256) != 64:
		return errors.New("it lacks its label or digest")
	}
	return nil
}

func (r *Run) count(change func(*Counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Objects++
	change(&r.counts)
}

func (r *Run) fault(key string, err error) {
	r.count(func(c *Counts) {
		c.Faults++
		if c.Faults <= shownFaults {
			fmt.Fprintf(r.Out, "no row for %q: %v\n", key, err) // a reader who has gone away changes nothing
		}
	})
}

func (r *Run) progress(spent time.Duration, last string) {
	done := "added"
	if r.DryRun {
		done = "to add"
	}
	c := r.counts
	fmt.Fprintf(r.Out, "%d objects: %d rows %s, %d there, %d objects with faults; %.0f/s; done up to %s\n",
		c.Objects, c.Added, done, c.There, c.Faults, float64(c.Objects)/spent.Seconds(), last)
}
