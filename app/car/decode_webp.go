package car

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"math"

	"golang.org/x/image/webp"
)

var errCutShort = errors.New("chunk is longer than the file")

// walkWebP goes over the RIFF chunks. The codec reserves what a chunk announces
// before it reads, up to 2 GiB, so lengths are checked here; and it would not
// miss an orientation that was cut off behind the pixels.
func walkWebP(data []byte) (container, error) {
	box, seen := container{bytesPerPixel: 12}, false
	if announced := 8 + int64(binary.LittleEndian.Uint32(data[4:])); announced > int64(len(data))+1 { // 1: some leave out the padding
		return container{}, errCutShort
	}
	for pos := 12; pos+8 <= len(data); {
		kind, n := string(data[pos:pos+4]), int64(binary.LittleEndian.Uint32(data[pos+4:]))
		if n > int64(len(data)-pos-8) {
			if seen {
				break // rubbish behind the picture
			}
			return container{}, errCutShort
		}
		body := data[pos+8 : pos+8+int(n)]
		switch kind {
		case "VP8 ", "VP8L":
			seen = true
		case "VP8X":
			if len(body) == 10 {
				box.canvas = image.Pt(1+uint24(body[4:]), 1+uint24(body[7:]))
				if animated := body[0]&2 != 0; animated {
					return container{}, refuseAnimation()
				}
			}
		case "EXIF":
			box.exif = bytes.TrimPrefix(body, []byte("Exif\x00\x00"))
		}
		pos += 8 + int(n) + int(n&1)
	}
	return box, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// decodeWebP mends the colours of a lossy WebP: it stores luma as 16 to 235 and
// chroma as 16 to 240, which the codec hands on as if they were 0 to 255
// (golang/go issue 40173).
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	switch m := img.(type) {
	case *image.YCbCr:
		fullRange(m)
	case *image.NYCbCrA:
		fullRange(&m.YCbCr)
	}
	return img, err
}

func fullRange(m *image.YCbCr) {
	var luma, chroma [256]byte
	for v := range 256 {
		luma[v] = clamped(float64(v-16) * 255 / 219)
		chroma[v] = clamped(float64(v-128)*255/224 + 128)
	}
	for i, v := range m.Y {
		m.Y[i] = luma[v]
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = chroma[m.Cb[i]], chroma[m.Cr[i]]
	}
}

func clamped(v float64) byte { return byte(math.Round(min(max(v, 0), 255))) }
