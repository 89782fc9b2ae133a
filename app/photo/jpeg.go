package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// maxScans bounds the passes of a JPEG. Ordinary progressive ones have about
// ten. A pass over an empty band costs a sender 100 bytes and us a walk over all
// pixels, so 10 MiB of them would keep a core busy for hours.
const maxScans = 50

// maxParts bounds what a file is taken apart into: there could be millions.
const maxParts = 1 << 16

// Markers: the second bytes of a segment.
const (
	mSOF0, mSOF1, mSOF2, mDHT, mJPG, mDAC, mSOF15 = 0xc0, 0xc1, 0xc2, 0xc4, 0xc8, 0xcc, 0xcf
	mRST0, mSOI, mEOI, mSOS, mDQT, mDRI           = 0xd0, 0xd8, 0xd9, 0xda, 0xdb, 0xdd
	mAPP0, mAPP1, mAPP2, mAPP14, mLS              = 0xe0, 0xe1, 0xe2, 0xee, 0xf7
)

// jpegFile is a JPEG taken apart.
type jpegFile struct {
	// parts are the segments that pixels need, in their order: tables, frame,
	// scans. An empty part is where a scan's data end.
	parts         [][]byte
	width, height int
	comps         []component
	progressive   bool
	interval      int  // units between restart markers; 0 for none
	restarts      int  // how many such markers the scan at hand must have
	wideTables    bool // quantisation tables of 16 bits
	interleaved   bool // the first scan has all components
	scans         int
	open          bool   // no marker follows the last scan: its data may have been cut off
	colours       string // gray, ycc, rgb, cmyk or ycck

	jfif  bool
	adobe int // what Adobe's segment says of the colours; -1 for no such segment
	exif  []byte
	icc   [256][]byte // pieces of a colour profile
}

// component is one plane: how many of its blocks are in a unit, and how many low
// bits of each coefficient have not come yet (-1: nothing has).
type component struct {
	id, h, v byte
	missing  [64]int8
}

// takeApart goes from segment to segment until all pixels are there. It returns
// errIncomplete if the file ends before.
func takeApart(data []byte, announce func(width, height int) error) (*jpegFile, error) {
	j := &jpegFile{adobe: -1}
	for pos := 2; ; {
		for pos < len(data) && (data[pos] != 0xff || pos+1 < len(data) && data[pos+1] == 0xff) { // fill bytes, or rubbish
			pos++
		}
		if pos+2 > len(data) {
			return j, errIncomplete
		}
		marker := data[pos+1]
		switch {
		case marker == mEOI && j.scans == 0:
			return j, errors.New("no scan")
		case marker == mEOI && (j.progressive || j.whole()):
			return j, nil // a progressive one may end early: then it is less sharp
		case marker == mEOI || pos+4 > len(data):
			return j, errIncomplete
		case marker <= 1, mRST0 <= marker && marker <= mSOI: // of no length
			pos += 2
			continue
		}
		n := int(binary.BigEndian.Uint16(data[pos+2:]))
		if n < 2 {
			return j, errors.New("segment without length")
		}
		if pos+2+n > len(data) {
			return j, errIncomplete
		}
		if len(j.parts) > maxParts {
			return j, errors.New("too many segments")
		}
		if err := j.segment(data[pos:pos+2+n], announce); err != nil {
			return j, err
		}
		if pos += 2 + n; marker != mSOS {
			continue
		}
		if pos += j.scanData(data[pos:]); j.open && j.restarts > 0 {
			return j, errIncomplete
		}
		if j.whole() {
			return j, nil
		}
	}
}

// segment keeps one segment, or what it says. It begins with 0xff and the marker.
func (j *jpegFile) segment(seg []byte, announce func(width, height int) error) error {
	marker, body := seg[1], seg[4:]
	switch {
	case marker == mDHT, marker == mDQT, marker == mDRI:
		if marker == mDRI && len(body) >= 2 {
			j.interval = int(binary.BigEndian.Uint16(body))
		}
		j.wideTables = j.wideTables || marker == mDQT && len(body) > 0 && body[0]>>4 != 0
		j.parts = append(j.parts, seg)
	case marker == mDAC, marker == mJPG:
	case mSOF0 <= marker && marker <= mSOF15, marker == mLS:
		return j.frame(seg, announce)
	case marker == mSOS:
		return j.scan(seg)
	case marker == mAPP0:
		j.jfif = j.jfif || starts(body, "JFIF\x00") && len(body) >= 14
	case marker == mAPP1 && j.exif == nil && starts(body, "Exif\x00"):
		j.exif = body
	case marker == mAPP2 && starts(body, "ICC_PROFILE\x00") && len(body) > 14:
		j.icc[body[12]] = body[14:]
	case marker == mAPP14 && starts(body, "Adobe") && len(body) >= 12:
		j.adobe = int(body[11])
	}
	return nil
}

