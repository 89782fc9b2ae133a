package car_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"vinfast-classifier/app/car"
)

// BenchmarkDecode holds Decode against its floor, the plain image/jpeg decode
// of the same bytes.
func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name          string
		width, height int
	}{
		{"640x480", 640, 480},
		{"12MP", 4000, 3000},
	} {
		data := jpegOf(b, c.width, c.height)
		b.Run(c.name+"/car", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := car.Decode(data, limits); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/image-jpeg", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// jpegOf makes a JPEG with detail of a photo's order: about 2 bits a pixel.
func jpegOf(b *testing.B, width, height int) []byte {
	b.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	seed := uint32(1)
	for i := range img.Pix {
		seed = seed*1664525 + 1013904223
		x, y := i/4%width, i/4/width
		shade := [4]int{255 * x / width, 255 * y / height, (x ^ y) & 255, 0}[i%4]
		img.Pix[i] = byte(shade/2 + int(seed>>24)/8)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d x %d: %d bytes", width, height, out.Len())
	return out.Bytes()
}
