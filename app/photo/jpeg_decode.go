package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"reflect"
	"slices"
	"sync"

	"github.com/gen2brain/jpegli"
	"github.com/gen2brain/jpegn"
)

func inspectJPEG(h *Header, data []byte, limits Limits) error {
	j, err := takeApart(data, func(width, height int) error { return h.announce(width, height, limits) })
	if err == nil {
		err = j.tellColours()
	}
	if err != nil {
		return err
	}
	h.turn = orientation(j.exif)
	h.carry(slices.Concat(j.icc[:]...), j.colours == "gray")
	d := denominator(max(j.width, j.height), min(j.width, j.height))
	if j.open && j.progressive {
		d = 1 // what may be missing would not show in a smaller one
	}
	h.Memory = j.memory(d) + scaleMemory(h.size)
	h.decode = func() (image.Image, error) { return j.decode(d) }
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// denominator is by how much a JPEG is made smaller while it is decoded: its
// longest side becomes 896 to 1024 pixels, or stays above.
// jpegn does not make a side too short for it.
func denominator(longest, shortest int) int {
	for _, d := range []int{8, 4, 2} {
		if ceilDiv(longest, d) >= 896 && shortest >= 8*d {
			return d
		}
	}
	return 1
}

// isPlain tells what jpegn reads, and reads right: nearly all JPEGs. The others
// (CMYK, a scan for each component, restart markers in a progressive one, odd
// sampling, very small ones) are for jpegli, which takes twice the time.
func (j *jpegFile) isPlain() bool {
	if j.wideTables || j.interval > 0 && j.progressive || !j.interleaved || min(j.width, j.height) < 16 {
		return false
	}
	y := j.comps[0]
	single := func(c component) bool { return c.h == 1 && c.v == 1 }
	switch j.colours {
	case "gray":
		return true
	case "rgb":
		return single(y) && single(j.comps[1]) && single(j.comps[2])
	case "ycc":
		return y.h <= 2 && y.v <= 2 && single(j.comps[1]) && single(j.comps[2]) && !j.namedRGB()
	}
	return false
}

// memory is what decoding takes at most, in bytes. jpegn holds a copy of the file, the samples at their size, of a progressive
// one four bytes for each coefficient, and of RGB the picture itself.
// WebAssembly's memory, which jpegli works in, moves each time it grows: for the
// file, the picture and the coefficients of each component.
func (j *jpegFile) memory(d int) (sum int64) {
	file, samples := int64(0), int64(0)
	for _, p := range j.parts {
		file += int64(len(p)) + 64
	}
	for _, c := range j.comps {
		samples += 64 * int64(c.h) * int64(c.v) * int64(j.units(c, true))
	}
	picture := 4 * int64(ceilDiv(j.width, d)) * int64(ceilDiv(j.height, d))
	coefficients := int64(0)
	if j.progressive {
		coefficients = samples
	}
	if j.isPlain() {
		sum = file + samples/int64(d*d) + 4*coefficients + 1<<20
		if j.colours == "rgb" {
			sum += picture
		}
	} else {
		const program = 4 << 20
		sum = 6*file + picture // it is read bit by bit; the picture is copied
		for i := range int64(len(j.comps)) + 2 {
			sum += program + file + picture + i*2*coefficients/int64(len(j.comps))
		}
	}
	if j.open || !j.progressive && j.isPlain() {
		sum *= 2 // it may be decoded twice
	}
	return sum
}

// Bytes for behind the data of a scan, which belong to no picture: ones are no
// code.
var (
	ones  = bytes.Repeat([]byte{0xff, 0}, 32)
	other = bytes.Repeat([]byte{0x2d, 0xd2, 0x35, 0x9a}, 16)
)

// decode refuses a JPEG that was cut off, which both decoders take.
func (j *jpegFile) decode(d int) (image.Image, error) {
	decode, baseline := j.jpegli, false
	if j.isPlain() {
		decode, baseline = j.jpegn, !j.progressive
	}
	img, err := decode(d, ones)
	switch {
	case err != nil && j.open:
		return nil, fmt.Errorf("%w: %w", errIncomplete, err)
	case err != nil:
		return nil, err
	case baseline && endsInZeros(img):
		// Zeros are what jpegn leaves where it finds no code, and what black is.
		// With quantisation tables of zeros, all that has a code is gray.
		blank, err := j.blanked().jpegn(d, ones)
		if err != nil || endsInZeros(blank) {
			return nil, errors.Join(errIncomplete, err)
		}
	case j.open && !baseline:
		again, err := decode(d, other)
		if err != nil || !reflect.DeepEqual(img, again) { // it needs what is not there
			return nil, errors.Join(errIncomplete, err)
		}
	}
	return img, nil
}

// blanked is the same file with quantisation tables of zeros.
func (j *jpegFile) blanked() *jpegFile {
	blank := *j
	blank.parts = slices.Clone(j.parts)
	for i, p := range blank.parts {
		if len(p) > 4 && p[0] == 0xff && p[1] == mDQT {
			p = slices.Clone(p)
			for at := 5; at < len(p); at += 65 {
				clear(p[at:min(at+64, len(p))])
			}
			blank.parts[i] = p
		}
	}
	return &blank
}

// endsInZeros tells whether the last sample is zero: rare in a picture of colours.
func endsInZeros(img image.Image) bool {
	at := img.Bounds().Max.Sub(image.Pt(1, 1))
	switch m := img.(type) {
	case *image.YCbCr:
		return m.Cr[m.COffset(at.X, at.Y)] == 0
	case *image.Gray:
		return m.GrayAt(at.X, at.Y).Y == 0
	case *image.RGBA:
		return m.RGBAAt(at.X, at.Y).B == 0
	}
	return false
}

// Segments that tell a decoder the colours.
const (
	jfif     = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
	adobeRGB = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" // or CMYK
	adobeYCC = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x02"
	// asRGBA has no meaning but to jpegli's Go part, which then returns RGBA: its
	// YCbCr is wrong for rare samplings.
	asRGBA = "\xff\xed\x00\x03-"
)

// jpegn decodes with the fast decoder.
func (j *jpegFile) jpegn(d int, behind []byte) (image.Image, error) {
	colours := ""
	if j.colours == "rgb" {
		colours = adobeRGB
	}
	return jpegn.Decode(j.stream(behind, colours), &jpegn.Options{ScaleDenom: d})
}

// jpegli decodes with the thorough one.
func (j *jpegFile) jpegli(d int, behind []byte) (img image.Image, err error) {
	if !j.open {
		behind = nil
	}
	options := &jpegli.DecodingOptions{FancyUpsampling: true}
	if d > 1 {
		options.ScaleTarget = image.Rect(0, 0, ceilDiv(j.width, d), ceilDiv(j.height, d))
	}
	colours := map[string]string{"ycc": jfif + asRGBA, "rgb": adobeRGB, "cmyk": adobeRGB, "ycck": adobeYCC}[j.colours]
	quiet := quietly(func() { // its Go translation panics where WebAssembly is trapped
		img, err = guarded(func() (image.Image, error) { return jpegli.DecodeWithOptions(j.stream(behind, colours), options) })
	})
	return img, errors.Join(quiet, err)
}

var (
	quiet sync.Mutex
	null  *os.File
)

// quietly keeps from standard error what jpegli prints about a picture, as
// libjpeg does. One such picture is decoded at a time.
func quietly(f func()) (err error) {
	quiet.Lock()
	defer quiet.Unlock()
	if null == nil {
		if null, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
			return err
		}
	}
	out, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = null, null
	defer func() { os.Stdout, os.Stderr = out, stderr }()
	f()
	return nil
}

// stream puts the file together anew.
func (j *jpegFile) stream(behind []byte, colours string) io.Reader {
	parts := [][]byte{{0xff, mSOI}, []byte(colours)}
	for _, p := range j.parts {
		if len(p) == 0 {
			p = behind
		}
		parts = append(parts, p)
	}
	return join(append(parts, []byte{0xff, mEOI}))
}

// joined reads parts one after the other. It tells their length, which spares the
// decoders a larger buffer.
type joined struct {
	io.Reader
	length int
}

func (j joined) Len() int { return j.length }

func join(parts [][]byte) io.Reader {
	readers, length := make([]io.Reader, len(parts)), 0
	for i, p := range parts {
		readers[i], length = bytes.NewReader(p), length+len(p)
	}
	return joined{io.MultiReader(readers...), length}
}
