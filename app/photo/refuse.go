package photo

import (
	"errors"
	"fmt"
)

// Faults a caller can tell apart with errors.Is; each is the Reason of a Refusal.
var (
	// ErrNotImage: the bytes are no picture, or there are none.
	ErrNotImage = errors.New("not an image")
	// ErrUnsupportedType: a picture, but of a kind that is not taken.
	ErrUnsupportedType = errors.New("unsupported image type")
	// ErrTooLarge: more bytes than Limits.Bytes.
	ErrTooLarge = errors.New("image too large")
	// ErrTooManyPixels: the header announces more pixels than Limits.Pixels.
	ErrTooManyPixels = errors.New("too many pixels")
	// ErrBroken: the format is known, but the content does not decode.
	ErrBroken = errors.New("broken image")
)

// Refusal is why a picture is not taken. It has no sentence: Key says which one
// it is, Args what is put into it. An argument is a number, a string that is the
// same in every language ("JPEG"), or a Kind.
type Refusal struct {
	Reason error  // one of the faults above
	Key    string // empty, not-image, type-*, size, pixels, scans, animated, odd, incomplete, damaged
	Args   []any
	Cause  error // what a codec said, for the log only; nil if we refused
}

func (r *Refusal) Error() string {
	s := fmt.Sprintf("%v (%s)", r.Reason, r.Key)
	if len(r.Args) > 0 {
		s += fmt.Sprintf(" %v", r.Args)
	}
	if r.Cause != nil {
		s += ": " + r.Cause.Error()
	}
	return s
}

// Unwrap lets errors.Is find the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// errOdd: built as its format says, but in a way that nothing here reads.
// errIncomplete: pixels are missing.
var (
	errOdd        = errors.New("variant that is not read")
	errIncomplete = errors.New("pixels are missing")
)

func refuseSize(size, limit int64) error {
	const mib = 1 << 20
	return &Refusal{Reason: ErrTooLarge, Key: "size", Args: []any{float64(size) / mib, float64(limit) / mib}}
}

func refusePixels(width, height int, limit int64) error {
	return &Refusal{Reason: ErrTooManyPixels, Key: "pixels", Args: []any{width, height, float64(limit) / 1e6}}
}

// refuseContent turns what a codec says into a Refusal.
func refuseContent(format string, cause error) error {
	if refusal, ok := errors.AsType[*Refusal](cause); ok {
		return refusal
	}
	r := &Refusal{Reason: ErrBroken, Key: "damaged", Args: []any{format}, Cause: cause}
	switch {
	case errors.Is(cause, errOdd):
		r.Reason, r.Key = ErrUnsupportedType, "odd"
	case errors.Is(cause, errIncomplete):
		r.Key = "incomplete"
	}
	return r
}
