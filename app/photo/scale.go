package photo

import (
	"image"
	"image/color"
	"image/draw"
)

// fit is the size of a picture whose longest side is at most side.
func fit(size image.Point, side int) image.Point {
	longest := max(size.X, size.Y)
	if longest <= side {
		return size
	}
	fit := func(n int) int { return max(1, (n*side+longest/2)/longest) }
	return image.Pt(fit(size.X), fit(size.Y))
}

// scaleMemory is what scaling, turning and encoding take at most, in bytes.
func scaleMemory(size image.Point) int64 {
	const rgba, planes, encoded = 4, 4, 8 // a pixel of the result
	small := fit(size, Side)
	return (rgba+planes+encoded)*int64(small.X)*int64(small.Y) + 32*int64(size.X) + 64<<10
}

// scaled brings planes to size: each pixel is the mean of the area it stands for.
func scaled(planes []plane, size image.Point) (small []plane) {
	for i, p := range planes {
		if i == 1 {
			size = halved(size)
		}
		if p.size != size {
			dst := newPlane(size)
			average(dst.pix, size, 1, p.size, p.row)
			p = dst
		}
		small = append(small, p)
	}
	return small
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
			for i, v := range src[:len(sums)] {
				sums[i] += uint32(take) * uint32(v)
			}
			left -= take
			if need -= take; need == 0 {
				columns(dst[:n*to.X], sums, n, from, to)
				dst, need = dst[n*to.X:], from.Y
				clear(sums)
			}
		}
	}
}

// columns makes one row of the result.
func columns(dst []byte, sums []uint32, n int, from, to image.Point) {
	scale := 1 / (float32(from.X) * float32(from.Y))
	for x := range to.X {
		lo, hi := x*from.X, (x+1)*from.X
		first, last := lo/to.X, hi/to.X
		head, tail := (first+1)*to.X-lo, hi-last*to.X
		if first == last { // the result is wider
			head, tail = from.X, 0
		}
		for c := range n {
			sum := uint64(head) * uint64(sums[n*first+c])
			for i := n*(first+1) + c; i < n*last; i += n {
				sum += uint64(to.X) * uint64(sums[i])
			}
			if tail > 0 {
				sum += uint64(tail) * uint64(sums[n*last+c])
			}
			dst[n*x+c] = byte(float32(sum)*scale + 0.5)
		}
	}
}

// coloured makes planes of any picture, which lies on a canvas of that size.
func coloured(img image.Image, canvas, size image.Point, gamma []byte) []plane {
	rgba := make([]byte, 4*size.X*size.Y)
	average(rgba, size, 4, canvas, onWhite(img, canvas))
	lookUp(rgba, gamma)
	luma, blue, red := newPlane(size), newPlane(halved(size)), newPlane(halved(size))
	for y := 0; y < size.Y; y += 2 {
		for x := 0; x < size.X; x += 2 {
			var sumB, sumR, n int
			for i := range 4 {
				if at := (y+i/2)*size.X + x + i%2; x+i%2 < size.X && y+i/2 < size.Y {
					l, b, r := color.RGBToYCbCr(rgba[4*at], rgba[4*at+1], rgba[4*at+2])
					luma.pix[at], sumB, sumR, n = l, sumB+int(b), sumR+int(r), n+1
				}
			}
			at := y/2*blue.stride + x/2
			blue.pix[at], red.pix[at] = byte((sumB+n/2)/n), byte((sumR+n/2)/n)
		}
	}
	return []plane{luma, blue, red}
}

// onWhite hands out the rows of a picture as RGBA, laid on white.
func onWhite(img image.Image, canvas image.Point) func(y int) []byte {
	strip := image.NewRGBA(image.Rect(0, 0, canvas.X, 1))
	white := image.NewUniform(color.White)
	return func(y int) []byte {
		strip.Rect = image.Rect(0, y, canvas.X, y+1)
		switch m := img.(type) {
		case *image.CMYK: // as Adobe stores it: inverted
			for i, k := 0, m.Pix[y*m.Stride:]; i < len(strip.Pix); i += 4 {
				for c := range 3 {
					strip.Pix[i+c] = byte(int(k[i+c]) * int(k[i+3]) / 255)
				}
			}
		case *image.NYCbCrA: // image/draw is slow with it
			draw.Draw(strip, strip.Rect, &m.YCbCr, strip.Rect.Min, draw.Src)
			for i := range strip.Pix {
				a := int(m.A[y*m.AStride+i/4])
				strip.Pix[i] = byte((int(strip.Pix[i])*a + 255*(255-a) + 127) / 255)
			}
		default:
			draw.Draw(strip, strip.Rect, white, image.Point{}, draw.Src)
			where := strip.Rect.Intersect(img.Bounds()) // a GIF's frame may lie anywhere
			draw.Draw(strip, where, img, where.Min, draw.Over)
		}
		return strip.Pix
	}
}

func lookUp(pix, table []byte) {
	for i, v := range pix[:len(pix)*min(1, len(table))] {
		pix[i] = table[v]
	}
}

// turned applies an EXIF orientation.
func (p plane) turned(t turn) plane {
	if t == upright {
		return p
	}
	at, right, down := 0, 1, p.stride // where the result's first pixel is, and its neighbours
	if t.mirrorsX() {
		at, right = at+p.size.X-1, -right
	}
	if t.mirrorsY() {
		at, down = at+p.stride*(p.size.Y-1), -down
	}
	dst := newPlane(p.size)
	if t.swapsSides() {
		right, down, dst = down, right, newPlane(image.Pt(p.size.Y, p.size.X))
	}
	for y := range dst.size.Y {
		row := dst.row(y)
		for x := range row {
			row[x] = p.pix[at+y*down+x*right]
		}
	}
	return dst
}
