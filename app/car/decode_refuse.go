package car

import (
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
)

const sendInstead = "Send a photo as JPEG, PNG, WebP or GIF."

func refuseEmpty() error {
	return &Refusal{Reason: ErrNotImage, Key: "said.empty", Sentence: "The file is empty. " + sendInstead}
}

func refuseNotImage() error {
	return &Refusal{Reason: ErrNotImage, Key: "said.not-image", Sentence: "This file is not a picture. " + sendInstead}
}

func refuseType(name, advice string) error {
	return refuse(ErrUnsupportedType, "said.type-"+adviceKeys[advice], "This is a %s, which is not taken. "+advice, name)
}

// refuse fills args into sentence.
func refuse(reason error, key, sentence string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Key: key, Args: args, Sentence: fmt.Sprintf(sentence, args...)}
}

func refuseSize(size, limit int64) error {
	const mib = 1 << 20
	return refuse(ErrTooLarge, "said.size",
		"The picture has %.1f MiB; at most %.1f MiB are taken. Make it smaller and send it again.",
		float64(size)/mib, float64(limit)/mib)
}

func refusePixels(width, height int, limit int64) error {
	return refuse(ErrTooManyPixels, "said.pixels",
		"The picture is %d x %d pixels; at most %.1f million pixels are taken. Scale it down and send it again.",
		width, height, float64(limit)/1e6)
}

func refuseScans() error {
	return refuse(ErrUnsupportedType, "said.scans",
		"This JPEG is stored in more than %d passes, which is not taken. Save it again as an ordinary JPEG.", maxScans)
}

func refuseAnimation() error {
	return &Refusal{Reason: ErrUnsupportedType, Key: "said.animated", Sentence: "This WebP is animated, which is not taken. Send a still picture, for example a screenshot of it."}
}

// refuseContent turns what a codec says into a Refusal. A variant the codec
// does not know (arithmetic coding, 12 bits) is no fault of the file.
func refuseContent(c *codec, cause error) error {
	var refusal *Refusal
	var oddJPEG jpeg.UnsupportedError
	var oddPNG png.UnsupportedError
	switch {
	case errors.As(cause, &refusal):
		return refusal
	case errors.As(cause, &oddJPEG), errors.As(cause, &oddPNG):
		refusal = refuse(ErrUnsupportedType, "said.odd", "This kind of %s cannot be read here. Save it again as an ordinary JPEG or PNG.", c.name)
	default:
		refusal = refuse(ErrBroken, "said.damaged", "The %s file is damaged or incomplete. Send it again, or save it anew first.", c.name)
	}
	refusal.Cause = cause
	return refusal
}
