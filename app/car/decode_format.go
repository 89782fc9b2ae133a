package car

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"

	"golang.org/x/image/webp"
)

// codec is one format that is taken.
type codec struct {
	name        string
	contentType string
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error)
	// walk reads from the container what config does not tell.
	walk func(data []byte) (container, error)
}

var (
	jpegCodec = &codec{"JPEG", "image/jpeg", jpeg.DecodeConfig, jpeg.Decode, walkJPEG}
	pngCodec  = &codec{"PNG", "image/png", png.DecodeConfig, png.Decode, walkPNG}
	webpCodec = &codec{"WebP", "image/webp", webp.DecodeConfig, decodeWebP, walkWebP}
	gifCodec  = &codec{"GIF", "image/gif", gif.DecodeConfig, gif.Decode, walkGIF}
)

// sniff tells the format from the first bytes; what the sender or the file
// name says counts for nothing.
func sniff(data []byte) (*codec, error) {
	switch {
	case starts(data, "\xff\xd8\xff"):
		return jpegCodec, nil
	case starts(data, "\x89PNG\r\n\x1a\n"):
		return pngCodec, nil
	case starts(data, "GIF87a"), starts(data, "GIF89a"):
		return gifCodec, nil
	case starts(data, "RIFF") && len(data) >= 12 && string(data[8:12]) == "WEBP":
		return webpCodec, nil
	}
	if name, advice := unsupported(data); name != "" {
		return nil, refuseType(name, advice)
	}
	return nil, refuseNotImage()
}

const (
	asJPEG     = "Save or export it as JPEG or PNG and send that."
	asHEIC     = "On an iPhone choose Settings, Camera, Formats, Most Compatible and take it again, or send a screenshot or a JPEG copy."
	asPicture  = "Send a picture of the page as JPEG or PNG."
	asSnapshot = "Send a photo or a screenshot of it."
)

// adviceKeys are the last parts of the keys of these sentences.
var adviceKeys = map[string]string{asJPEG: "jpeg", asHEIC: "heic", asPicture: "page", asSnapshot: "film"}

// prefixes of formats that people do send and that are not taken.
var prefixes = []struct{ magic, name, advice string }{
	{"II*\x00", "TIFF or camera raw picture", asJPEG},
	{"MM\x00*", "TIFF or camera raw picture", asJPEG},
	{"II+\x00", "TIFF picture", asJPEG},
	{"MM\x00+", "TIFF picture", asJPEG},
	{"8BPS", "Photoshop picture", asJPEG},
	{"\xff\x0a", "JPEG XL picture", asJPEG},
	{"\x00\x00\x00\x0cJXL ", "JPEG XL picture", asJPEG},
	{"\x00\x00\x00\x0cjP  ", "JPEG 2000 picture", asJPEG},
	{"\xff\x4f\xff\x51", "JPEG 2000 picture", asJPEG},
	{"\x00\x00\x01\x00", "icon (ICO)", asJPEG},
	{"%PDF-", "PDF document", asPicture},
	{"\x1a\x45\xdf\xa3", "video", asSnapshot},
}

// unsupported names a known format that is not taken, and what its owner can
// do; an empty name means the bytes are nothing known.
func unsupported(data []byte) (name, advice string) {
	for _, p := range prefixes {
		if starts(data, p.magic) {
			return p.name, p.advice
		}
	}
	switch {
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return mediaFile(data)
	case isBMP(data):
		return "BMP picture", asJPEG
	case starts(data, "RIFF") && len(data) >= 12 && string(data[8:12]) == "AVI ":
		return "video", asSnapshot
	case isSVG(data):
		return "drawing (SVG)", asJPEG
	}
	return "", ""
}

// mediaFile names an ISO base media file by the brands in its first box: HEIC,
// AVIF and videos share that container.
func mediaFile(data []byte) (name, advice string) {
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
		return "AVIF picture", asJPEG
	case has("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"):
		return "HEIC (HEIF) picture", asHEIC
	case has("crx "):
		return "camera raw picture", asJPEG
	}
	return "video", asSnapshot
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

func isSVG(data []byte) bool {
	head := strings.ToLower(string(bytes.TrimLeft(data[:min(len(data), 1024)], "\xef\xbb\xbf \t\r\n")))
	return strings.HasPrefix(head, "<svg") || strings.HasPrefix(head, "<?xml") && strings.Contains(head, "<svg")
}

func starts(data []byte, magic string) bool { return bytes.HasPrefix(data, []byte(magic)) }
