package car_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/app/car"
)

// refused holds err to what every refusal is: a sentence for a person, and one
// of the known reasons.
func refused(t testing.TB, err error, reason error) *car.Refusal {
	t.Helper()
	var refusal *car.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("error %v is no Refusal", err)
	}
	if reason != nil && refusal.Reason != reason {
		t.Fatalf("reason %v, want %v", err, reason)
	}
	reasons := []error{car.ErrNotImage, car.ErrUnsupportedType, car.ErrTooLarge, car.ErrTooManyPixels, car.ErrBroken}
	if !slices.Contains(reasons, refusal.Reason) {
		t.Fatalf("reason %v is not one of Decode's", refusal.Reason)
	}
	if !strings.HasSuffix(refusal.Sentence, ".") || strings.Contains(refusal.Sentence, "%!") {
		t.Fatalf("sentence %q", refusal.Sentence)
	}
	return refusal
}

func TestDecodeRefuses(t *testing.T) {
	ftyp := func(brands ...string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(12+4*len(brands)))) + "ftyp" + brands[0] + "\x00\x00\x00\x00" + strings.Join(brands[1:], "")
	}
	for _, c := range []struct {
		name, data string
		reason     error
		says       string
	}{
		{"empty body", "", car.ErrNotImage, "empty"},
		{"text named .jpg", "These are the notes of a trip.\n", car.ErrNotImage, "not a picture"},
		{"text that begins like a BMP", "BMW is not VinFast, says the text.", car.ErrNotImage, "not a picture"},
		{"HTML", "<!doctype html><svg></svg>", car.ErrNotImage, "not a picture"},
		{"zeros", strings.Repeat("\x00", 64), car.ErrNotImage, "not a picture"},
		{"one byte", "\xff", car.ErrNotImage, "not a picture"},
		{"RIFF alone", "RIFF\x04\x00\x00\x00WAVE", car.ErrNotImage, "not a picture"},
		{"short RIFF", "RIFF\x04\x00", car.ErrNotImage, "not a picture"},
		{"HEIC", ftyp("heic", "mif1", "heic") + "rest", car.ErrUnsupportedType, "Most Compatible"},
		{"HEIF", ftyp("mif1", "heic"), car.ErrUnsupportedType, "HEIC"},
		{"AVIF", ftyp("avif", "mif1"), car.ErrUnsupportedType, "AVIF"},
		{"AVIF under a general brand", ftyp("mif1", "avif"), car.ErrUnsupportedType, "AVIF"},
		{"Canon raw", ftyp("crx ", "isom"), car.ErrUnsupportedType, "raw"},
		{"MP4", ftyp("isom", "mp42"), car.ErrUnsupportedType, "video"},
		{"MOV with a box size of zero", "\x00\x00\x00\x00ftypqt  ", car.ErrUnsupportedType, "video"},
		{"TIFF, Intel", "II*\x00\x08\x00\x00\x00", car.ErrUnsupportedType, "TIFF"},
		{"TIFF, Motorola", "MM\x00*\x00\x00\x00\x08", car.ErrUnsupportedType, "TIFF"},
		{"BMP", "BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", car.ErrUnsupportedType, "BMP"},
		{"SVG", "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- car --><SVG>", car.ErrUnsupportedType, "SVG"},
		{"bare SVG", "  <svg xmlns=\"http://www.w3.org/2000/svg\">", car.ErrUnsupportedType, "SVG"},
		{"PDF", "%PDF-1.7\n", car.ErrUnsupportedType, "PDF"},
		{"Photoshop", "8BPS\x00\x01", car.ErrUnsupportedType, "Photoshop"},
		{"JPEG XL", "\xff\x0a\xfa\x1f", car.ErrUnsupportedType, "JPEG XL"},
		{"JPEG 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n", car.ErrUnsupportedType, "JPEG 2000"},
		{"AVI", "RIFF\x00\x10\x00\x00AVI LIST", car.ErrUnsupportedType, "video"},
		{"animated WebP", string(fixture(t, "animated.webp")), car.ErrUnsupportedType, "animated"},
		{"CMYK JPEG that does not say how", cmykWithoutAdobe(t), car.ErrUnsupportedType, "kind of JPEG"},
		{"JPEG, start only", "\xff\xd8\xff", car.ErrBroken, "JPEG"},
		{"JPEG, start and end", "\xff\xd8\xff\xd9", car.ErrBroken, "JPEG"},
		{"PNG, signature only", "\x89PNG\r\n\x1a\n", car.ErrBroken, "PNG"},
		{"GIF, signature only", "GIF89a", car.ErrBroken, "GIF"},
		{"WebP, signature only", "RIFF\x04\x00\x00\x00WEBP", car.ErrBroken, "WebP"},
		{"JPEG of no height", jpegHeader(100, 0), car.ErrBroken, "JPEG"},
		{"PNG of no width", pngHeader(0, 100), car.ErrBroken, "PNG"},
		{"GIF of no width", gifHeader(0, 100), car.ErrBroken, "GIF"},
		{"WebP of no width", lossyHeader(0, 100, 10), car.ErrBroken, "WebP"},
		{"11 MiB", string(fixture(t, "plain.jpg")) + strings.Repeat("\x00", 11<<20), car.ErrTooLarge, "11.0 MiB; at most 10.0 MiB"},
		{"11 MiB of nothing", strings.Repeat("\x00", 11<<20), car.ErrTooLarge, "11.0 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := car.Decode([]byte(c.data), limits)
			if refusal := refused(t, err, c.reason); !strings.Contains(refusal.Sentence, c.says) {
				t.Errorf("sentence %q does not say %q", refusal.Sentence, c.says)
			}
		})
	}
}

