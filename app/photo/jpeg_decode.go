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

// compiledJPEGli is what the first picture for jpegli takes once, in bytes: the
// program is compiled from WebAssembly.
const compiledJPEGli = 64 << 20

func inspectJPEG(h *Header, data []byte, limits Limits) error {
	j, err := takeApart(data, func(w, hh int) error { return h.announce(w, hh, limits) })
	if err != nil {
		return err
	}
	if err := j.tellColours(); err != nil {
		return err
	}
	h.turn = orientation(j.exif)
	h.carry(j.profile(), j.colours == gray)
	d := denominator(max(j.width, j.height))
	if j.open && j.progressive {
		d = 1 // what may be missing would not show in a smaller one
	}
	h.Memory = j.jpegliMemory(d)
	if j.isPlain() {
		h.Memory = j.jpegnMemory(d)
	}
	if j.open || j.isPlain() && !j.progressive {
		h.Memory *= 2 // it may be decoded twice
	}
	h.Memory += scaleMemory(h.size)
	h.decode = func() (image.Image, error) { return j.decodeWhole(d) }
	return nil
}

// jpegnMemory is what jpegn holds: a copy of the file, the samples at their
// size, of a progressive one four bytes for each coefficient, and of RGB the
// picture itself.
func (j *jpegFile) jpegnMemory(d int) int64 {
	samples := j.samples()
	sum := j.size() + samples/int64(d*d)
	if j.progressive {
		sum += 4 * samples
	}
	if j.colours == rgb {
		sum += 4 * int64(ceilDiv(j.width, d)) * int64(ceilDiv(j.height, d))
	}
	return sum + 1<<20
}

// jpegliMemory is what jpegli takes. WebAssembly's memory moves each time it
// grows: for the file, the picture and the coefficients of each component.
func (j *jpegFile) jpegliMemory(d int) int64 {
	picture := 4 * int64(ceilDiv(j.width, d)) * int64(ceilDiv(j.height, d))
	file, coefficients := j.size(), int64(0)
	if j.progressive {
		coefficients = 2 * j.samples()
	}
	const program = 4 << 20
	held := file + picture + program
	sum := 6*file + picture // read by and by; copied out
	for range len(j.comps) + 2 {
		sum += held
		held += coefficients / int64(len(j.comps))
	}
	return sum
}

// samples counts those of all components, the padding of units included.
func (j *jpegFile) samples() (sum int64) {
	h, v := 1, 1
	for _, c := range j.comps {
		h, v = max(h, int(c.h)), max(v, int(c.v))
	}
	units := int64(ceilDiv(j.width, 8*h)) * int64(ceilDiv(j.height, 8*v))
	for _, c := range j.comps {
		sum += units * int64(c.h) * int64(c.v) * 64
	}
	return sum
}

// size is how long the file put together anew is.
func (j *jpegFile) size() (sum int64) {
	for _, p := range j.parts {
		sum += int64(len(p)) + 64
	}
	return sum
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// denominator is by how much a JPEG is made smaller while it is decoded: so that
// its longest side becomes 896 to 1024 pixels, or stays above.
func denominator(longest int) int {
	for _, d := range []int{8, 4, 2} {
		if side := ceilDiv(longest, d); side >= 896 && (side <= Side || d < 8) {
			return d
		}
	}
	return 1
}

// isPlain tells what jpegn reads, and reads right: nearly all JPEGs. The others
// (CMYK, a scan for each component, restart markers in a progressive one, odd
// sampling, very small ones) are for jpegli, which takes twice the time.
func (j *jpegFile) isPlain() bool {
	if j.wideTables || j.restarts && j.progressive || !j.interleaved || min(j.width, j.height) < 16 {
		return false
	}
	y := j.comps[0]
	switch j.colours {
	case gray:
		return true
	case rgb:
		return !slices.ContainsFunc(j.comps, func(c component) bool { return c.h != 1 || c.v != 1 })
	case ycc:
		chroma := func(c component) bool { return c.h == 1 && c.v == 1 }
		return chroma(j.comps[1]) && chroma(j.comps[2]) && y.h <= 2 && y.v <= 2 && y.id != 'R'
	}
	return false
}

// Bytes for behind the data of a scan, which belong to no picture: ones are no
// code.
var (
	ones  = bytes.Repeat([]byte{0xff, 0}, 32)
	other = bytes.Repeat([]byte{0x2d, 0xd2, 0x35, 0x9a}, 16)
)

// decodeWhole refuses a JPEG that was cut off, which both decoders take.
func (j *jpegFile) decodeWhole(d int) (image.Image, error) {
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
		blank, err := j.blanked().jpegn(8, ones)
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
			for at := 4; at < len(p); at += 65 {
				clear(p[min(at+1, len(p)):min(at+65, len(p))])
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
var (
	jfifSegment = []byte("\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
	adobeRGB    = []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")
	adobeYCCK   = []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x02")
	// asRGBA has no meaning but to jpegli's Go part, which then returns RGBA: its
	// YCbCr is wrong for rare samplings.
	asRGBA = []byte("\xff\xed\x00\x03-")
)

// jpegn decodes with the fast decoder.
func (j *jpegFile) jpegn(d int, behind []byte) (image.Image, error) {
	var colours []byte
	if j.colours == rgb {
		colours = adobeRGB
	}
	return jpegn.Decode(j.stream(behind, colours), &jpegn.Options{ScaleDenom: d})
}

// jpegli decodes with the thorough one.
func (j *jpegFile) jpegli(d int, behind []byte) (image.Image, error) {
	if !j.open {
		behind = nil
	}
	options := &jpegli.DecodingOptions{FancyUpsampling: true}
	if d > 1 {
		options.ScaleTarget = image.Rect(0, 0, ceilDiv(j.width, d), ceilDiv(j.height, d))
	}
	colours := [][]byte{gray: nil, ycc: slices.Concat(jfifSegment, asRGBA), rgb: adobeRGB, cmyk: adobeRGB, ycck: adobeYCCK}[j.colours]
	return jpegliDecode(j.stream(behind, colours), options)
}

var quiet sync.Mutex

// quietly keeps from standard error what jpegli prints about a picture, as
// libjpeg does. It prints to what os.Stderr is when it starts; where its Go
// translation is used, to what os.Stderr is at that moment.
func quietly(f func()) (err error) {
	quiet.Lock()
	defer quiet.Unlock()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("silence jpegli: %w", err)
	}
	out, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = null, null
	defer func() { os.Stdout, os.Stderr = out, stderr }()
	f()
	return nil
}

// stream puts the file together anew. It knows its length, which spares the
// decoders a larger buffer.
func (j *jpegFile) stream(behind, colours []byte) io.Reader {
	parts := [][]byte{{0xff, mSOI}, colours}
	for _, p := range j.parts {
		if len(p) == 0 {
			p = behind
		}
		parts = append(parts, p)
	}
	s := &joined{parts: append(parts, []byte{0xff, mEOI})}
	for _, p := range s.parts {
		s.left += len(p)
	}
	return s
}

type joined struct {
	parts [][]byte
	left  int
}

func (s *joined) Len() int { return s.left }

func (s *joined) Read(p []byte) (n int, err error) {
	for ; len(s.parts) > 0 && n < len(p); s.parts = s.parts[1:] {
		done := copy(p[n:], s.parts[0])
		n += done
		if done < len(s.parts[0]) {
			s.parts[0] = s.parts[0][done:]
			break
		}
	}
	s.left -= n
	if n == 0 {
		err = io.EOF
	}
	return n, err
}
