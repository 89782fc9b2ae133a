package photo

import (
	"image"
	"image/color"
	"image/draw"
)

// Side is the longest side, in pixels, of a rendition. The model sees 224 x 224,
// so 1024 loses nothing and stays far below the payload limit of an endpoint.
const Side = 1024

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// fit is the size of a picture whose longest side is at most side.
func fit(size image.Point, side int) image.Point {
	longest := max(size.X, size.Y)
	if longest <= side {
		return size
	}
	scaled := func(n int) int { return max(1, (n*side+longest/2)/longest) }
	return image.Pt(scaled(size.X), scaled(size.Y))
}

// scaleMemory is what scaling, turning and encoding take at most for a picture
// that many pixels wide, in bytes.
func scaleMemory(width int) int64 {
	const pixels, encoded = 4 * Side * Side, 4 << 20
	return 2*pixels + encoded + 32*int64(width)
}

// scaled brings img, which lies on a canvas of that size, to size: an
// *image.Gray, an *image.YCbCr of ratio 4:2:0 or an *image.RGBA, on white. Each
// pixel is the mean of the area it stands for.
func scaled(img image.Image, canvas, size image.Point) image.Image {
	r := image.Rectangle{Max: size}
	switch m := img.(type) {
	case *image.Gray:
		if canvas == size && m.Rect == r {
			return m
		}
		dst := image.NewGray(r)
		average(dst.Pix, size, 1, canvas, plane(m.Pix, m.Stride, canvas.X))
		return dst
	case *image.YCbCr:
		return scaledYCbCr(m, canvas, size)
	}
	dst := image.NewRGBA(r)
	average(dst.Pix, size, 4, canvas, onWhite(img, canvas))
	return dst
}

func scaledYCbCr(m *image.YCbCr, canvas, size image.Point) *image.YCbCr {
	if canvas == size && m.SubsampleRatio == image.YCbCrSubsampleRatio420 {
		return m
	}
	dst := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
	if canvas == size {
		dst.Y, dst.YStride = m.Y, m.YStride
	} else {
		average(dst.Y, size, 1, canvas, plane(m.Y, m.YStride, canvas.X))
	}
	half, chroma := halved(size), chromaSize(m)
	average(dst.Cb, half, 1, chroma, plane(m.Cb, m.CStride, chroma.X))
	average(dst.Cr, half, 1, chroma, plane(m.Cr, m.CStride, chroma.X))
	return dst
}

func halved(p image.Point) image.Point { return image.Pt(ceilDiv(p.X, 2), ceilDiv(p.Y, 2)) }

func chromaSize(m *image.YCbCr) image.Point {
	last := m.Rect.Max.Sub(image.Pt(1, 1))
	at := m.COffset(last.X, last.Y)
	return image.Pt(at%m.CStride+1, at/m.CStride+1)
}

// plane hands out the rows of a plane.
func plane(pix []byte, stride, width int) func(y int) []byte {
	return func(y int) []byte { return pix[y*stride:][:width] }
}

// onWhite hands out the rows of any picture as RGBA, laid on white.
func onWhite(img image.Image, canvas image.Point) func(y int) []byte {
	strip := image.NewRGBA(image.Rect(0, 0, canvas.X, 1))
	switch m := img.(type) {
	case *image.CMYK: // as Adobe writes it: inverted
		return func(y int) []byte {
			src := m.Pix[y*m.Stride:][:4*canvas.X]
			for i := 0; i < len(src); i += 4 {
				k := int(src[i+3])
				for c := range 3 {
					strip.Pix[i+c] = byte(int(src[i+c]) * k / 255)
				}
			}
			return strip.Pix
		}
	case *image.NYCbCrA:
		return func(y int) []byte {
			strip.Rect = image.Rect(0, y, canvas.X, y+1)
			draw.Draw(strip, strip.Rect, &m.YCbCr, strip.Rect.Min, draw.Src)
			for x, a := range m.A[y*m.AStride:][:canvas.X] {
				for c := range 3 {
					v := &strip.Pix[4*x+c]
					*v = byte((int(*v)*int(a) + 255*(255-int(a)) + 127) / 255)
				}
			}
			return strip.Pix
		}
	}
	white := image.NewUniform(color.White)
	return func(y int) []byte {
		strip.Rect = image.Rect(0, y, canvas.X, y+1)
		draw.Draw(strip, strip.Rect, white, image.Point{}, draw.Src)
		where := strip.Rect.Intersect(img.Bounds()) // a GIF's frame may lie anywhere
		draw.Draw(strip, where, img, where.Min, draw.Over)
		return strip.Pix
	}
}

