package photo

import (
	"compress/lzw"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// gifFrame is the first frame of a GIF. It is read here and not by image/gif,
// which refuses frames that reach over the canvas, data behind the last pixel
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
	h.Memory = 2*int64(f.where.Dx())*int64(f.where.Dy()) + 1<<20 + scaleMemory(canvas.X)
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
	global := data[13:min(pos, len(data))]
	for pos+1 < len(data) {
		switch data[pos] {
		case 0x21: // an extension; that before a frame tells its transparent colour
			if data[pos+1] == 0xf9 && pos+8 <= len(data) && data[pos+2] >= 4 && data[pos+3]&1 != 0 {
				f.transparent = int(data[pos+6])
			}
			pos += 2
			for pos < len(data) && data[pos] != 0 {
				pos += 1 + int(data[pos])
			}
			pos++
		case 0x2c: // a frame
			if pos+11 > len(data) {
				return f, canvas, errIncomplete
			}
			at := image.Pt(u16(pos+1), u16(pos+3))
			f.where = image.Rectangle{Min: at, Max: at.Add(image.Pt(u16(pos+5), u16(pos+7)))}
			flags, own := data[pos+9], gifTable(data[pos+9])
			f.interlaced = flags&0x40 != 0
			f.data = data[min(pos+10+own, len(data)):]
			if f.colours = global; own > 0 {
				f.colours = data[pos+10 : min(pos+10+own, len(data))]
			}
			return f, canvas, nil
		case 0x3b:
			return f, canvas, errors.New("no frame")
		default:
			pos++ // browsers look on, too
		}
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
	if len(f.data) < 2 {
		return nil, errIncomplete
	}
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
	img := image.NewPaletted(f.where, palette)
	codes := lzw.NewReader(&gifBlocks{left: f.data[1:]}, lzw.LSB, max(2, int(width)))
	defer codes.Close()
	for _, y := range gifRows(f.where.Dy(), f.interlaced) {
		if _, err := io.ReadFull(codes, img.Pix[y*img.Stride:][:img.Stride]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errIncomplete
			}
			return nil, err
		}
	}
	return img, nil
}

// gifRows is the order in which rows are stored.
func gifRows(height int, interlaced bool) (rows []int) {
	passes := [][2]int{{0, 1}}
	if interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	for _, p := range passes {
		for y := p[0]; y < height; y += p[1] {
			rows = append(rows, y)
		}
	}
	return rows
}

// gifBlocks reads data that are stored in blocks of a length and as many bytes;
// one of no length ends them.
type gifBlocks struct{ block, left []byte }

func (b *gifBlocks) ReadByte() (byte, error) {
	if len(b.block) == 0 {
		if len(b.left) == 0 || b.left[0] == 0 || len(b.left) == 1 {
			return 0, io.EOF
		}
		n := min(1+int(b.left[0]), len(b.left))
		b.block, b.left = b.left[1:n], b.left[n:]
	}
	v := b.block[0]
	b.block = b.block[1:]
	return v, nil
}

func (b *gifBlocks) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	v, err := b.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = v
	return 1, nil
}
