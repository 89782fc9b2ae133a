package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"math"
	"slices"

	"golang.org/x/image/webp"
)

// inspectWebP goes over the RIFF chunks. The codec would reserve what a chunk
// announces before it reads, up to 2 GiB, and take flags and other chunks at
// their word; so it gets pixels and their alpha only.
func inspectWebP(h *Header, data []byte, limits Limits) error {
	var pixels, alpha, exif, icc []byte
	kind := ""
	for pos := int64(12); pos+8 <= int64(len(data)); {
		name, n := string(data[pos:pos+4]), int64(binary.LittleEndian.Uint32(data[pos+4:]))
		end := pos + 8 + n
		if end > int64(len(data)) {
			if kind == "" {
				return errIncomplete
			}
			break // rubbish behind the picture
		}
		body := data[pos+8 : end]
		switch name {
		case "VP8 ", "VP8L":
			if kind == "" {
				kind, pixels = name, body
			}
		case "VP8X":
			if len(body) == 10 {
				if animated := body[0]&2 != 0; animated {
					return &Refusal{Reason: ErrUnsupportedType, Key: "animated"}
				}
				if err := h.announce(1+uint24(body[4:]), 1+uint24(body[7:]), limits); err != nil {
					return err
				}
			}
		case "ALPH":
			alpha = body
		case "EXIF":
			exif = body
		case "ICCP":
			icc = body
		}
		pos = end + n&1
	}
	if kind == "" {
		return errors.New("no pixels")
	}
	head := webpFile(kind, pixels[:min(len(pixels), 64)], nil)
	cfg, err := webp.DecodeConfig(bytes.NewReader(head))
	if err == nil {
		err = h.announce(cfg.Width, cfg.Height, limits)
	}
	if err != nil {
		return err
	}
	h.turn = orientation(exif)
	h.carry(icc, false)
	h.Memory = int64(len(data)) + 12*int64(cfg.Width)*int64(cfg.Height) + 1<<20 + scaleMemory(h.size)
	h.decode = func() (image.Image, error) {
		img, err := webp.Decode(bytes.NewReader(webpFile(kind, pixels, alpha)))
		switch m := img.(type) {
		case *image.YCbCr:
			fullRange(m)
		case *image.NYCbCrA:
			fullRange(&m.YCbCr)
		}
		return img, err
	}
	return nil
}

// webpFile is a WebP of pixels and alpha.
func webpFile(kind string, pixels, alpha []byte) []byte {
	out := append(make([]byte, 0, len(pixels)+len(alpha)+64), "RIFF....WEBP"...)
	if alpha != nil && kind == "VP8 " && len(pixels) >= 10 {
		size := func(at int) []byte { // less one, in three bytes
			return binary.LittleEndian.AppendUint32(nil, uint32(binary.LittleEndian.Uint16(pixels[at:])&0x3fff)-1)[:3]
		}
		const hasAlpha = 0x10
		out = appendChunk(out, "VP8X", slices.Concat([]byte{hasAlpha, 0, 0, 0}, size(6), size(8)))
		out = appendChunk(out, "ALPH", alpha)
	}
	out = appendChunk(out, kind, pixels)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func appendChunk(out []byte, kind string, body []byte) []byte {
	out = binary.LittleEndian.AppendUint32(append(out, kind...), uint32(len(body)))
	out = append(out, body...)
	return append(out, make([]byte, len(body)&1)...)
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// fullRange mends the colours of a lossy WebP: it stores luma as 16 to 235 and
// chroma as 16 to 240, which the codec hands on as if they were 0 to 255
// (golang/go issue 40173).
func fullRange(m *image.YCbCr) {
	var luma, chroma [256]byte
	for v := range 256 {
		luma[v] = clamped(float64(v-16) * 255 / 219)
		chroma[v] = clamped(float64(v-128)*255/224 + 128)
	}
	lookUp(m.Y, luma[:])
	lookUp(m.Cb, chroma[:])
	lookUp(m.Cr, chroma[:])
}

func clamped(v float64) byte { return byte(math.Round(min(max(v, 0), 255))) }