// average writes to dst, of size to and without gaps between its rows, the means
// of the rows it is given, n bytes a pixel. Each row is asked for once. A source
// row counts to.Y and a result needs from.Y of them, so that all are whole
// numbers; columns likewise.
func average(dst []byte, to image.Point, n int, from image.Point, row func(y int) []byte) {
	sums := make([]uint32, n*from.X)
	need := from.Y
	for y := range from.Y {
		src := row(y)
		for left := to.Y; left > 0; {
			take := min(left, need)
			addRow(sums, src, uint32(take))
			left -= take
			if need -= take; need == 0 {
				columns(dst[:n*to.X], sums, n, from, to)
				dst, need = dst[n*to.X:], from.Y
				clear(sums)
			}
		}
	}
}

func addRow(sums []uint32, src []byte, weight uint32) {
	src = src[:len(sums)]
	for i, v := range src {
		sums[i] += weight * uint32(v)
	}
}

// columns makes one row of the result.
func columns(dst []byte, sums []uint32, n int, from, to image.Point) {
	scale := 1 / (float32(from.X) * float32(from.Y))
	for x := range to.X {
		lo, hi := x*from.X, (x+1)*from.X
		first, last := lo/to.X, hi/to.X
		head, tail := (first+1)*to.X-lo, hi-last*to.X
		if first == last { // wider than the source
			head, tail = from.X, 0
		}
		for c := range n {
			sum := uint64(head) * uint64(sums[n*first+c])
			for i := first + 1; i < last; i++ {
				sum += uint64(to.X) * uint64(sums[n*i+c])
			}
			if tail > 0 {
				sum += uint64(tail) * uint64(sums[n*last+c])
			}
			dst[n*x+c] = byte(float32(sum)*scale + 0.5)
		}
	}
}

// turned applies an EXIF orientation.
func turned(img image.Image, t turn) image.Image {
	if t == upright {
		return img
	}
	size := img.Bounds().Size()
	r := image.Rectangle{Max: size}
	if t.swapsSides() {
		r.Max = image.Pt(size.Y, size.X)
	}
	switch m := img.(type) {
	case *image.Gray:
		dst := image.NewGray(r)
		turnPlane(dst.Pix, m.Pix, 1, size, m.Stride, t)
		return dst
	case *image.YCbCr:
		dst := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
		half := halved(size)
		turnPlane(dst.Y, m.Y, 1, size, m.YStride, t)
		turnPlane(dst.Cb, m.Cb, 1, half, m.CStride, t)
		turnPlane(dst.Cr, m.Cr, 1, half, m.CStride, t)
		return dst
	}
	m, dst := img.(*image.RGBA), image.NewRGBA(r)
	turnPlane(dst.Pix, m.Pix, 4, size, m.Stride, t)
	return dst
}

// turnPlane turns a plane of that size and n bytes a pixel.
func turnPlane(dst, src []byte, n int, size image.Point, stride int, t turn) {
	at, right, down := 0, n, stride // where the result's first pixel is, and its neighbours
	if t.mirrorsX() {
		at, right = at+n*(size.X-1), -right
	}
	if t.mirrorsY() {
		at, down = at+stride*(size.Y-1), -down
	}
	if t.swapsSides() {
		right, down, size = down, right, image.Pt(size.Y, size.X)
	}
	for range size.Y {
		for x, p := 0, at; x < size.X; x, p = x+1, p+right {
			copy(dst[:n], src[p:])
			dst = dst[n:]
		}
		at += down
	}
}
