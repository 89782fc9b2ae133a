package car

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// pngChunks are those that say how pixels are decoded and shown, animation
// included.
var pngChunks = []string{
	"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "sBIT", "bKGD", "pHYs", "acTL", "fcTL", "fdAT",
}

func cleanPNG(data []byte, t turn) ([]byte, error) {
	out := slices.Clone(data[:8])
	for pos := 8; pos+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[pos:]))
		if n > int64(len(data)-pos-12) {
			return nil, errStructure
		}
		kind, end := string(data[pos+4:pos+8]), pos+12+int(n)
		if slices.Contains(pngChunks, kind) {
			out = append(out, data[pos:end]...)
		}
		if kind == "IHDR" && t != upright {
			out = appendPNGChunk(out, "eXIf", orientationOnly(t))
		}
		if kind == "IEND" {
			return out, nil
		}
		pos = end
	}
	return nil, errStructure
}

func appendPNGChunk(out []byte, kind string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	start := len(out)
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}

// Flags in a WebP's first chunk that announce other chunks.
const (
	webpHasXMP  = 1 << 2
	webpHasEXIF = 1 << 3
)

func cleanWebP(data []byte, t turn) ([]byte, error) {
	out := slices.Clone(data[:12])
	extended := -1 // where the flags are
	for pos := 12; pos+8 <= len(data); {
		kind, n := string(data[pos:pos+4]), int64(binary.LittleEndian.Uint32(data[pos+4:]))
		if n > int64(len(data)-pos-8) {
			break // rubbish behind the picture; walkWebP has looked for the pixels
		}
		body := data[pos+8 : pos+8+int(n)]
		switch kind {
		case "VP8X":
			if len(body) < 4 {
				return nil, errStructure
			}
			extended = len(out) + 8
			out = appendRIFFChunk(out, kind, body)
		case "VP8 ", "VP8L", "ALPH", "ICCP":
			out = appendRIFFChunk(out, kind, body)
		}
		pos += 8 + int(n) + int(n&1)
	}
	if extended >= 0 {
		out[extended] &^= webpHasXMP | webpHasEXIF
		if t != upright {
			out[extended] |= webpHasEXIF
			out = appendRIFFChunk(out, "EXIF", orientationOnly(t))
		}
	} else if t != upright {
		return nil, errStructure // EXIF without the chunk that announces it
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out, nil
}

func appendRIFFChunk(out []byte, kind string, body []byte) []byte {
	out = binary.LittleEndian.AppendUint32(append(out, kind...), uint32(len(body)))
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// cleanGIF drops comments, texts and the data of programs, except how often an
// animation repeats.
func cleanGIF(data []byte) ([]byte, error) {
	if len(data) < 13 {
		return nil, errStructure
	}
	pos := 13 + gifTable(data[10])
	if pos > len(data) {
		return nil, errStructure
	}
	out := slices.Clone(data[:pos])
	for pos < len(data) {
		start, keep := pos, true
		switch data[pos] {
		case 0x3b: // end; what follows is no part of it
			return append(out, 0x3b), nil
		case 0x2c: // a frame: position, size, flags, colours, code size
			if pos+10 > len(data) {
				return nil, errStructure
			}
			pos += 10 + gifTable(data[pos+9]) + 1
		case 0x21:
			if pos+2 > len(data) {
				return nil, errStructure
			}
			keep = data[pos+1] == 0xf9 || bytes.HasPrefix(data[pos+1:], []byte("\xff\x0bNETSCAPE2.0"))
			pos += 2
		default:
			return nil, errStructure
		}
		for { // sub-blocks up to an empty one
			if pos >= len(data) {
				return nil, errStructure
			}
			n := int(data[pos])
			pos += 1 + n
			if n == 0 {
				break
			}
		}
		if pos > len(data) {
			return nil, errStructure
		}
		if keep {
			out = append(out, data[start:pos]...)
		}
	}
	return nil, errStructure
}

// gifTable is the size in bytes of the colour table that flags announce.
func gifTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (1 + flags&7)
}