func (j *jpegFile) frame(seg []byte, announce func(width, height int) error) error {
	marker, body := seg[1], seg[4:]
	if len(body) < 6 || j.comps != nil {
		return errors.New("bad frame")
	}
	n := int(body[5])
	j.height, j.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if marker > mSOF2 || body[0] != 8 || n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%w: marker %#x, %d bits, %d components", errOdd, marker, body[0], n)
	}
	if len(body) < 6+3*n {
		return errors.New("bad frame")
	}
	for ; len(j.comps) < n; body = body[3:] {
		c := component{id: body[6], h: body[7] >> 4, v: body[7] & 15}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || j.find(c.id) >= 0 {
			return errors.New("bad component")
		}
		for i := range c.missing {
			c.missing[i] = -1
		}
		j.comps = append(j.comps, c)
	}
	j.progressive = marker == mSOF2
	if marker == mSOF1 { // as SOF0, but for tables that all decoders here take
		seg = append([]byte{0xff, mSOF0}, seg[2:]...)
	}
	j.parts = append(j.parts, seg)
	return announce(j.width, j.height)
}

func (j *jpegFile) find(id byte) int {
	return slices.IndexFunc(j.comps, func(c component) bool { return c.id == id })
}

// scan notes what a scan brings: which components, and how far.
func (j *jpegFile) scan(seg []byte) error {
	body := seg[4:]
	if j.comps == nil || len(body) < 1 || body[0] < 1 || len(body) < 4+2*int(body[0]) {
		return errors.New("bad scan")
	}
	if j.scans++; j.scans > maxScans {
		return &Refusal{Reason: ErrUnsupportedType, Key: "scans", Args: []any{maxScans}}
	}
	n := int(body[0])
	j.interleaved = j.interleaved || j.scans == 1 && n == len(j.comps)
	first, last, low := int(body[1+2*n]), min(int(body[2+2*n]), 63), int8(body[3+2*n]&15)
	if !j.progressive {
		first, last, low = 0, 63, 0
	}
	for i := range n {
		at := j.find(body[1+2*i])
		if at < 0 {
			return errors.New("scan of an unknown component")
		}
		for k := first; k <= last; k++ {
			j.comps[at].missing[k] = low
		}
	}
	j.parts = append(j.parts, seg)
	if j.restarts = 0; j.interval > 0 {
		j.restarts = ceilDiv(j.units(j.comps[j.find(body[1])], n > 1), j.interval) - 1
	}
	return nil
}

// units counts what a scan of several components is made of, or the blocks of
// the one that a scan has.
func (j *jpegFile) units(c component, several bool) int {
	h, v := 1, 1
	for _, o := range j.comps {
		h, v = max(h, int(o.h)), max(v, int(o.v))
	}
	if several {
		return ceilDiv(j.width, 8*h) * ceilDiv(j.height, 8*v)
	}
	return ceilDiv(j.width*int(c.h), 8*h) * ceilDiv(j.height*int(c.v), 8*v)
}

// scanData keeps the compressed data of a scan, and returns their length. In
// them 0xff is followed by zero or by a restart marker.
func (j *jpegFile) scanData(data []byte) int {
	for end := 0; ; end += 2 {
		next := bytes.IndexByte(data[end:], 0xff)
		if end += next; next < 0 || end+1 == len(data) {
			break
		}
		if m := data[end+1]; m != 0 && (m < mRST0 || m >= mSOI) {
			j.parts = append(j.parts, data[:end], nil)
			return end
		} else if m != 0 {
			j.restarts--
		}
	}
	// Zeros at the end of a file are what a broken copy leaves. Two may belong
	// to the picture.
	end := len(data)
	for end > 2 && data[end-1] == 0 && data[end-2] == 0 && data[end-3] == 0 {
		end--
	}
	for end > 0 && data[end-1] == 0xff { // half of a marker
		end--
	}
	j.open = true
	j.parts = append(j.parts, data[:end], nil)
	return len(data)
}

// whole tells whether all coefficients of all components have come.
func (j *jpegFile) whole() bool {
	return !slices.ContainsFunc(j.comps, func(c component) bool { return c.missing != [64]int8{} })
}

// tellColours follows libjpeg: JFIF before Adobe before the names of components.
func (j *jpegFile) tellColours() error {
	switch n := len(j.comps); {
	case n == 1:
		j.colours = "gray"
	case n == 4 && j.adobe < 0:
		return fmt.Errorf("%w: CMYK that does not say how", errOdd)
	case n == 4 && j.adobe == 0:
		j.colours = "cmyk"
	case n == 4:
		j.colours = "ycck"
	case !j.jfif && (j.adobe == 0 || j.adobe < 0 && j.namedRGB()):
		j.colours = "rgb"
	default:
		j.colours = "ycc"
	}
	return nil
}

func (j *jpegFile) namedRGB() bool {
	return j.comps[0].id == 'R' && j.comps[1].id == 'G' && j.comps[2].id == 'B'
}
