package endpoint

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"

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

// decodePicture decodes as Pillow's open and convert("RGB") do, then applies
// the EXIF orientation: the transformers pipeline does that to raw pictures,
// too, because the converted image still carries its EXIF block.
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
	return upright(opaque(img), orientation), nil
}

// opaque drops the alpha channel without blending, as Pillow does.
func opaque(img image.Image) *image.RGBA {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	switch src := img.(type) {
	case *image.NYCbCrA:
		draw.Draw(out, out.Bounds(), &src.YCbCr, b.Min, draw.Src)
	case *image.NRGBA, *image.NRGBA64, *image.Paletted:
		for y := range b.Dy() {
			for x := range b.Dx() {
				out.SetRGBA(x, y, plain(src.At(b.Min.X+x, b.Min.Y+y)))
			}
		}
	default:
		draw.Draw(out, out.Bounds(), img, b.Min, draw.Src)
	}
	return out
}

// plain is c without its alpha, exact also where c is fully transparent.
func plain(c color.Color) color.RGBA {
	switch c := c.(type) {
	case color.NRGBA:
		return color.RGBA{c.R, c.G, c.B, 255}
	case color.NRGBA64:
		return color.RGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), 255}
	default:
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		return color.RGBA{n.R, n.G, n.B, 255}
	}
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
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return src
	}
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			to := [...]image.Point{
				2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
			}[orientation]
			out.SetRGBA(to.X, to.Y, src.RGBAAt(x, y))
		}
	}
	return out
}
