package car

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
)

// modelSide is the longest side, in pixels, of what the endpoint gets. The
// model sees 224 x 224, so 1024 loses nothing and stays far below the payload
// limit of an endpoint.
const modelSide = 1024

// maxPassThrough is the size in bytes up to which a small upright JPEG goes to
// the endpoint as it is. Some phones append video to a photo, and a serverless
// endpoint takes 4 MB at most.
const maxPassThrough = 2 << 20

// Decode turns uploaded bytes into a Photo, or says in a *Refusal why not:
// ErrNotImage, ErrUnsupportedType, ErrTooLarge, ErrTooManyPixels, ErrBroken.
//
// The format is told from the first bytes: JPEG, PNG, WebP (not animated) or
// GIF (its first frame). The header is read before anything is allocated for
// pixels. Photo.Original is data itself, not a copy.
//
// Memory: at its worst 24 bytes per announced pixel (a progressive CMYK JPEG;
// 20 for a 16-bit interlaced PNG of extreme width), 3 for an ordinary JPEG and
// 15 for a progressive one, plus up to 25 MB for what the endpoint gets.
// DecodeCost tells it for one upload.
func Decode(data []byte, limits Limits) (Photo, error) {
	h, err := inspect(data, limits)
	if err != nil {
		return Photo{}, err
	}
	pixels, err := guarded(func() (image.Image, error) { return h.codec.decode(bytes.NewReader(data)) })
	if err != nil {
		return Photo{}, refuseContent(h.codec, err)
	}
	digest := sha256.Sum256(data)
	p := Photo{
		Original:    data,
		ContentType: h.codec.contentType,
		Width:       h.width,
		Height:      h.height,
		SHA256:      hex.EncodeToString(digest[:]),
		Model:       data,
	}
	turn := orientation(h.exif)
	if turn.swapsSides() {
		p.Width, p.Height = p.Height, p.Width
	}
	if passesThrough(data, pixels, h, turn) {
		return p, nil
	}
	p.Model, err = guarded(func() ([]byte, error) { return normalise(pixels, h.width, h.height, turn) })
	if err != nil {
		return Photo{}, refuseContent(h.codec, err)
	}
	return p, nil
}

// passesThrough tells whether the endpoint can have the original bytes. Gray,
// CMYK and RGB JPEGs cannot: the endpoint's decoder may read them differently.
func passesThrough(data []byte, pixels image.Image, h header, turn turn) bool {
	_, ycc := pixels.(*image.YCbCr)
	return h.codec == jpegCodec && ycc && turn == upright &&
		max(h.width, h.height) <= modelSide && len(data) <= maxPassThrough
}

// guarded runs part of a codec. The codecs parse what strangers send, and a
// panic in one of them (there have been such bugs) would end the process with
// every other upload in it; so it becomes an error of this one picture.
func guarded[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("codec panicked: %v", r)
		}
	}()
	return f()
}
