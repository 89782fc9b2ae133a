package model

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
)

// maxHeaderBytes bounds the JSON header; ViT-huge needs 60 kB.
const maxHeaderBytes = 8 << 20

// tensor is one entry of a safetensors header. Offsets count from the end of
// the header.
type tensor struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64
}

var widths = map[string]int64{"F32": 4, "F16": 2, "BF16": 2}

// readHeader reads the header of a safetensors file of size bytes and leaves
// r at the first tensor. The tensors come in the file's order and are known to
// fill the rest of the file without holes or overlaps.
// The format: https://github.com/huggingface/safetensors#format
func readHeader(r io.Reader, size int64) ([]tensor, error) {
	var prefix [8]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, fmt.Errorf("read the length of the header: %w", noEOF(err))
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > maxHeaderBytes || int64(length) > size-8 {
		return nil, fmt.Errorf("the header claims %d bytes; the file has %d and at most %d are supported", length, size, maxHeaderBytes)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, fmt.Errorf("read the header: %w", noEOF(err))
	}
	tensors, err := decodeHeader(header)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	slices.SortFunc(tensors, func(a, b tensor) int {
		if a.begin != b.begin {
			return cmp.Compare(a.begin, b.begin)
		}
		return cmp.Compare(a.end, b.end)
	})
	var at int64
	for _, t := range tensors {
		if t.begin != at {
			return nil, fmt.Errorf("tensor %q begins at byte %d where %d is due", t.name, t.begin, at)
		}
		at = t.end
	}
	if have := size - 8 - int64(length); at != have {
		return nil, fmt.Errorf("the tensors take %d bytes but the file holds %d", at, have)
	}
	return tensors, nil
}

// decodeHeader walks the JSON object by tokens, because a map would hide a
// name that comes twice.
func decodeHeader(header []byte) ([]tensor, error) {
	d := json.NewDecoder(bytes.NewReader(header))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	var tensors []tensor
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, noEOF(err)
		}
		name, _ := key.(string)
		if seen[name] {
			return nil, fmt.Errorf("%q comes twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			var notes map[string]string
			if err := d.Decode(&notes); err != nil {
				return nil, fmt.Errorf("__metadata__: %w", err)
			}
			continue
		}
		t, err := decodeTensor(d, name)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors = append(tensors, t)
	}
	if _, err := d.Token(); err != nil {
		return nil, noEOF(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return tensors, nil
}

func decodeTensor(d *json.Decoder, name string) (tensor, error) {
	var entry struct {
		Dtype   string  `json:"dtype"`
		Shape   []int64 `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := d.Decode(&entry); err != nil {
		return tensor{}, noEOF(err)
	}
	width, ok := widths[entry.Dtype]
	if !ok {
		return tensor{}, fmt.Errorf("dtype %q is not supported; F32, F16 and BF16 are", entry.Dtype)
	}
	if len(entry.Offsets) != 2 || entry.Offsets[0] < 0 || entry.Offsets[1] < entry.Offsets[0] {
		return tensor{}, fmt.Errorf("data_offsets %v are no range", entry.Offsets)
	}
	t := tensor{name: name, dtype: entry.Dtype, begin: entry.Offsets[0], end: entry.Offsets[1]}
	count := uint64(1)
	for _, side := range entry.Shape {
		if side < 0 {
			return tensor{}, fmt.Errorf("shape %v has a negative side", entry.Shape)
		}
		high, low := bits.Mul64(count, uint64(side))
		if high != 0 || low > math.MaxInt64/8 {
			return tensor{}, fmt.Errorf("shape %v is too large", entry.Shape)
		}
		count = low
		t.shape = append(t.shape, int(side))
	}
	if int64(count)*width != t.end-t.begin {
		return tensor{}, fmt.Errorf("shape %v of %s does not take the %d bytes of data_offsets", entry.Shape, t.dtype, t.end-t.begin)
	}
	return t, nil
}

// readValues reads len(dst) values of type dtype.
func readValues(r io.Reader, dtype string, dst []float32) error {
	width := int(widths[dtype])
	var buffer [1 << 14]byte
	for len(dst) > 0 {
		n := min(len(dst), len(buffer)/width)
		raw := buffer[:n*width]
		if _, err := io.ReadFull(r, raw); err != nil {
			return noEOF(err)
		}
		for i := range n {
			switch dtype {
			case "F32":
				dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			case "F16":
				dst[i] = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
			case "BF16":
				dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
			}
		}
		dst = dst[n:]
	}
	return nil
}

// fromHalf widens an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exp == 0: // zero or subnormal: frac * 2^-24 is exact in float32
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// noEOF makes a plain end of file, which io treats as success, a fault.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
