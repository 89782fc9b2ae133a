package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// Qualities of the JPEGs that are made: of renditions and of smaller ones.
const (
	quality      = 90
	smallQuality = 80
)

// Picture is the pixels that renditions and thumbnails are made of: upright, at
// most Side pixels on the longest side.
type Picture struct {
	pixels  image.Image // *image.Gray, *image.YCbCr (4:2:0) or *image.RGBA
	profile []byte
}

func newPicture(img image.Image, h Header) *Picture {
	canvas := img.Bounds().Size()
	if h.partial {
		canvas = h.size
	}
	p := &Picture{profile: h.profile, pixels: turned(scaled(img, canvas, fit(canvas, Side)), h.turn)}
	switch m := p.pixels.(type) {
	case *image.Gray:
		lookUp(m.Pix, h.gamma)
		if p.profile != nil && !h.gray {
			p.pixels = asColour(m)
		}
	case *image.RGBA:
		lookUp(m.Pix, h.gamma)
		if h.gray {
			p.pixels = asGray(m)
		}
	}
	return p
}

// asGray is a gray picture that was decoded to colours, for a profile of gray.
func asGray(m *image.RGBA) *image.Gray {
	dst := image.NewGray(m.Rect)
	for i := range dst.Pix {
		dst.Pix[i] = m.Pix[4*i]
	}
	return dst
}

func lookUp(pix, table []byte) {
	if table == nil {
		return
	}
	for i, v := range pix {
		pix[i] = table[v]
	}
}

// asColour is a gray picture as one of colours, for a profile of colours.
func asColour(m *image.Gray) *image.YCbCr {
	dst := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio420)
	dst.Y, dst.YStride = m.Pix, m.Stride
	for i := range dst.Cb {
		dst.Cb[i], dst.Cr[i] = 128, 128
	}
	return dst
}

// JPEG encodes the picture, its longest side at most side pixels: Side for the
// rendition. There is nothing in it but pixels and their colour profile.
func (p *Picture) JPEG(side int) ([]byte, error) {
	img, q := p.pixels, quality
	if side < Side {
		size := img.Bounds().Size()
		img, q = scaled(img, size, fit(size, side)), smallQuality
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: q}); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return withProfile(out.Bytes(), p.profile), nil
}
