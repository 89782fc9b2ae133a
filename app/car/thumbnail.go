package car

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// thumbnailQuality is the JPEG quality of thumbnails.
const thumbnailQuality = 80

// Thumbnail makes a JPEG of an upload, upright, its longest side at most side
// pixels (and at most 1024), without any metadata: it is encoded from pixels
// alone. The errors are those of Decode, whose memory it takes.
func Thumbnail(data []byte, limits Limits, side int) ([]byte, error) {
	p, err := Decode(data, limits)
	if err != nil {
		return nil, err
	}
	src, err := jpeg.Decode(bytes.NewReader(p.Model))
	if err != nil {
		return nil, fmt.Errorf("decode normalised photo: %w", err)
	}
	size := src.Bounds().Size()
	longest := max(size.X, size.Y)
	img := src
	if longest > side {
		fit := func(n int) int { return max(1, (n*side+longest/2)/longest) }
		small := image.NewRGBA(image.Rect(0, 0, fit(size.X), fit(size.Y)))
		draw.CatmullRom.Scale(small, small.Rect, src, src.Bounds(), draw.Src, nil)
		img = small
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: thumbnailQuality}); err != nil {
		return nil, fmt.Errorf("encode thumbnail: %w", err)
	}
	return out.Bytes(), nil
}
