package photo_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/app/photo"
)

func TestRefusalsByKind(t *testing.T) {
	ftyp := func(brands ...string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(12+4*len(brands)))) + "ftyp" + brands[0] + "\x00\x00\x00\x00" + strings.Join(brands[1:], "")
	}
	for _, c := range []struct {
		data, key string
		kind      photo.Kind
	}{
		{"", "empty", ""}, {"These are the notes of a trip.\n", "not-image", ""}, {"BMW is not VinFast, says the text.", "not-image", ""},
		{"P2 is no picture", "not-image", ""}, {"<!doctype html><svg></svg>", "not-image", ""}, {strings.Repeat("\x00", 64), "not-image", ""},
		{"\xff", "not-image", ""}, {"RIFF\x04\x00\x00\x00WAVE", "not-image", ""}, {"RIFF\x04\x00", "not-image", ""},
		{ftyp("heic", "mif1", "heic") + "rest", "type-heic", "heic"}, {ftyp("mif1", "heic"), "type-heic", "heic"},
		{ftyp("avif", "mif1"), "type-jpeg", "avif"}, {ftyp("mif1", "avif"), "type-jpeg", "avif"}, {ftyp("crx ", "isom"), "type-jpeg", "raw"},
		{ftyp("isom", "mp42"), "type-film", "video"}, {"\x00\x00\x00\x00ftypqt  ", "type-film", "video"}, {"RIFF\x00\x10\x00\x00AVI LIST", "type-film", "video"},
		{"II*\x00\x08\x00\x00\x00", "type-jpeg", "tiff"}, {"MM\x00*\x00\x00\x00\x08", "type-jpeg", "tiff"}, {"II*\x00\x10\x00\x00\x00CR\x02\x00", "type-jpeg", "raw"},
		{"FUJIFILMCCD-RAW 0201", "type-jpeg", "raw"}, {"IIRO\x08\x00\x00\x00", "type-jpeg", "raw"}, {"IIU\x00\x18\x00\x00\x00", "type-jpeg", "raw"},
		{"II\xbc\x01\x20\x00\x00\x00", "type-jpeg", "jxr"}, {"P6\n640 400\n255\n", "type-jpeg", "pnm"}, {"P5 # made by\n", "type-jpeg", "pnm"},
		{"\x00\x00\x01\x00\x01\x00", "type-jpeg", "ico"}, {"\x00\x00\x02\x00\x01\x00", "type-jpeg", "cur"}, {"8BPS\x00\x01", "type-jpeg", "photoshop"},
		{"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "type-jpeg", "bmp"}, {"%PDF-1.7\n", "type-page", "pdf"},
		{"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- car --><SVG>", "type-jpeg", "svg"}, {"  <svg xmlns=\"http://www.w3.org/2000/svg\">", "type-jpeg", "svg"},
		{"<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\"><svg>", "type-jpeg", "svg"},
		{"\xff\x0a\xfa\x1f", "type-jpeg", "jxl"}, {"\x00\x00\x00\x0cjP  \r\n\x87\n", "type-jpeg", "jp2"},
		{"\xff\xd8\xff", "incomplete", ""}, {"\xff\xd8\xff\xd9", "damaged", ""}, {"\x89PNG\r\n\x1a\n", "damaged", ""}, {"GIF89a", "incomplete", ""},
		{"RIFF\x04\x00\x00\x00WEBP", "damaged", ""}, {jpegHeader(100, 0), "damaged", ""}, {pngHeader(0, 100), "damaged", ""},
		{lossyHeader(0, 100, 10), "damaged", ""}, {pngHeader(1, 1<<24+1), "odd", ""}, {string(make([]byte, 11<<20)), "size", ""},
		{string(fixture(t, "plain.jpg")) + strings.Repeat("\x00", 11<<20), "size", ""},
	} {
		r := refusedAs(t, []byte(c.data), c.key)
		if c.kind != "" && (len(r.Args) != 1 || r.Args[0] != c.kind) {
			t.Errorf("%.20q is called %v, not %q", c.data, r.Args, c.kind)
		}
		if strings.Contains(r.Error(), "%!") {
			t.Errorf("%.20q: %v", c.data, r)
		}
	}
}

func TestWhatIsCutOffIsRefused(t *testing.T) {
	for name, want := range wanted(t) {
		whole := fixture(t, name)
		if want.Refused != "" || strings.Contains(name, "animated") || strings.HasPrefix(name, "end-") || strings.Contains(name, "behind") ||
			strings.HasSuffix(name, ".webp") && !strings.HasPrefix(name, "lo") {
			continue // its pixels, or what the first parts show, do not end with the file
		}
		for _, part := range []int{len(whole) / 4, len(whole) / 2, len(whole) * 3 / 4} {
			h, err := photo.Inspect(whole[:part], limits)
			if err == nil {
				_, err = h.Decode()
			}
			if err == nil {
				t.Errorf("%s: the first %d of %d bytes are taken", name, part, len(whole))
			}
		}
	}
}

// Headers that announce far more than there is are refused before memory is set
// aside for it.
func TestRefusesBeforeAllocating(t *testing.T) {
	const side = 50_000
	huge := binary.LittleEndian.AppendUint32(nil, 0x7ffffff0)
	for data, key := range map[string]string{
		jpegHeader(side, side): "pixels", pngHeader(side, side): "pixels", pngHeader(50_000_001, 1): "pixels", gifHeader(side, side): "pixels",
		riff("VP8X", "\x10\x00\x00\x00\xff\xff\x00\xff\xff\x00"): "pixels", riff("VP8L", "\x2f\xff\xff\xff\x0f\x00\x00\x00"): "pixels",
		lossyHeader(16383, 16383, 10): "pixels", "RIFF\xf8\xff\xff\x7fWEBPVP8 " + string(huge) + lossyHeader(16, 16, 10)[20:]: "incomplete",
		pngHeader(16, 16) + "\x7f\xff\xff\xffIDAT": "incomplete", pngHeader(16, 16) + "\x00\x00\x00\x05IDAThello": "incomplete",
	} {
		if spent := allocated(func() { refusedAs(t, []byte(data), key) }); spent > 1<<20 {
			t.Errorf("refusing %.30q took %d bytes", data, spent)
		}
	}
}

// Each pass over an empty band is some hundred bytes to send and a walk over
// all pixels to decode.
func TestRefusesManyScans(t *testing.T) {
	data := fixture(t, "progressive.jpg")
	first, second := bytes.Index(data, []byte("\xff\xda")), 0
	second = first + 2 + bytes.Index(data[first+2:], []byte("\xff"))
	for data[second+1] == 0 {
		second += 2 + bytes.Index(data[second+2:], []byte("\xff"))
	}
	refusedAs(t, slices.Concat(data[:first], bytes.Repeat(data[first:second], 100), data[second:]), "scans")
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

// gifHeader is a GIF whose frame has that size, without pixels.
func gifHeader(width, height int) string {
	size := string(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(width)), uint16(height)))
	return "GIF89a" + size + "\x00\x00\x00\x2c\x00\x00\x00\x00" + size + "\x00\x08\x00\x00\x3b"
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
