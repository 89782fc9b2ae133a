package car

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// resumeFaults in a row end a Resume. Single uploads that fail for reasons of
// their own, and come first for being the oldest, must not hold up the rest.
const resumeFaults = 20

// Resume finishes every upload that waits in the spool: those acknowledged as
// pending, and those whose process was killed before it could answer. It
// returns how many it finished; the rest stay for the next call.
func (c *Classifier) Resume(ctx context.Context) (int, error) {
	ids, err := c.Spool.Waiting()
	if err != nil {
		return 0, fmt.Errorf("read the spool: %w", err)
	}
	done, inRow := 0, 0
	var faults []error
	for _, id := range ids {
		err := c.resumeOne(ctx, id)
		switch {
		case err == nil:
			done, inRow = done+1, 0
		case errors.Is(err, ErrInFlight), errors.Is(err, ErrNotFound):
			// Another instance has it, or finished it.
		default:
			faults = append(faults, fmt.Errorf("finish upload %s: %w", id, err))
			inRow++
		}
		if inRow == resumeFaults || errors.Is(err, ErrResting) || ctx.Err() != nil {
			break // it is not these uploads, and the next call looks again
		}
	}
	return done, errors.Join(faults...)
}

func (c *Classifier) resumeOne(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := c.Spool.Claim(id)
	if err != nil {
		return err
	}
	defer t.Release()
	return c.finish(ctx, t)
}

func (c *Classifier) finish(ctx context.Context, t Ticket) error {
	p, ok := t.Promised()
	if !ok {
		photo, err := c.reread(ctx, t)
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			// Nobody was promised this one, and it will never decode (limits
			// can have become tighter): it would come back for ever.
			c.Log.WarnContext(ctx, "drop spooled upload", "upload_id", t.Upload().ID, "err", err)
			return t.Remove()
		}
		if err != nil {
			return err
		}
		if p, err = c.promise(ctx, t, photo.Model); err != nil {
			return c.giveUp(t, err)
		}
	}
	if err := c.reachable(ctx, p.ID); err != nil {
		return err
	}
	_, err := c.store(ctx, t, p)
	if errors.Is(err, ErrUnfit) {
		return t.SetAside(err)
	}
	if errors.Is(err, ErrDeleted) {
		return nil
	}
	if errors.Is(err, ErrIDReused) {
		c.Log.ErrorContext(ctx, "pending upload had an id of another photo", "upload_id", p.ID)
		return nil
	}
	return err
}

// unpromisedAge is how long an upload that nobody was promised waits for the
// endpoint: its sender got no answer and has long sent it again, or not.
const unpromisedAge = time.Hour

// giveUp ends an unpromised upload that the endpoint has refused for too long.
func (c *Classifier) giveUp(t Ticket, refused error) error {
	gone := errors.Is(refused, ErrInFlight) || errors.Is(refused, context.Canceled)
	if gone || c.Now().Sub(t.Upload().UploadedAt) < unpromisedAge {
		return refused
	}
	return t.SetAside(fmt.Errorf("no answer to this picture for %s: %w", unpromisedAge, refused))
}

// reachable asks the database for a row, so that no photo is sent to S3, again
// and again, that cannot get its row afterwards.
func (c *Classifier) reachable(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	if _, err := c.Predictions.ByID(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

func (c *Classifier) reread(ctx context.Context, t Ticket) (Photo, error) {
	f, err := t.Open()
	if err != nil {
		return Photo{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return Photo{}, fmt.Errorf("read spooled photo: %w", err)
	}
	leave, err := c.Room(ctx, DecodeCost(data, c.Limits))
	if err != nil {
		return Photo{}, err
	}
	defer leave()
	return Decode(data, c.Limits)
}
