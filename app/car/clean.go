package car

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// errStructure: a picture's container is not built as its format says.
var errStructure = errors.New("unexpected structure")

// Clean returns an upload as strangers may see it: the same pixels, bit by bit,
// without what a camera or a program noted beside them (place, time, owner,
// serial numbers, small copies, whatever is appended). The orientation and the
// colour profile stay. A picture without notes comes back as it was.
//
// It keeps what is known to be harmless and drops the rest. The error says that
// the container is odd; then the picture is to be encoded anew (Thumbnail).
func Clean(data []byte) ([]byte, error) {
	c, err := sniff(data)
	if err != nil {
		return nil, err
	}
	return guarded(func() ([]byte, error) {
		box, err := c.walk(data)
		if err != nil {
			return nil, err
		}
		turn := orientation(box.exif)
		switch c {
		case jpegCodec:
			return cleanJPEG(data, turn)
		case pngCodec:
			return cleanPNG(data, turn)
		case webpCodec:
			return cleanWebP(data, turn)
		default:
			return cleanGIF(data)
		}
	})
}

// orientationOnly is a TIFF structure that tells a turn and nothing else.
func orientationOnly(t turn) []byte {
	return []byte{'M', 'M', 0, 42, 0, 0, 0, 8, // big-endian, directory at 8
		0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(t), 0, 0, // one entry: Orientation, one short
		0, 0, 0, 0} // no other directory
}

// cleanJPEG goes over the segments. In compressed data 0xff is followed by
// zero or by a restart marker; anything else is the next segment.
func cleanJPEG(data []byte, t turn) ([]byte, error) {
	out := slices.Clone(data[:2])
	noted := t == upright
	for pos := 2; ; {
		for pos+1 < len(data) && data[pos] == 0xff && data[pos+1] == 0xff { // padding
			pos++
		}
		if pos+4 > len(data) && !bytes.HasPrefix(data[pos:], []byte{0xff, 0xd9}) || data[pos] != 0xff {
			return nil, errStructure
		}
		marker := data[pos+1]
		if marker == 0xd9 { // end of image; what follows is no part of it
			return append(out, 0xff, 0xd9), nil
		}
		if marker < 0xc0 || 0xd0 <= marker && marker <= 0xd8 {
			return nil, errStructure
		}
		end := pos + 2 + int(binary.BigEndian.Uint16(data[pos+2:]))
		if end < pos+4 || end > len(data) {
			return nil, errStructure
		}
		if !noted && marker != 0xe0 {
			exif := append([]byte("Exif\x00\x00"), orientationOnly(t)...)
			out = binary.BigEndian.AppendUint16(append(out, 0xff, 0xe1), uint16(len(exif)+2))
			out, noted = append(out, exif...), true
		}
		if keepsSegment(marker, data[pos+4:end]) {
			out = append(out, data[pos:end]...)
		}
		pos = end
		if marker == 0xda {
			next := endOfScan(data[pos:])
			if next < 0 {
				return nil, errStructure
			}
			out = append(out, data[pos:pos+next]...)
			pos += next
		}
	}
}

// keepsSegment is true for what decoding needs: all that is not application
// data or a comment, and of those JFIF without a small copy, colour profiles
// and Adobe's note on colours.
func keepsSegment(marker byte, body []byte) bool {
	switch {
	case marker == 0xe0:
		return starts(body, "JFIF\x00") && len(body) == 14
	case marker == 0xe2:
		return starts(body, "ICC_PROFILE\x00")
	case marker == 0xee:
		return starts(body, "Adobe") && len(body) == 12
	}
	return marker < 0xe0
}

// endOfScan is where compressed data ends; -1 if it does not.
func endOfScan(data []byte) int {
	for pos := 0; ; {
		next := bytes.IndexByte(data[pos:], 0xff)
		if next < 0 || pos+next+1 >= len(data) {
			return -1
		}
		pos += next
		if m := data[pos+1]; m != 0 && m != 0xff && (m < 0xd0 || m > 0xd7) {
			return pos
		}
		pos++
	}
}
