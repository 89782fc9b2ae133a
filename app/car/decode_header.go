package car

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
)

// maxScans bounds the passes of a JPEG. Ordinary progressive ones have about
// ten. A pass over an empty band costs a sender 100 bytes and us a walk over all
// pixels, so 10 MiB of them would keep a core busy for hours.
const maxScans = 50

// header is what is known of a picture before its pixels are decoded.
type header struct {
	codec         *codec
	width, height int // as stored, before orientation
	container
}

// container is what a format's walk finds around the pixels.
type container struct {
	exif          []byte // TIFF structure; nil for none
	canvas        image.Point
	bytesPerPixel int64 // what the codec holds at its peak
}

// inspect refuses what can be refused without decoding pixels.
func inspect(data []byte, limits Limits) (header, error) {
	if len(data) == 0 {
		return header{}, refuseEmpty()
	}
	if int64(len(data)) > limits.Bytes {
		return header{}, refuseSize(int64(len(data)), limits.Bytes)
	}
	c, err := sniff(data)
	if err != nil {
		return header{}, err
	}
	h, err := guarded(func() (header, error) { return readHeader(c, data, limits) })
	if err != nil {
		return header{}, refuseContent(c, err)
	}
	return h, nil
}

func readHeader(c *codec, data []byte, limits Limits) (header, error) {
	box, err := c.walk(data)
	if err != nil {
		return header{}, err
	}
	// The WebP codec calls a canvas of more than 2^31 pixels malformed; say
	// what is really the matter.
	if tooMany(box.canvas.X, box.canvas.Y, limits) {
		return header{}, refusePixels(box.canvas.X, box.canvas.Y, limits.Pixels)
	}
	cfg, err := c.config(bytes.NewReader(data))
	if err != nil {
		return header{}, err
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return header{}, errors.New("picture without pixels")
	}
	if tooMany(cfg.Width, cfg.Height, limits) {
		return header{}, refusePixels(cfg.Width, cfg.Height, limits.Pixels)
	}
	if c == jpegCodec && (cfg.ColorModel == color.CMYKModel || cfg.ColorModel == color.RGBAModel) {
		box.bytesPerPixel += 4 // the codec copies these out of its planes
	}
	return header{codec: c, width: cfg.Width, height: cfg.Height, container: box}, nil
}

func tooMany(width, height int, limits Limits) bool {
	return int64(width)*int64(height) > limits.Pixels
}

// walkJPEG goes from marker to marker up to the end of the picture.
func walkJPEG(data []byte) (container, error) {
	box, scans := container{bytesPerPixel: 3}, 0
	for pos := 2; pos+4 <= len(data); {
		if data[pos] != 0xff { // compressed data
			next := bytes.IndexByte(data[pos:], 0xff)
			if next < 0 {
				break
			}
			pos += next
			continue
		}
		marker := data[pos+1]
		if marker == 0xff {
			pos++
			continue
		}
		if marker == 0 || 0xd0 <= marker && marker <= 0xd7 { // belongs to compressed data
			pos += 2
			continue
		}
		if marker == 0xd9 { // end of image
			break
		}
		end := min(pos+2+max(2, int(binary.BigEndian.Uint16(data[pos+2:]))), len(data))
		body := data[pos+4 : end]
		pos = end
		switch {
		case marker == 0xda: // start of scan
			if scans++; scans > maxScans {
				return container{}, refuseScans()
			}
		case 0xc0 <= marker && marker <= 0xc2 && len(body) > 5: // frame header
			box.bytesPerPixel = planes(int64(body[5]), marker == 0xc2)
		case marker == 0xe1 && box.exif == nil && starts(body, "Exif\x00\x00"):
			box.exif = body[6:]
		}
	}
	return box, nil
}

// planes counts a byte a pixel for each component, and in a progressive JPEG
// four more for its coefficients, which are all held until the last pass.
func planes(components int64, progressive bool) int64 {
	if progressive {
		return 5 * components
	}
	return components
}

// walkPNG goes over the chunks: length, type, body, checksum.
func walkPNG(data []byte) (container, error) {
	box := container{bytesPerPixel: 4}
	for pos := 8; pos+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[pos:]))
		if n > int64(len(data)-pos-12) {
			break // the codec says what is wrong
		}
		kind, body := string(data[pos+4:pos+8]), data[pos+8:pos+8+int(n)]
		switch {
		case kind == "IHDR" && len(body) == 13:
			if depth := body[8]; depth == 16 {
				box.bytesPerPixel = 8
			}
			if interlaced := body[12] != 0; interlaced {
				box.bytesPerPixel *= 2 // each pass is a picture of its own
			}
		case kind == "eXIf" && box.exif == nil:
			box.exif = body
		}
		pos += 12 + int(n)
	}
	return box, nil
}

// walkGIF has nothing to find: a GIF has no orientation.
func walkGIF([]byte) (container, error) { return container{bytesPerPixel: 1}, nil }
