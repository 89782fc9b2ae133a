//go:build wasm2go || arm64

package photo

import (
	"errors"
	"image"
	"io"

	"github.com/gen2brain/jpegli"
)

func jpegliDecode(r io.Reader, options *jpegli.DecodingOptions) (img image.Image, err error) {
	quiet := quietly(func() { img, err = jpegli.DecodeWithOptions(r, options) })
	return img, errors.Join(quiet, err)
}
