//go:build linux

package faults

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// For tests of the parts.
var ReadNumber = func(img image.Image) (int, bool) { return readNumber(img) }

// Picture is the file of a number.
func Picture(seed uint64, number int) (data []byte, contentType string, err error) {
	p, err := newPicture(seed, number)
	return p.data, p.contentType, err
}

// Schedule lists the faults drawn from a seed.
func Schedule(seed uint64, pictures int) []string {
	var all []string
	for _, list := range newSchedule(rand.New(rand.NewPCG(seed, 0)), pictures).waiting {
		for _, f := range list {
			all = append(all, fmt.Sprintf("%+v", *f))
		}
	}
	return all
}