func TestDecodeRefusesTruncated(t *testing.T) {
	for name := range wanted(t) {
		whole := fixture(t, name)
		for _, part := range []int{len(whole) / 4, len(whole) / 2, len(whole) * 3 / 4} {
			if name == "animated.gif" && part > 300 {
				continue // its first frame is there, and that is what is asked for
			}
			_, err := car.Decode(whole[:part], limits)
			if err == nil {
				t.Errorf("%s: the first %d of %d bytes decode", name, part, len(whole))
				continue
			}
			refused(t, err, car.ErrBroken)
		}
	}
}

// Headers that announce far more than there is must be refused before memory is
// set aside for it.
func TestDecodeRefusesBeforeAllocating(t *testing.T) {
	const side = 50_000
	huge := binary.LittleEndian.AppendUint32(nil, 0x7ffffff0)
	for _, c := range []struct {
		name, data string
		reason     error
	}{
		{"JPEG", jpegHeader(side, side), car.ErrTooManyPixels},
		{"JPEG, JFIF", strings.Replace(jpegHeader(side, side), "\xff\xd8", "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00", 1), car.ErrTooManyPixels},
		{"PNG", pngHeader(side, side), car.ErrTooManyPixels},
		{"GIF", gifHeader(side, side), car.ErrTooManyPixels},
		{"WebP, extended", riff("VP8X", "\x00\x00\x00\x00\x4f\xc3\x00\x4f\xc3\x00"), car.ErrTooManyPixels},
		{"WebP, extended, with alpha", riff("VP8X", "\x10\x00\x00\x00\xff\xff\x00\xff\xff\x00"), car.ErrTooManyPixels},
		{"WebP, lossless", riff("VP8L", "\x2f\xff\xff\xff\x0f\x00\x00\x00"), car.ErrTooManyPixels},
		{"WebP, lossy", lossyHeader(16383, 16383, 10), car.ErrTooManyPixels},
		{"WebP chunk of 2 GiB", "RIFF\xf8\xff\xff\x7fWEBPVP8 " + string(huge) + lossyHeader(16, 16, 10)[20:], car.ErrBroken},
		{"PNG chunk of 2 GiB", pngHeader(16, 16) + "\x7f\xff\xff\xffIDAT", car.ErrBroken},
		{"one pixel over", pngHeader(50_000_001, 1), car.ErrTooManyPixels},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := []byte(c.data)
			var err error
			spent := allocated(func() { _, err = car.Decode(data, limits) })
			refused(t, err, c.reason)
			if spent > 1<<20 {
				t.Errorf("refusing took %d bytes", spent)
			}
			if c.reason == car.ErrTooManyPixels && car.DecodeCost(data, limits) != 0 {
				t.Error("what is refused costs something")
			}
		})
	}
}

// Each pass over an empty band is some hundred bytes to send and a walk over
// all pixels to decode.
func TestDecodeRefusesManyScans(t *testing.T) {
	data := fixture(t, "progressive.jpg")
	last := bytes.LastIndex(data, []byte("\xff\xda"))
	scan := data[last : len(data)-2]
	many := slices.Concat(data[:last], bytes.Repeat(scan, 100), data[len(data)-2:])
	_, err := car.Decode(many, limits)
	if refusal := refused(t, err, car.ErrUnsupportedType); !strings.Contains(refusal.Sentence, "passes") {
		t.Errorf("sentence %q does not name the passes", refusal.Sentence)
	}
}

// allocated tells how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func jpegHeader(width, height int) string {
	size := func(v int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(v))) }
	return "\xff\xd8\xff\xc0\x00\x11\x08" + size(height) + size(width) + "\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00" +
		"\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00\xff\xd9"
}

func pngHeader(width, height int) string {
	body := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))...)
	body = append(body, 8, 2, 0, 0, 0)
	return "\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + string(binary.BigEndian.AppendUint32(body, crc32.ChecksumIEEE(body)))
}

func gifHeader(width, height int) string {
	size := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(width)), uint16(height))
	return "GIF89a" + string(size) + "\x00\x00\x00"
}

// riff makes a WebP file of one chunk.
func riff(kind, body string) string {
	length := func(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	return "RIFF" + length(12+len(body)) + "WEBP" + kind + length(len(body)) + body
}

// lossyHeader is a VP8 key frame header, padded to length bytes.
func lossyHeader(width, height, length int) string {
	size := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(width)), uint16(height))
	return riff("VP8 ", "\x10\x02\x00\x9d\x01\x2a"+string(size)+strings.Repeat("\x00", length-10))
}

// cmykWithoutAdobe is a CMYK JPEG without the segment that tells whether its
// colours are inverted.
func cmykWithoutAdobe(t *testing.T) string {
	data := fixture(t, "cmyk.jpg")
	at := bytes.Index(data, []byte("\xff\xee"))
	if at < 0 {
		t.Fatal("cmyk.jpg has no Adobe segment")
	}
	return string(data[:at]) + string(data[at+2+int(binary.BigEndian.Uint16(data[at+2:])):])
}

func TestCodecPanicIsAnError(t *testing.T) {
	_, err := car.Guarded(func() (int, error) { panic("index out of range") })
	if err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("a codec's panic becomes %v", err)
	}
}
