package model

import (
	"image"
	"image/color"
)

// source gives a picture's rows as RGB bytes, the way Pillow's convert("RGB")
// makes them: alpha is dropped, not blended.
type source struct {
	width, height int
	row           func(y int, dst []byte)
}

func newSource(img image.Image) source {
	b := img.Bounds()
	s := source{width: b.Dx(), height: b.Dy()}
	switch img := img.(type) {
	case *image.NRGBA:
		s.row = func(y int, dst []byte) {
			dropAlpha(dst, img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.Gray:
		s.row = func(y int, dst []byte) {
			in := img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):]
			for x := range len(dst) / 3 {
				dst[3*x], dst[3*x+1], dst[3*x+2] = in[x], in[x], in[x]
			}
		}
	case *image.YCbCr:
		s.row = func(y int, dst []byte) {
			for x := range len(dst) / 3 {
				at, chroma := img.YOffset(b.Min.X+x, b.Min.Y+y), img.COffset(b.Min.X+x, b.Min.Y+y)
				dst[3*x], dst[3*x+1], dst[3*x+2] = color.YCbCrToRGB(img.Y[at], img.Cb[chroma], img.Cr[chroma])
			}
		}
	default:
		s.row = func(y int, dst []byte) {
			for x := range len(dst) / 3 {
				dst[3*x], dst[3*x+1], dst[3*x+2] = rgb(img.At(b.Min.X+x, b.Min.Y+y))
			}
		}
	}
	return s
}

func dropAlpha(dst, rgba []byte) {
	for x := range len(dst) / 3 {
		dst[3*x], dst[3*x+1], dst[3*x+2] = rgba[4*x], rgba[4*x+1], rgba[4*x+2]
	}
}

func rgb(c color.Color) (r, g, b byte) {
	switch c := c.(type) {
	case color.NRGBA64: // the common way would lose the colour under a clear alpha
		return byte(c.R >> 8), byte(c.G >> 8), byte(c.B >> 8)
	case color.CMYK:
		k := 255 - int(c.K)
		return ink(k, c.C), ink(k, c.M), ink(k, c.Y)
	}
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return n.R, n.G, n.B
}

// ink is Pillow's CMYK arithmetic: what is left of the white k under c.
func ink(k int, c byte) byte {
	t := int(c)*k + 128
	return byte(max(k-((t>>8)+t)>>8, 0))
}
