// Package photo turns the bytes of a stranger's picture into what is shown and
// classified: the rendition, one small upright JPEG without notes. It takes
// JPEG, PNG, WebP (not animated) and GIF (its first frame), each in a file of
// its own, and imports nothing of ours.
//
// No decoder gets a file as it came. Each format's file is taken apart here, and
// what its decoder gets is put together anew from the parts that pixels need: so
// notes, unknown parts and rubbish between them decide nothing.
package photo

import (
	"fmt"
	"image"
)

// Version names the pipeline. It changes whenever the rendition of some picture
// does, so that stored renditions are told from those of another release.
const Version = "1"

// Limits bound what Inspect accepts.
type Limits struct {
	Bytes  int64 // size of the file
	Pixels int64 // width times height as the header announces them
}

// Header is what Inspect knows of a picture before its pixels are decoded.
type Header struct {
	ContentType   string // image/jpeg, image/png, image/webp or image/gif
	Width, Height int    // pixels, as a person sees them: orientation applied
	// Memory is the most that Decode and Picture.JPEG take beyond the file, in
	// bytes. (The first JPEG of a rare kind takes 24 MiB once, to compile jpegli.)
	Memory int64
	// Dropped says why colours are shown without something that the file says
	// about them ("profile: not RGB or gray"), for the log; empty for none.
	Dropped string

	format  string
	size    image.Point // as stored, before orientation
	turn    turn
	profile []byte // ICC; nil for none
	gray    bool   // the profile is for gray pictures only
	gamma   []byte // what each of 256 values is to become; nil for no change
	// decode returns the stored picture, or a smaller one in its place.
	decode  func() (image.Image, error)
	partial bool // what it returns may cover a part of the picture only (GIF)
}

// Inspect reads the header of a picture: it sets nothing aside for pixels. An
// error is a *Refusal.
func Inspect(data []byte, limits Limits) (Header, error) {
	if len(data) == 0 {
		return Header{}, &Refusal{Reason: ErrNotImage, Key: "empty"}
	}
	if int64(len(data)) > limits.Bytes {
		return Header{}, refuseSize(int64(len(data)), limits.Bytes)
	}
	f, err := sniff(data)
	if err != nil {
		return Header{}, err
	}
	h := Header{ContentType: f.contentType, format: f.name, turn: upright}
	_, err = guarded(func() (struct{}, error) { return struct{}{}, f.inspect(&h, data, limits) })
	if err != nil {
		return Header{}, refuseContent(f.name, err)
	}
	h.Width, h.Height = h.size.X, h.size.Y
	if h.turn.swapsSides() {
		h.Width, h.Height = h.Height, h.Width
	}
	return h, nil
}

// announce notes the size a header tells, or refuses it.
func (h *Header) announce(width, height int, limits Limits) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("%d x %d pixels", width, height)
	}
	if int64(width)*int64(height) > limits.Pixels {
		return refusePixels(width, height, limits.Pixels)
	}
	if longest := 1 << 24; max(width, height) > longest { // sums of so many would not fit
		return fmt.Errorf("%w: more than %d pixels on a side", errOdd, longest)
	}
	h.size = image.Pt(width, height)
	return nil
}

// Decode reads the pixels. An error is a *Refusal.
func (h Header) Decode() (*Picture, error) {
	p, err := guarded(func() (*Picture, error) {
		img, err := h.decode()
		if err != nil {
			return nil, err
		}
		return newPicture(img, h), nil
	})
	if err != nil {
		return nil, refuseContent(h.format, err)
	}
	return p, nil
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
