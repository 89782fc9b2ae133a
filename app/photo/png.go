package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"math"
)

// pngFile is a PNG taken apart: header and palette as they are, pixels, and
// what it says about colours.
type pngFile struct {
	parts            [][]byte // what the codec gets, whole chunks
	pixels           [][]byte // the bodies of the chunks of pixels
	depth, kind      byte
	interlaced, ends bool
	exif, icc, cicp  []byte
	gamma            float64
	srgb             bool
}

// inspectPNG goes over the chunks: length, type, body, check sum.
func inspectPNG(h *Header, data []byte, limits Limits) error {
	f := &pngFile{parts: [][]byte{data[:8]}}
	for pos := 8; pos+8 <= len(data) && !f.ends; {
		n := int64(binary.BigEndian.Uint32(data[pos:]))
		end := min(int64(pos)+8+n, int64(len(data)))
		if err := f.chunk(h, string(data[pos+4:pos+8]), data[pos+8:end], data[end:min(end+4, int64(len(data)))], limits); err != nil {
			return err
		}
		pos = int(min(end+4, int64(len(data))))
	}
	switch {
	case h.size == image.Point{}:
		return errors.New("no header")
	case len(f.pixels) == 0:
		return errIncomplete
	case len(f.pixels) > maxParts:
		return errors.New("too many chunks")
	}
	f.keep("IDAT", f.pixels...)
	f.keep("IEND")
	h.turn = orientation(f.exif)
	f.colours(h)
	h.Memory = f.memory(h.size) + scaleMemory(h.size)
	h.decode = func() (image.Image, error) {
		img, err := png.Decode(join(f.parts))
		if _, odd := errors.AsType[png.UnsupportedError](err); odd {
			err = fmt.Errorf("%w: %w", errOdd, err)
		}
		if err != nil && !f.ends {
			err = fmt.Errorf("%w: %w", errIncomplete, err)
		}
		return img, err
	}
	return nil
}

// chunk keeps what pixels need. A check sum that is wrong counts where nothing
// else shows a fault: pixels have one of their own inside. A chunk that may be
// left out is left out then, as browsers do.
func (f *pngFile) chunk(h *Header, kind string, body, sum []byte, limits Limits) error {
	intact := len(sum) == 4 && binary.BigEndian.Uint32(sum) == crc32.Update(crc32.ChecksumIEEE([]byte(kind)), crc32.IEEETable, body)
	if optional := kind[0]&0x20 != 0; optional && !intact {
		return nil
	}
	switch kind {
	case "IHDR":
		if len(body) != 13 || !intact || h.size != (image.Point{}) {
			return errors.New("bad header")
		}
		f.depth, f.kind, f.interlaced = body[8], body[9], body[12] != 0
		f.keep(kind, body)
		return h.announce(int(int32(binary.BigEndian.Uint32(body))), int(int32(binary.BigEndian.Uint32(body[4:]))), limits)
	case "CgBI":
		return fmt.Errorf("%w: made for a phone's own decoder", errOdd)
	case "PLTE":
		if !intact {
			return errors.New("bad palette")
		}
		f.keep(kind, body)
	case "tRNS":
		if len(f.pixels) == 0 {
			f.keep(kind, body)
		}
	case "IDAT":
		f.pixels = append(f.pixels, body)
	case "IEND":
		f.ends = true
	case "eXIf":
		f.exif = body
	case "iCCP":
		f.icc = body
	case "cICP":
		f.cicp = body
	case "sRGB":
		f.srgb = true
	case "gAMA":
		if len(body) == 4 {
			f.gamma = float64(binary.BigEndian.Uint32(body)) / 100000
		}
	}
	return nil
}

// keep makes one chunk of the bodies of some.
func (f *pngFile) keep(kind string, bodies ...[]byte) {
	sum, length := crc32.ChecksumIEEE([]byte(kind)), 0
	for _, b := range bodies {
		sum, length = crc32.Update(sum, crc32.IEEETable, b), length+len(b)
	}
	f.parts = append(f.parts, append(binary.BigEndian.AppendUint32(nil, uint32(length)), kind...))
	f.parts = append(append(f.parts, bodies...), binary.BigEndian.AppendUint32(nil, sum))
}

// memory is what the codec holds: up to four samples of one or two bytes, and all
// of it again if interlaced, as each pass is a picture.
func (f *pngFile) memory(size image.Point) int64 {
	perPixel := int64(4)
	if f.depth == 16 {
		perPixel = 8
	}
	if f.interlaced {
		perPixel *= 2
	}
	return perPixel*int64(size.X)*int64(size.Y) + 1<<20 + 16*int64(size.X)
}

// colours carries the profile over, or turns values that have another gamma
// into those a screen expects, as browsers do. A cICP chunk other than sRGB's is
// not done: its pixels are shown as they are.
func (f *pngFile) colours(h *Header) {
	const screen = 2.2
	exponent := 1 / (f.gamma * screen)
	switch {
	case len(f.cicp) >= 2 && (f.cicp[0] != 1 || f.cicp[1] != 13):
		h.drop(fmt.Sprintf("cICP: primaries %d, transfer %d", f.cicp[0], f.cicp[1]))
	case f.icc != nil:
		profile, err := inflateProfile(f.icc)
		if err != nil {
			h.drop(fmt.Sprintf("profile: %v", err))
		}
		h.carry(profile, f.kind == 0 || f.kind == 4)
	case f.gamma > 0.01 && !f.srgb && f.cicp == nil && math.Abs(exponent-1) > 0.05:
		h.gamma = make([]byte, 256)
		for i := range h.gamma {
			h.gamma[i] = byte(math.Round(255 * math.Pow(float64(i)/255, exponent)))
		}
	}
}

// inflateProfile reads an iCCP chunk: a name, a zero, the method, zlib data.
func inflateProfile(body []byte) ([]byte, error) {
	_, rest, _ := bytes.Cut(body, []byte{0})
	if len(rest) == 0 || rest[0] != 0 {
		return nil, errors.New("unknown compression")
	}
	z, err := zlib.NewReader(bytes.NewReader(rest[1:]))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxProfile+1))
}
