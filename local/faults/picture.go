//go:build linux

package faults

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
)

// A picture carries its number in six rows of eight squares, bright for 1 and
// dark for 0: the number's 24 bits, then their complement. That survives any
// JPEG the app makes of it. The colours beside are noise, so that no two
// pictures of a run are alike.
const (
	square  = 8
	columns = 8
	rows    = 6
	width   = columns * square
	height  = rows * square
	bits    = columns * rows / 2
)

// picture is one upload's file.
type picture struct {
	number      int
	contentType string
	ending      string
	data        []byte
	sha256      string
	bad         bool // cut short, and to be refused
}

// badEach: one picture of so many is cut short.
const badEach = 40

// newPicture draws the picture of a number, by turns as JPEG, PNG and WebP.
func newPicture(seed uint64, number int) (picture, error) {
	img := draw(rand.New(rand.NewPCG(seed, uint64(number))), number)
	p := picture{number: number}
	var b bytes.Buffer
	var err error
	switch number % 3 {
	case 0:
		p.contentType, p.ending = "image/jpeg", ".jpg"
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 85})
	case 1:
		p.contentType, p.ending = "image/png", ".png"
		err = png.Encode(&b, img)
	default:
		p.contentType, p.ending = "image/webp", ".webp"
		b.Write(webp(img))
	}
	if err != nil {
		return p, fmt.Errorf("encode picture %d: %w", number, err)
	}
	p.data = b.Bytes()
	if p.bad = number%badEach == badEach-1; p.bad {
		p.data = p.data[:len(p.data)/2]
	}
	sum := sha256.Sum256(p.data)
	p.sha256 = hex.EncodeToString(sum[:])
	return p, nil
}

func draw(noise *rand.Rand, number int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	code := uint64(number)<<bits | uint64(^number)&(1<<bits-1)
	for y := range height {
		for x := range width {
			c := color.RGBA{A: 255}
			if code>>(2*bits-1-(y/square*columns+x/square))&1 == 1 {
				c.G = 255
			}
			if n := noise.Uint32(); n&1 == 1 {
				c.R = 255
			} else if n&2 == 2 {
				c.B = 255
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// readNumber finds the number of a picture; false if it is none of ours.
func readNumber(img image.Image) (int, bool) {
	if img.Bounds().Dx() != width || img.Bounds().Dy() != height {
		return 0, false
	}
	var code uint64
	for i := range 2 * bits {
		sum := 0
		for y := range square {
			for x := range square {
				at := img.Bounds().Min.Add(image.Pt(i%columns*square+x, i/columns*square+y))
				sum += int(color.GrayModel.Convert(img.At(at.X, at.Y)).(color.Gray).Y)
			}
		}
		code <<= 1
		if sum/square/square >= 128 {
			code |= 1
		}
	}
	number := int(code >> bits)
	return number, uint64(^number)&(1<<bits-1) == code&(1<<bits-1)
}

// webp encodes lossless WebP of an opaque picture whose channels are each 0 or
// 255, which takes one bit for each: the format's header, then for green, red
// and blue a code of the two values, for alpha and distance a code of one.
func webp(img *image.RGBA) []byte {
	var w bitWriter
	w.put(0x2f, 8)
	w.put(width-1, 14)
	w.put(height-1, 14)
	w.put(0, 1+3)   // no alpha, version 0
	w.put(0, 1+1+1) // no transforms, no colour cache, one set of codes
	for range 3 {
		w.put(0b011, 3) // simple, two values, the first in one bit
		w.put(0, 1)
		w.put(255, 8)
	}
	w.put(0b101, 3) // simple, one value, in eight bits
	w.put(255, 8)
	w.put(0b001, 3)
	w.put(0, 1)
	for i := 0; i < len(img.Pix); i += 4 {
		for _, channel := range []int{1, 0, 2} {
			w.put(uint32(img.Pix[i+channel]&1), 1)
		}
	}
	data := w.done()
	size := uint32(len(data))
	if size%2 == 1 {
		data = append(data, 0)
	}
	out := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len("WEBPVP8L")+4+len(data)))
	out = binary.LittleEndian.AppendUint32(append(out, "WEBPVP8L"...), size)
	return append(out, data...)
}

// bitWriter packs bits, the lowest first.
type bitWriter struct {
	data []byte
	used int // bits
}

func (w *bitWriter) put(value uint32, count int) {
	for i := range count {
		if w.used%8 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[w.used/8] |= byte(value>>i&1) << (w.used % 8)
		w.used++
	}
}

func (w *bitWriter) done() []byte { return w.data }
