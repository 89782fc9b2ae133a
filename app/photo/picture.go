package photo

import "image"

// Side is the longest side of a rendition, in pixels. The model sees 224 x 224,
// so 1024 loses nothing and stays far below the payload limit of an endpoint.
const Side = 1024

// Qualities of the JPEGs that are made: of renditions and of smaller ones.
const quality, smallQuality = 90, 80

// Picture is the pixels that renditions and thumbnails are made of: upright, at
// most Side pixels on the longest side.
type Picture struct {
	planes  []plane // luma; of a coloured one also blue and red, half as wide and high
	profile []byte  // ICC; nil for none
}

// plane is one component of a picture.
type plane struct {
	pix    []byte
	stride int
	size   image.Point
}

func newPlane(size image.Point) plane {
	return plane{make([]byte, size.X*size.Y), size.X, size}
}

func (p plane) row(y int) []byte { return p.pix[y*p.stride:][:p.size.X] }

func halved(p image.Point) image.Point { return image.Pt((p.X+1)/2, (p.Y+1)/2) }

func newPicture(img image.Image, h Header) *Picture {
	canvas := img.Bounds().Size()
	if h.partial {
		canvas = h.size
	}
	planes := scaled(planesOf(img), fit(canvas, Side))
	if planes == nil {
		planes = coloured(img, canvas, fit(canvas, Side), h.gamma)
	} else if h.gamma != nil {
		lookUp(planes[0].pix, h.gamma) // only a PNG has it: this one is gray
	}
	switch {
	case h.profile == nil:
	case h.gray:
		planes = planes[:1]
	case len(planes) == 1: // a profile of colours needs some
		half := newPlane(halved(planes[0].size))
		for i := range half.pix {
			half.pix[i] = 128
		}
		planes = []plane{planes[0], half, half}
	}
	for i := range planes {
		planes[i] = planes[i].turned(h.turn)
	}
	return &Picture{planes: planes, profile: h.profile}
}

// planesOf are the planes of a gray picture or of one that is stored as
// brightness and colour; nil for others.
func planesOf(img image.Image) []plane {
	switch m := img.(type) {
	case *image.Gray:
		return []plane{{m.Pix, m.Stride, m.Rect.Size()}}
	case *image.YCbCr:
		last := m.Rect.Max.Sub(image.Pt(1, 1))
		at := m.COffset(last.X, last.Y)
		chroma := image.Pt(at%m.CStride+1, at/m.CStride+1)
		return []plane{{m.Y, m.YStride, m.Rect.Size()}, {m.Cb, m.CStride, chroma}, {m.Cr, m.CStride, chroma}}
	}
	return nil
}

// JPEG encodes the picture, its longest side at most side pixels: Side for the
// rendition. There is nothing in it but pixels and their colour profile.
func (p *Picture) JPEG(side int) ([]byte, error) {
	if size := p.planes[0].size; side < max(size.X, size.Y) {
		return encode(scaled(p.planes, fit(size, side)), smallQuality, p.profile)
	}
	return encode(p.planes, quality, p.profile)
}
