package car

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Deletion is the note that stays of a deleted upload. It keeps whatever comes
// later under the id from becoming a prediction again.
type Deletion struct {
	ID      string
	Key     string // of the object
	Visitor string // who sent it, and deleted it
	At      time.Time
}

// Deletions keeps rows and the notes of deleted ones.
type Deletions interface {
	// ByID returns the row, ErrDeleted or ErrNotFound.
	ByID(ctx context.Context, id string) (Prediction, error)
	// Deletion returns the note of a deleted upload, or ErrNotFound.
	Deletion(ctx context.Context, id string) (Deletion, error)
	// Delete takes the row away, if there is one, and writes the note: both or
	// neither.
	Delete(ctx context.Context, d Deletion) error
	// Unpurged returns up to limit notes whose object may still be there, oldest
	// first.
	Unpurged(ctx context.Context, limit int) ([]Deletion, error)
	// Purged notes that the object is gone.
	Purged(ctx context.Context, id string) error
}

// Promised finds uploads that are acknowledged but not stored yet; see Spool.
type Promised interface {
	Find(id string) (Prediction, io.ReadSeekCloser, error)
}

// Remover deletes uploads on their sender's wish. All fields are required.
type Remover struct {
	Predictions Deletions
	Photos      Photos
	Spool       Promised
	Now         func() time.Time
	Log         *slog.Logger
}

// Remove deletes the upload id of visitor. Errors wrap ErrNotFound or
// ErrNotYours; deleting it again is no error.
//
// The row goes first, together with a note: from then on nothing shows the
// upload, and neither a waiting spool entry nor a reindex brings it back. The
// object follows; if it cannot be reached, Finish deletes it later.
func (r *Remover) Remove(ctx context.Context, id, visitor string) error {
	d, done, err := r.find(ctx, id)
	if err != nil {
		return err
	}
	if d.Visitor == "" || d.Visitor != visitor {
		return fmt.Errorf("%w: upload %s", ErrNotYours, id)
	}
	if !done {
		if err := r.Predictions.Delete(ctx, d); err != nil {
			return err
		}
	}
	if err := r.purge(ctx, d); err != nil {
		r.Log.WarnContext(ctx, "the picture of a deleted upload will be deleted later", "upload_id", id, "err", err)
	}
	return nil
}

// find says what is to be deleted, and whether its row is gone already.
func (r *Remover) find(ctx context.Context, id string) (d Deletion, done bool, err error) {
	p, err := r.Predictions.ByID(ctx, id)
	if errors.Is(err, ErrDeleted) {
		d, err = r.Predictions.Deletion(ctx, id)
		return d, true, err
	}
	if errors.Is(err, ErrNotFound) {
		p, err = r.promised(id)
	}
	if errors.Is(err, ErrNotFound) {
		// It may have gone from the spool to the table since we looked there.
		p, err = r.Predictions.ByID(ctx, id)
	}
	if err != nil {
		return Deletion{}, false, err
	}
	return Deletion{ID: p.ID, Key: p.Key, Visitor: p.Visitor, At: r.Now()}, false, nil
}

func (r *Remover) promised(id string) (Prediction, error) {
	p, body, err := r.Spool.Find(id)
	if err != nil {
		return Prediction{}, err
	}
	return p, body.Close()
}

func (r *Remover) purge(ctx context.Context, d Deletion) error {
	if err := r.Photos.Delete(ctx, d.Key); err != nil {
		return err
	}
	return r.Predictions.Purged(ctx, d.ID)
}

// purgeBatch is how many objects one call of Finish deletes.
const purgeBatch = 100

// Finish deletes the objects of deleted uploads that could not be reached when
// their rows were deleted. It returns how many.
func (r *Remover) Finish(ctx context.Context) (int, error) {
	left, err := r.Predictions.Unpurged(ctx, purgeBatch)
	if err != nil {
		return 0, err
	}
	for i, d := range left {
		if err := r.purge(ctx, d); err != nil {
			return i, fmt.Errorf("delete the picture of upload %s: %w", d.ID, err)
		}
	}
	return len(left), nil
}
