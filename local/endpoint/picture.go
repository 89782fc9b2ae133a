package endpoint

import (
	"bytes"
	"fmt"
	"image"

	// Formats that the container's image library reads, too.
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/bep/imagemeta"
)

// maxPixels is where Pillow refuses a picture.
const maxPixels = 178_956_970

// decodePicture decodes and applies the EXIF orientation. The transformers
// pipeline does that to raw pictures, too: they come to it converted, but
// still with their EXIF block.
func decodePicture(data []byte) (image.Image, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, said("cannot identify image file <_io.BytesIO object at 0x7f0000000000>")
	}
	if pixels := int64(config.Width) * int64(config.Height); pixels > maxPixels {
		return nil, sayf("Image size (%d pixels) exceeds limit of %d pixels, could be decompression bomb DOS attack.", pixels, maxPixels)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("image file is truncated or broken: %w", err)
	}
	orientation, err := readOrientation(data, format)
	if err != nil {
		return nil, err
	}
	return upright(img, orientation), nil
}

// formats that may carry EXIF, by Go's name of them.
var exifFormats = map[string]imagemeta.ImageFormat{
	"jpeg": imagemeta.JPEG, "png": imagemeta.PNG, "webp": imagemeta.WebP, "tiff": imagemeta.TIFF,
}

// readOrientation returns the EXIF orientation, 1 to 8; 1 if there is none. A
// broken EXIF block counts as none, as in Pillow.
func readOrientation(data []byte, format string) (int, error) {
	kind, ok := exifFormats[format]
	if !ok {
		return 1, nil
	}
	orientation := 1
	_, err := imagemeta.Decode(imagemeta.Options{
		R:               bytes.NewReader(data),
		ImageFormat:     kind,
		Sources:         imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok && 1 <= v && v <= 8 {
				orientation = int(v)
			}
			return nil
		},
	})
	if err != nil && !imagemeta.IsInvalidFormat(err) {
		return 0, fmt.Errorf("read EXIF: %w", err)
	}
	return orientation, nil
}

// upright turns and mirrors src by its EXIF orientation.
func upright(src image.Image, orientation int) image.Image {
	if orientation == 1 {
		return src
	}
	from := src.Bounds()
	w, h := from.Dx(), from.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			to := [...]image.Point{
				2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
			}[orientation]
			out.Set(to.X, to.Y, src.At(from.Min.X+x, from.Min.Y+y))
		}
	}
	return out
}
