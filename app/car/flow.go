package car

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Endpoint is the model.
type Endpoint interface {
	// Invoke classifies one JPEG. Errors wrap ErrEndpointUnavailable,
	// ErrEndpointTimeout or ErrPictureRefused; when the caller gave up,
	// context.Canceled.
	Invoke(ctx context.Context, jpeg []byte) (Reply, error)
}

// Photos keeps original bytes.
type Photos interface {
	// Put stores body under p.Key with the prediction as metadata. An object
	// that is there already stays as it is, and that is no error.
	Put(ctx context.Context, p Prediction, body io.ReadSeeker) error
	// Delete removes the object under key; a missing one is no error.
	Delete(ctx context.Context, key string) error
}

// Predictions keeps the rows.
type Predictions interface {
	// Insert adds p and returns the row that then stands under p.ID: p itself,
	// or the one that was there before (which stays as it is). ErrDeleted if
	// there was one that its sender has deleted.
	Insert(ctx context.Context, p Prediction) (Prediction, error)
	// ByID returns the row, or ErrNotFound, which may be ErrDeleted.
	ByID(ctx context.Context, id string) (Prediction, error)
}

// Spool is the durable outbox on the shared file system.
type Spool interface {
	// Add makes the upload durable (file and folder synced) before it returns.
	// The ticket is held by the caller until Release or Remove. ErrInFlight if
	// the id is in the spool already.
	Add(u Upload, original []byte) (Ticket, error)
	// Waiting lists the ids of uploads that nobody holds, oldest first.
	Waiting() ([]string, error)
	// Claim takes hold of one of them. ErrInFlight if somebody else was
	// faster, ErrNotFound if it is finished.
	Claim(id string) (Ticket, error)
	// Find returns what was promised to an upload in the spool, and its
	// original bytes, which the caller closes; ErrNotFound without a promise,
	// and ErrInFlight besides if the upload is there.
	Find(id string) (Prediction, io.ReadSeekCloser, error)
}

// Ticket is one spooled upload, held by whoever works on it.
type Ticket interface {
	Upload() Upload
	// Open reads the original bytes.
	Open() (io.ReadSeekCloser, error)
	// Promise writes the prediction beside the upload, durably: from here on
	// it may be acknowledged.
	Promise(p Prediction) error
	// Promised returns what Promise wrote, if it did.
	Promised() (Prediction, bool)
	// SetAside takes the upload out of the spool into a place where a person
	// finds it, with the reason in the log.
	SetAside(reason error) error
	// Release leaves the upload in the spool for Waiting to find. After Remove
	// it does nothing.
	Release()
	// Remove takes the upload out of the spool, durably, and lets go of it even
	// if that fails.
	Remove() error
}

// Classifier is the flow. All fields are required.
type Classifier struct {
	Endpoint    Endpoint
	Photos      Photos
	Predictions Predictions
	Spool       Spool
	Limits      Limits
	Now         func() time.Time
	Log         *slog.Logger
	// StoreTimeout bounds S3 and MySQL together, after the endpoint has
	// answered; a caller who hangs up does not shorten it.
	StoreTimeout time.Duration
	// Room takes memory for decoding, in bytes, of that which all requests and
	// Resume share, and returns what gives it back.
	Room func(ctx context.Context, bytes int64) (leave func(), err error)
}

// Classify takes photo through the flow under id: spool, endpoint, promise,
// S3, MySQL, spool entry removed.
//
// A nil error means the prediction is stored, or (Stored false) will be. Any
// error means it is not kept. The same id with the same bytes gives the
// prediction made first; with other bytes it is ErrIDReused. Errors wrap
// ErrSpoolUnavailable, those of Endpoint.Invoke, ErrInFlight,
// ErrIDReused, ErrDeleted or, when the caller gave up, context.Canceled.
func (c *Classifier) Classify(ctx context.Context, id string, photo Photo) (Prediction, error) {
	if p, err := c.former(ctx, photo); err != nil || p.ID != "" {
		return p, err
	}
	if p, err := c.before(ctx, id, photo); err != nil || p.ID != "" {
		return p, err
	}
	ticket, err := c.Spool.Add(NewUpload(id, photo, c.Now()), photo.Original)
	if errors.Is(err, ErrInFlight) {
		return c.pending(id, photo, err)
	}
	if err != nil {
		return Prediction{}, fmt.Errorf("%w: %w", ErrSpoolUnavailable, err)
	}
	// Whatever comes, a panic too: the id must not stay in flight until the
	// process ends.
	defer ticket.Release()
	p, err := c.promise(ctx, ticket, photo.Model)
	if err != nil {
		removed := ticket.Remove()
		if errors.Is(removed, ErrInFlight) {
			return c.takenOver(ctx, id, photo, removed)
		}
		return Prediction{}, errors.Join(err, removed)
	}
	kept, err := c.store(ctx, ticket, p)
	switch {
	case errors.Is(err, ErrIDReused), errors.Is(err, ErrDeleted):
		return Prediction{}, err
	case err != nil:
		c.Log.WarnContext(ctx, "upload waits in the spool", "upload_id", id, "err", err)
		return p, nil
	}
	return kept, nil
}

// takenOver answers for an upload that another instance took for abandoned and
// works on: it may be stored by now, or promised, or will be.
func (c *Classifier) takenOver(ctx context.Context, id string, photo Photo, inFlight error) (Prediction, error) {
	p, err := c.pending(id, photo, inFlight)
	if !errors.Is(err, ErrInFlight) {
		return p, err
	}
	if p, known := c.before(ctx, id, photo); known != nil || p.ID != "" {
		return p, known
	}
	return Prediction{}, err
}

