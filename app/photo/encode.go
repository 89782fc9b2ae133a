package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"math/bits"
)

// encode writes a JPEG. Header and tables are those of image/jpeg; the scan is
// written here, because image/jpeg takes three times as long for it, which is
// more than decoding does.
func encode(planes []plane, quality int, profile []byte) ([]byte, error) {
	like, r := image.Image(image.NewGray(image.Rect(0, 0, 1, 1))), image.Rect(0, 0, 1, 1)
	if len(planes) > 1 {
		like = image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	}
	var head bytes.Buffer
	if err := jpeg.Encode(&head, like, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	j, err := takeApart(head.Bytes(), func(int, int) error { return nil })
	if err != nil {
		return nil, err
	}
	size := planes[0].size
	e := &encoder{out: make([]byte, 0, size.X*size.Y+len(profile)+1024)}
	e.out = appendProfile(append(e.out, 0xff, mSOI), profile)
	for _, seg := range j.parts[:len(j.parts)-2] { // without the scan's data
		switch body := seg[4:]; seg[1] {
		case mSOF0:
			binary.BigEndian.PutUint16(body[1:], uint16(size.Y))
			binary.BigEndian.PutUint16(body[3:], uint16(size.X))
		case mDQT:
			e.quantisation(body)
		case mDHT:
			e.huffman(body)
		}
		e.out = append(e.out, seg...)
	}
	e.scan(planes)
	return append(e.out, 0xff, mEOI), nil
}

type encoder struct {
	out   []byte
	acc   uint64 // bits not yet written, n of them
	n     uint
	scale [2][64]float32 // for luma and chroma, in the order of the file
	codes [2][2][256]code
}

type code struct {
	bits uint32
	n    uint8
}

// zigzag is the order of coefficients in the file.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// quantisation turns tables into factors, which hold what the transform leaves
// out, too.
func (e *encoder) quantisation(tables []byte) {
	left := [8]float32{1, 1.387039845, 1.306562965, 1.175875602, 1, 0.785694958, 0.541196100, 0.275899379}
	for ; len(tables) >= 65; tables = tables[65:] {
		for i, at := range zigzag {
			e.scale[tables[0]][i] = 1 / (8 * float32(tables[1+i]) * left[at/8] * left[at%8])
		}
	}
}

func (e *encoder) huffman(tables []byte) {
	for len(tables) > 17 {
		codes, values, next := &e.codes[tables[0]&15][tables[0]>>4], tables[17:], uint32(0)
		for length, count := range tables[1:17] {
			for _, v := range values[:count] {
				codes[v] = code{next, uint8(length + 1)}
				next++
			}
			values, next = values[count:], next<<1
		}
		tables = values
	}
}

func (e *encoder) scan(planes []plane) {
	step, size := 8, planes[0].size
	if len(planes) > 1 {
		step = 16
	}
	var before [3]int32
	for y := 0; y < size.Y; y += step {
		for x := 0; x < size.X; x += step {
			for i := range step * step / 64 {
				before[0] = e.block(planes[0], x+i%2*8, y+i/2*8, 0, before[0])
			}
			for c := 1; c < len(planes); c++ {
				before[c] = e.block(planes[c], x/2, y/2, 1, before[c])
			}
		}
	}
	e.put(0x7f, 7) // fill the last byte
	e.flush(e.n / 8)
}

// block writes the 8 x 8 pixels at x, y and returns their mean, of which the next
// block tells the difference.
func (e *encoder) block(p plane, x, y, table int, before int32) int32 {
	var b [64]float32
	p.transform(&b, x, y)
	factors, codes := &e.scale[table], &e.codes[table]
	var values [64]int32
	var some uint64 // which values are not zero: asking for each would be slow
	for i, at := range zigzag {
		const half = 1 << 14 // makes cutting off a rounding
		v := int32(b[at&63]*factors[i]+half+0.5) - half
		values[i] = v
		some |= uint64(uint32(v|-v)>>31) << (i & 63)
	}
	e.value(&codes[0], 0, values[0]-before)
	last := 0
	for some &^= 1; some != 0; some &= some - 1 {
		i := bits.TrailingZeros64(some)
		zeros := i - last - 1
		for ; zeros > 15; zeros -= 16 {
			e.put(uint64(codes[1][0xf0].bits), uint(codes[1][0xf0].n))
		}
		e.value(&codes[1], zeros, values[i&63])
		last = i
	}
	if last < 63 {
		e.put(uint64(codes[1][0].bits), uint(codes[1][0].n))
	}
	return values[0]
}

// value writes a number behind so many zeros: the code of both their lengths,
// then its bits.
func (e *encoder) value(codes *[256]code, zeros int, v int32) {
	sign := v >> 31
	n := uint(bits.Len32(uint32((v ^ sign) - sign)))
	c := codes[(zeros<<4|int(n))&255]
	e.put(uint64(c.bits)<<n|uint64(uint32(v+sign))&(1<<n-1), uint(c.n)+n)
}

func (e *encoder) put(v uint64, n uint) {
	e.acc = e.acc<<(n&63) | v
	if e.n += n; e.n >= 32 {
		e.flush(4)
	}
}

// flush writes the first n bytes of what is held; a zero marks those that are no
// marker.
func (e *encoder) flush(n uint) {
	e.n -= 8 * n
	v := uint32(e.acc >> (e.n & 63))
	if n == 4 && v&0x80808080&(^v-0x01010101) == 0 { // none is 0xff
		e.out = binary.BigEndian.AppendUint32(e.out, v)
		return
	}
	for ; n > 0; n-- {
		b := byte(v >> (8*n - 8))
		if e.out = append(e.out, b); b == 0xff {
			e.out = append(e.out, 0)
		}
	}
}

// transform is the cosine transform of Arai, Agui and Nakajima of the 8 x 8
// pixels at x, y; a factor for each coefficient remains. Beyond its edge a plane
// goes on as it ends.
func (p plane) transform(b *[64]float32, x, y int) {
	for i := range 8 {
		row := p.row(min(y+i, p.size.Y-1))
		var edge [8]byte
		in := &edge
		if x+8 <= len(row) {
			in = (*[8]byte)(row[x:])
		} else {
			for k := range in {
				in[k] = row[min(x+k, len(row)-1)]
			}
		}
		r := (*[8]float32)(b[8*i:])
		r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = transform8(float32(in[0]), float32(in[1]), float32(in[2]), float32(in[3]),
			float32(in[4]), float32(in[5]), float32(in[6]), float32(in[7]))
	}
	for i := range 8 {
		b[i], b[i+8], b[i+16], b[i+24], b[i+32], b[i+40], b[i+48], b[i+56] = transform8(b[i], b[i+8], b[i+16], b[i+24], b[i+32], b[i+40], b[i+48], b[i+56])
	}
	b[0] -= 64 * 128 // values are to lie around zero
}

func transform8(a, b, c, d, e, f, g, h float32) (_, _, _, _, _, _, _, _ float32) {
	s0, s1, s2, s3, d0, d1, d2, d3 := a+h, b+g, c+f, d+e, a-h, b-g, c-f, d-e
	e0, e1, e2, e3 := s0+s3, s1+s2, s1-s2, s0-s3
	z := (e2 + e3) * 0.707106781
	o0, o1, o2 := d3+d2, d2+d1, d1+d0
	z5 := (o0 - o2) * 0.382683433
	z2, z4, z3 := 0.541196100*o0+z5, 1.306562965*o2+z5, o1*0.707106781
	p, m := d0+z3, d0-z3
	return e0 + e1, p + z4, e3 + z, m - z2, e0 - e1, m + z2, e3 - z, p - z4
}
