// Package car is the domain: photos of cars, what a model says they are, and
// the one flow that takes a photo to a kept prediction. It knows no HTTP, SQL
// or AWS; those live in packages of their own that implement its interfaces.
package car

import (
	"errors"
	"fmt"
	"time"
)

// Faults a caller can tell apart with errors.Is. Each is the reason of a
// Refusal or wraps the error of the part that failed.
var (
	// ErrNotImage: the bytes are no picture, or there are none.
	ErrNotImage = errors.New("not an image")
	// ErrUnsupportedType: a picture, but in a format that is not taken.
	ErrUnsupportedType = errors.New("unsupported image type")
	// ErrTooLarge: more bytes than Limits.Bytes.
	ErrTooLarge = errors.New("image too large")
	// ErrTooManyPixels: the header announces more pixels than Limits.Pixels.
	ErrTooManyPixels = errors.New("too many pixels")
	// ErrBroken: the format is known, but the content does not decode.
	ErrBroken = errors.New("broken image")
	// ErrEndpointUnavailable: the model is off, cold or talks rubbish.
	ErrEndpointUnavailable = errors.New("endpoint unavailable")
	// ErrEndpointTimeout: the model took too long.
	ErrEndpointTimeout = errors.New("endpoint timed out")
	// ErrSpoolUnavailable: the upload could not be made durable.
	ErrSpoolUnavailable = errors.New("spool unavailable")
	// ErrSpoolFull: too many uploads wait for S3 or MySQL already.
	ErrSpoolFull = errors.New("spool full")
	// ErrUnfit: a value that no store will ever take as it is.
	ErrUnfit = errors.New("value does not fit the table")
	// ErrResting: a dependency failed again and again and is not asked for a
	// while.
	ErrResting = errors.New("dependency is given a rest")
	// ErrBusy: too many read at once.
	ErrBusy = errors.New("too many read at once")
	// ErrTooSlow: what was asked takes longer than anybody may keep the database at
	// it.
	ErrTooSlow = errors.New("query takes too long")
	// ErrEndpointBusy: the model gets more than it can do. It is an
	// ErrEndpointUnavailable too.
	ErrEndpointBusy = fmt.Errorf("endpoint throttles: %w", ErrEndpointUnavailable)
	// ErrPictureRefused: the model works, but cannot read this picture.
	ErrPictureRefused = errors.New("the model refuses the picture")
	// ErrInFlight: an upload with this id is being worked on.
	ErrInFlight = errors.New("upload in flight")
	// ErrIDReused: this id belongs to a photo with other bytes.
	ErrIDReused = errors.New("id used for another photo")
	// ErrNotFound: there is no such prediction or picture.
	ErrNotFound = errors.New("not found")
	// ErrDeleted: there was one, and whoever sent it has deleted it. It is an
	// ErrNotFound too.
	ErrDeleted = fmt.Errorf("deleted by its sender: %w", ErrNotFound)
	// ErrNotYours: only the visitor who sent the picture may do this.
	ErrNotYours = errors.New("sent by somebody else")
)

// Refusal is an error that carries a sentence for the person who sent the
// photo: what was wrong and what to do. Reason is one of the faults above.
type Refusal struct {
	Reason   error
	Sentence string
	Key      string // which sentence it is, for who has it in another language
	Args     []any  // what was put into it
	Cause    error  // what a codec said, for the log only; nil if we refused
}

func (r *Refusal) Error() string {
	if r.Cause != nil {
		return fmt.Sprintf("%v: %s (%v)", r.Reason, r.Sentence, r.Cause)
	}
	return fmt.Sprintf("%v: %s", r.Reason, r.Sentence)
}

// Unwrap lets errors.Is find the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// Limits bound what Decode accepts.
type Limits struct {
	Bytes  int64 // size of the upload, in bytes
	Pixels int64 // width times height as the header announces them
}

// Photo is one upload that has passed Decode.
type Photo struct {
	Original    []byte // the bytes as they were sent; S3 keeps these
	ContentType string // of Original: image/jpeg, image/png, image/webp or image/gif
	Width       int    // pixels, as a person sees it: EXIF orientation applied
	Height      int    // pixels, likewise
	SHA256      string // of Original, 64 lower-case hex digits
	Model       []byte // what the endpoint gets: JPEG, upright, longest side at most 1024 px
	Visitor     string // who sent it, 32 hex digits; empty for nobody known; Decode leaves it empty
	// FormerID is the id that the release before would give this upload; empty for
	// none. Decode leaves it empty.
	FormerID string
}

// Score is a model's confidence in one label.
type Score struct {
	Label string  `json:"label"`
	Value float64 `json:"score"` // 0 to 1
}

// Reply is what the endpoint answered.
type Reply struct {
	Scores []Score // best first, at least one
	Notice string  // what the model says about itself ("demo model, ..."); empty for none
}

// Upload identifies a photo on its way through the flow. It is written to the
// spool with the bytes, so everything a later run needs is in it.
type Upload struct {
	ID          string    `json:"id"` // upload_id: unique for ever, chosen by the caller
	Key         string    `json:"key"`
	ContentType string    `json:"contentType"`
	Width       int       `json:"width"`
	Height      int       `json:"height"`
	Size        int64     `json:"size"` // of the original, in bytes
	SHA256      string    `json:"sha256"`
	UploadedAt  time.Time `json:"uploadedAt"` // UTC, whole milliseconds
	// Visitor tells own uploads from others'. It is a digest that opens nothing.
	// Empty: nobody known, as for all uploads from before there were visitors.
	Visitor string `json:"visitor,omitempty"`
}

// Prediction is a classified upload: the row in MySQL and the metadata in S3.
type Prediction struct {
	Upload
	Label  string  `json:"label"`
	Score  float64 `json:"score"` // 0 to 1
	Scores []Score `json:"scores"`
	Notice string  `json:"notice,omitempty"`
	// Feedback is what the sender says is right: a label, or "other"; empty for
	// nothing said.
	Feedback string `json:"-"`
	// Stored tells whether S3 and MySQL have it. False means: it waits in the
	// spool and will be stored.
	Stored bool `json:"-"`
}

// SpoolState is how full the spool is, of all instances together.
type SpoolState struct {
	Uploads, MaxUploads int
	Bytes, MaxBytes     int64
	Oldest              time.Duration // since the longest waiting one was written
	Claimed             int           // of Uploads, being worked on
	Damaged             int           // set aside; they need a person
}

// Full tells whether the next upload may be refused.
func (s SpoolState) Full() bool { return s.Uploads >= s.MaxUploads || s.Bytes >= s.MaxBytes }

// extensions by content type; the key's ending tells an analyst what it is.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif",
}

// NewUpload describes photo p under id, received at now. The object key is
// images/YYYY/MM/DD/<id>.<ending> by the UTC date.
func NewUpload(id string, p Photo, now time.Time) Upload {
	now = now.UTC().Truncate(time.Millisecond)
	return Upload{
		ID:          id,
		Key:         "images/" + now.Format("2006/01/02/") + id + extensions[p.ContentType],
		ContentType: p.ContentType,
		Width:       p.Width,
		Height:      p.Height,
		Size:        int64(len(p.Original)),
		SHA256:      p.SHA256,
		UploadedAt:  now,
		Visitor:     p.Visitor,
	}
}
