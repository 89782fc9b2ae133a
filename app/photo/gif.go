package photo

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// gifFrame is the first frame of a GIF. It is read here and not by image/gif,
// which refuses a frame that reaches over the canvas, data behind the last pixel
// and the like, all of which browsers show.
type gifFrame struct {
	where       image.Rectangle // on the canvas
	colours     []byte          // three bytes each
	transparent int             // -1 for none
	interlaced  bool
	data        []byte // from the code size on
}

func inspectGIF(h *Header, data []byte, limits Limits) error {
	f, canvas, err := readGIF(data)
	if err != nil {
		return err
	}
	if canvas.X == 0 || canvas.Y == 0 {
		canvas = f.where.Max // as browsers do
	}
	if err := h.announce(f.where.Dx(), f.where.Dy(), limits); err != nil {
		return err
	}
	h.partial = true
	h.Memory = int64(f.where.Dx())*int64(f.where.Dy()) + int64(len(data)) + 1<<20 + scaleMemory(canvas)
	h.decode = f.decode
	return h.announce(canvas.X, canvas.Y, limits)
}

// readGIF goes over the blocks up to the first frame.
func readGIF(data []byte) (f gifFrame, canvas image.Point, err error) {
	if len(data) < 13 {
		return f, canvas, errIncomplete
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(data[at:])) }
	canvas, f.transparent = image.Pt(u16(6), u16(8)), -1
	pos := 13 + gifTable(data[10])
	f.colours = data[13:min(pos, len(data))]
	for pos+11 < len(data) {
		switch data[pos] {
		case 0x21: // an extension; one before the frame tells its transparent colour
			if data[pos+1] == 0xf9 && data[pos+2] >= 4 && data[pos+3]&1 != 0 {
				f.transparent = int(data[pos+6])
			}
			pos += 2
			for pos < len(data) && data[pos] != 0 {
				pos += 1 + int(data[pos])
			}
		case 0x2c: // a frame
			at := image.Pt(u16(pos+1), u16(pos+3))
			f.where = image.Rectangle{Min: at, Max: at.Add(image.Pt(u16(pos+5), u16(pos+7)))}
			f.interlaced = data[pos+9]&0x40 != 0
			own := data[pos+10 : min(pos+10+gifTable(data[pos+9]), len(data))]
			if len(own) > 0 {
				f.colours = own
			}
			if f.data = data[pos+10+len(own):]; len(f.data) == 0 {
				return f, canvas, errIncomplete
			}
			return f, canvas, nil
		case 0x3b:
			return f, canvas, errors.New("no frame")
		}
		pos++ // also over what is no block, as browsers do
	}
	return f, canvas, errIncomplete
}

// gifTable is how long the table of colours is that these flags announce.
func gifTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func (f gifFrame) decode() (image.Image, error) {
	width := f.data[0]
	if width < 1 || width > 8 {
		return nil, fmt.Errorf("code size %d", width)
	}
	palette := make(color.Palette, 256) // what the table lacks is transparent
	for i := range palette {
		palette[i] = color.RGBA{}
		if i != f.transparent && 3*i+3 <= len(f.colours) {
			palette[i] = color.RGBA{f.colours[3*i], f.colours[3*i+1], f.colours[3*i+2], 255}
		}
	}
	codes := make([]byte, 0, len(f.data)) // stored in blocks of a length and as many bytes
	for b := f.data[1:]; len(b) > 1 && b[0] > 0; b = b[min(1+int(b[0]), len(b)):] {
		codes = append(codes, b[1:min(1+int(b[0]), len(b))]...)
	}
	pixels := lzw.NewReader(bytes.NewReader(codes), lzw.LSB, max(2, int(width)))
	defer pixels.Close()
	img := image.NewPaletted(f.where, palette)
	passes := [][2]int{{0, 1}}
	if f.interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	for _, p := range passes {
		for y := p[0]; y < f.where.Dy(); y += p[1] {
			if _, err := io.ReadFull(pixels, img.Pix[y*img.Stride:][:img.Stride]); err != nil {
				return nil, fmt.Errorf("%w: %w", errIncomplete, err)
			}
		}
	}
	return img, nil
}
