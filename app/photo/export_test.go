package photo

import "image"

// Guarded is guarded, for a test that a codec's panic ends nothing.
var Guarded = guarded[int]

// Thorough decodes a JPEG with jpegli, also one that jpegn would get.
func Thorough(data []byte, limits Limits) (image.Image, error) {
	var h Header
	j, err := takeApart(data, func(width, height int) error { return h.announce(width, height, limits) })
	if err == nil {
		err = j.tellColours()
	}
	if err != nil {
		return nil, err
	}
	return guarded(func() (image.Image, error) { return j.jpegli(1, nil) })
}
