package photo

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// format is one that is taken.
type format struct {
	name, contentType string
	inspect           func(h *Header, data []byte, limits Limits) error
}

// Kind names a format that is not taken, for who has a word for it: tiff, raw,
// photoshop, jxl, jp2, jxr, ico, cur, pdf, video, avif, heic, bmp, svg or pnm.
type Kind string

// sniff tells the format from the first bytes; what the sender or the file
// name says counts for nothing.
func sniff(data []byte) (format, error) {
	switch {
	case starts(data, "\xff\xd8\xff"):
		return format{"JPEG", "image/jpeg", inspectJPEG}, nil
	case starts(data, "\x89PNG\r\n\x1a\n"):
		return format{"PNG", "image/png", inspectPNG}, nil
	case starts(data, "GIF87a"), starts(data, "GIF89a"):
		return format{"GIF", "image/gif", inspectGIF}, nil
	case starts(data, "RIFF") && len(data) >= 12 && string(data[8:12]) == "WEBP":
		return format{"WebP", "image/webp", inspectWebP}, nil
	}
	kind := otherKind(data)
	if kind == "" {
		return format{}, &Refusal{Reason: ErrNotImage, Key: "not-image"}
	}
	return format{}, &Refusal{Reason: ErrUnsupportedType, Key: "type-" + advice(kind), Args: []any{kind}}
}

// advice is what the owner of such a file can do: the last part of a key.
func advice(k Kind) string {
	switch k {
	case "heic":
		return "heic" // change a setting of the phone
	case "pdf":
		return "page" // send a picture of the page
	case "video":
		return "film" // send a picture of the film
	}
	return "jpeg" // save it as JPEG
}

// magics are beginnings; the first one that fits counts.
var magics = []struct {
	magic string
	kind  Kind
}{
	{"II*\x00\x10\x00\x00\x00CR", "raw"}, {"FUJIFILMCCD-RAW", "raw"}, {"IIU\x00", "raw"}, {"FOVb", "raw"},
	{"IIRO", "raw"}, {"IIRS", "raw"}, {"MMOR", "raw"}, {"\x00MRM", "raw"},
	{"II*\x00", "tiff"}, {"MM\x00*", "tiff"}, {"II+\x00", "tiff"}, {"MM\x00+", "tiff"},
	{"II\xbc", "jxr"}, {"8BPS", "photoshop"}, {"\xff\x0a", "jxl"}, {"\x00\x00\x00\x0cJXL ", "jxl"},
	{"\x00\x00\x00\x0cjP  ", "jp2"}, {"\xff\x4f\xff\x51", "jp2"},
	{"\x00\x00\x01\x00", "ico"}, {"\x00\x00\x02\x00", "cur"}, {"%PDF-", "pdf"}, {"\x1a\x45\xdf\xa3", "video"},
}

// otherKind names a known format that is not taken; empty means the bytes are
// nothing known.
func otherKind(data []byte) Kind {
	for _, m := range magics {
		if starts(data, m.magic) {
			return m.kind
		}
	}
	switch {
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return mediaKind(data)
	case starts(data, "RIFF") && len(data) >= 12 && string(data[8:12]) == "AVI ":
		return "video"
	case isBMP(data):
		return "bmp"
	case isPNM(data):
		return "pnm"
	case isSVG(data):
		return "svg"
	}
	return ""
}

// mediaKind names an ISO base media file by the brands in its first box: HEIC,
// AVIF and videos share that container.
func mediaKind(data []byte) Kind {
	size := min(int(binary.BigEndian.Uint32(data)), len(data), 256)
	brands := []string{string(data[8:12])}
	for i := 16; i+4 <= size; i += 4 { // 12 to 16 is a version
		brands = append(brands, string(data[i:i+4]))
	}
	has := func(names ...string) bool {
		return slices.ContainsFunc(brands, func(b string) bool { return slices.Contains(names, b) })
	}
	switch {
	case has("avif", "avis"):
		return "avif"
	case has("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"):
		return "heic"
	case has("crx "):
		return "raw"
	}
	return "video"
}

// isBMP looks beyond the two letters that a text may begin with, at the size of
// the second header.
func isBMP(data []byte) bool {
	if !starts(data, "BM") || len(data) < 18 {
		return false
	}
	size := binary.LittleEndian.Uint32(data[14:])
	return 12 <= size && size <= 124
}

// isPNM: P1 to P7, white space, then a number, a comment or a word of P7.
func isPNM(data []byte) bool {
	return len(data) > 3 && data[0] == 'P' && '1' <= data[1] && data[1] <= '7' && strings.ContainsRune(" \t\r\n", rune(data[2])) &&
		strings.ContainsRune("0123456789#W \t\r\n", rune(data[3]))
}

func isSVG(data []byte) bool {
	head := strings.ToLower(string(bytes.TrimLeft(data[:min(len(data), 4096)], "\xef\xbb\xbf \t\r\n")))
	return strings.HasPrefix(head, "<svg") || (strings.HasPrefix(head, "<?xml") || strings.HasPrefix(head, "<!")) &&
		strings.Contains(head, "<svg") && !strings.Contains(head, "<html") && !strings.HasPrefix(head, "<!doctype html")
}

func starts(data []byte, magic string) bool { return bytes.HasPrefix(data, []byte(magic)) }
