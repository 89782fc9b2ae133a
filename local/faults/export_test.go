//go:build linux

package faults

import "image"

// For tests of the parts.
var ReadNumber = func(img image.Image) (int, bool) { return readNumber(img) }

// Picture is the file of a number.
func Picture(seed uint64, number int) (data []byte, contentType string, err error) {
	p, err := newPicture(seed, number)
	return p.data, p.contentType, err
}