// pending answers for an id that is in the spool: with the prediction promised
// before, or with inFlight while there is none.
func (c *Classifier) pending(id string, photo Photo, inFlight error) (Prediction, error) {
	p, err := c.promised(id, photo)
	if errors.Is(err, ErrNotFound) {
		return Prediction{}, inFlight
	}
	return p, err
}

// promised is what was promised to photo under id in the spool; else the error
// of Find, or ErrIDReused.
func (c *Classifier) promised(id string, photo Photo) (Prediction, error) {
	p, body, err := c.Spool.Find(id)
	if errors.Is(err, ErrNotFound) {
		return Prediction{}, err
	}
	if err != nil {
		return Prediction{}, fmt.Errorf("%w: %w", ErrSpoolUnavailable, err)
	}
	if err := body.Close(); err != nil {
		return Prediction{}, fmt.Errorf("%w: close spooled photo %s: %w", ErrSpoolUnavailable, id, err)
	}
	if p.SHA256 != photo.SHA256 {
		return Prediction{}, fmt.Errorf("%w: %s", ErrIDReused, id)
	}
	return p, nil
}

// lookUpTimeout bounds the look-up of an earlier upload.
const lookUpTimeout = 2 * time.Second

// before finds the prediction an earlier request made under id. A zero
// prediction means there is none, as far as can be told: with MySQL down the
// unique upload_id still keeps the upload single.
func (c *Classifier) before(ctx context.Context, id string, photo Photo) (Prediction, error) {
	// A database that does not answer must not use up the caller's patience:
	// the upload can be taken without it.
	lookUp, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	p, err := c.Predictions.ByID(lookUp, id)
	switch {
	case errors.Is(err, ErrDeleted):
		return Prediction{}, err
	case errors.Is(err, ErrNotFound):
		return Prediction{}, nil
	case err != nil:
		c.Log.WarnContext(ctx, "look up upload", "upload_id", id, "err", err)
		return Prediction{}, nil
	case p.SHA256 != photo.SHA256:
		return Prediction{}, fmt.Errorf("%w: %s", ErrIDReused, id)
	}
	p.Stored = true
	return p, nil
}

// former finds what an instance of the release before has taken under its id for
// this upload. Of other bytes, or deleted, it is another upload. The spool comes
// first: what leaves it meanwhile is in the table.
func (c *Classifier) former(ctx context.Context, photo Photo) (Prediction, error) {
	if photo.FormerID == "" {
		return Prediction{}, nil
	}
	p, err := c.promised(photo.FormerID, photo)
	if errors.Is(err, ErrNotFound) && !errors.Is(err, ErrInFlight) {
		p, err = c.before(ctx, photo.FormerID, photo)
	}
	if errors.Is(err, ErrIDReused) || errors.Is(err, ErrDeleted) {
		return Prediction{}, nil
	}
	return p, err
}

// promise asks the endpoint and writes its answer into the spool.
func (c *Classifier) promise(ctx context.Context, t Ticket, jpeg []byte) (Prediction, error) {
	reply, err := c.Endpoint.Invoke(ctx, jpeg)
	if err != nil {
		return Prediction{}, err
	}
	best := reply.Scores[0]
	p := Prediction{Upload: t.Upload(), Label: best.Label, Score: best.Value, Scores: reply.Scores, Notice: reply.Notice}
	if err := t.Promise(p); err != nil {
		return Prediction{}, fmt.Errorf("%w: %w", ErrSpoolUnavailable, err)
	}
	return p, nil
}

// store puts the object and the row, takes the upload out of the spool and
// returns the row that stands: p, or what an earlier run stored under its id.
// ErrIDReused if that one is of other bytes, ErrDeleted if its sender has
// deleted it; then p's object and spool entry are gone.
func (c *Classifier) store(ctx context.Context, t Ticket, p Prediction) (Prediction, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.StoreTimeout)
	defer cancel()
	if err := c.putPhoto(ctx, t, p); err != nil {
		return Prediction{}, err
	}
	kept, err := c.Predictions.Insert(ctx, p)
	if errors.Is(err, ErrDeleted) {
		return Prediction{}, c.drop(ctx, t, p, err)
	}
	if err != nil {
		return Prediction{}, err
	}
	if kept.Key != p.Key {
		// A retry that began on another day: the first one's object stays.
		if err := c.Photos.Delete(ctx, p.Key); err != nil {
			return Prediction{}, err
		}
	}
	if err := t.Remove(); err != nil {
		return Prediction{}, err
	}
	if kept.SHA256 != p.SHA256 {
		return Prediction{}, fmt.Errorf("%w: %s", ErrIDReused, p.ID)
	}
	kept.Stored = true
	return kept, nil
}

// drop takes back what was stored of a deleted upload and returns why. Another
// error leaves it in the spool, to be dropped later.
func (c *Classifier) drop(ctx context.Context, t Ticket, p Prediction, why error) error {
	if err := c.Photos.Delete(ctx, p.Key); err != nil {
		return err
	}
	if err := t.Remove(); err != nil {
		return err
	}
	return why
}

// putPhoto closes the spooled file before it returns: NFS keeps a removed file
// that is still open under another name, and its folder with it.
func (c *Classifier) putPhoto(ctx context.Context, t Ticket, p Prediction) error {
	body, err := t.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	return c.Photos.Put(ctx, p, body)
}
