//go:build !wasm2go && !arm64

package photo

import (
	"image"
	"io"
	"sync"

	"github.com/gen2brain/jpegli"
)

// startJPEGli leaves the null device open: jpegli prints to it for ever.
var startJPEGli = sync.OnceValue(func() error { return quietly(jpegli.Init) })

func jpegliDecode(r io.Reader, options *jpegli.DecodingOptions) (image.Image, error) {
	if err := startJPEGli(); err != nil {
		return nil, err
	}
	return jpegli.DecodeWithOptions(r, options)
}
