package car

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// modelQuality is the JPEG quality of what the endpoint gets.
const modelQuality = 90

// DecodeCost estimates how many bytes of memory Decode holds at its peak for
// data, beyond data itself; 0 if Decode refuses it by its header. It reads the
// header only, so that a server can wait for room before it decodes.
func DecodeCost(data []byte, limits Limits) int64 {
	h, err := inspect(data, limits)
	if err != nil {
		return 0
	}
	const codecTables, reencoded = 4 << 20, 2 << 20
	k := shrink(h.width, h.height)
	rows, cols := ceilDiv(h.height, k), ceilDiv(h.width, k)
	strip := 4 * int64(h.width) * int64(min(k, h.height))
	half := 4 * int64(rows) * int64(cols)
	final := 2 * 4 * int64(modelSide) * int64(modelSide)
	return h.bytesPerPixel*int64(h.width)*int64(h.height) + strip + half + min(final, 2*half) + codecTables + reencoded
}

// normalise makes the JPEG for the endpoint: at most modelSide pixels on the
// longest side, on white, upright. It scales first, so that turning is cheap.
func normalise(src image.Image, width, height int, t turn) ([]byte, error) {
	img := turned(scaled(averaged(src, width, height), width, height), t)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: modelQuality}); err != nil {
		return nil, fmt.Errorf("encode normalised photo: %w", err)
	}
	return out.Bytes(), nil
}

// shrink is the whole factor by which a picture can be reduced without falling
// below modelSide.
func shrink(width, height int) int { return max(1, max(width, height)/modelSide) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// averaged lays src on a white canvas of width x height and reduces it by the
// whole factor shrink, each pixel the mean of the square it stands for. It
// works in strips as high as that square: no copy of the full size is made.
func averaged(src image.Image, width, height int) *image.RGBA {
	k := shrink(width, height)
	dst := image.NewRGBA(image.Rect(0, 0, ceilDiv(width, k), ceilDiv(height, k)))
	strip := image.NewRGBA(image.Rect(0, 0, width, min(k, height)))
	for y := range dst.Rect.Dy() {
		strip.Rect.Min.Y, strip.Rect.Max.Y = y*k, min((y+1)*k, height)
		draw.Draw(strip, strip.Rect, image.White, image.Point{}, draw.Src)
		// A GIF's first frame may cover a part of the canvas only.
		where := strip.Rect.Intersect(src.Bounds())
		draw.Draw(strip, where, src, where.Min, draw.Over)
		averageRow(dst.Pix[y*dst.Stride:][:dst.Stride], strip, k)
	}
	return dst
}

// averageRow writes the means of the k columns wide squares of strip, which is
// one square high, to row.
func averageRow(row []byte, strip *image.RGBA, k int) {
	width, height := strip.Rect.Dx(), strip.Rect.Dy()
	if k == 1 {
		copy(row, strip.Pix[:4*width])
		return
	}
	for x := 0; x < width; x += k {
		cols := min(k, width-x)
		var r, g, b uint64
		for y := range height {
			for px := strip.Pix[y*strip.Stride+4*x:][:4*cols]; len(px) >= 4; px = px[4:] {
				r += uint64(px[0])
				g += uint64(px[1])
				b += uint64(px[2])
			}
		}
		n := uint64(cols * height)
		out := row[4*(x/k):][:4]
		out[0], out[1], out[2], out[3] = byte((r+n/2)/n), byte((g+n/2)/n), byte((b+n/2)/n), 0xff
	}
}

// scaled brings img, which stands for a picture of width x height, to modelSide
// on the longest side. What remains is less than a halving, for which looking at
// four neighbours is enough. It never enlarges.
func scaled(img *image.RGBA, width, height int) *image.RGBA {
	longest := max(width, height)
	if longest <= modelSide {
		return img
	}
	fit := func(side int) int { return max(1, (side*modelSide+longest/2)/longest) }
	dst := image.NewRGBA(image.Rect(0, 0, fit(width), fit(height)))
	draw.ApproxBiLinear.Scale(dst, dst.Rect, img, img.Rect, draw.Src, nil)
	return dst
}

// turned applies an EXIF orientation.
func turned(src *image.RGBA, t turn) *image.RGBA {
	if t == upright {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if t.swapsSides() {
		dst = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range dst.Rect.Dy() {
		for x := range dst.Rect.Dx() {
			sx, sy := x, y
			if t.swapsSides() {
				sx, sy = y, x
			}
			if t.mirrorsX() {
				sx = w - 1 - sx
			}
			if t.mirrorsY() {
				sy = h - 1 - sy
			}
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
	return dst
}
