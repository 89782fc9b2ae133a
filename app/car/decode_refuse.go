package car

import (
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
)

const sendInstead = "Send a photo as JPEG, PNG, WebP or GIF."

func refuseEmpty() error {
	return &Refusal{Reason: ErrNotImage, Sentence: "The file is empty. " + sendInstead}
}

func refuseNotImage() error {
	return &Refusal{Reason: ErrNotImage, Sentence: "This file is not a picture. " + sendInstead}
}

func refuseType(name, advice string) error {
	return &Refusal{Reason: ErrUnsupportedType, Sentence: fmt.Sprintf("This is a %s, which is not taken. %s", name, advice)}
}

func refuseSize(size, limit int64) error {
	const mib = 1 << 20
	return &Refusal{Reason: ErrTooLarge, Sentence: fmt.Sprintf(
		"The picture has %.1f MiB; at most %.1f MiB are taken. Make it smaller and send it again.",
		float64(size)/mib, float64(limit)/mib)}
}

func refusePixels(width, height int, limit int64) error {
	return &Refusal{Reason: ErrTooManyPixels, Sentence: fmt.Sprintf(
		"The picture is %d x %d pixels; at most %.1f million pixels are taken. Scale it down and send it again.",
		width, height, float64(limit)/1e6)}
}

func refuseScans() error {
	return &Refusal{Reason: ErrUnsupportedType, Sentence: fmt.Sprintf(
		"This JPEG is stored in more than %d passes, which is not taken. Save it again as an ordinary JPEG.", maxScans)}
}

func refuseAnimation() error {
	return &Refusal{Reason: ErrUnsupportedType, Sentence: "This WebP is animated, which is not taken. Send a still picture, for example a screenshot of it."}
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
		return &Refusal{Reason: ErrUnsupportedType, Cause: cause, Sentence: fmt.Sprintf(
			"This kind of %s cannot be read here. Save it again as an ordinary JPEG or PNG.", c.name)}
	}
	return &Refusal{Reason: ErrBroken, Cause: cause, Sentence: fmt.Sprintf(
		"The %s file is damaged or incomplete. Send it again, or save it anew first.", c.name)}
}
