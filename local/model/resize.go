package model

import "math"

// The resampling here repeats Pillow's 8-bit arithmetic, so that the network
// sees the very pixels it would see behind transformers' image processor:
// the kernel is widened when shrinking (antialiasing), its coefficients are
// fixed-point with 22 fraction bits, and the picture is rounded to bytes
// between the horizontal and the vertical pass.
// Source: Pillow, src/libImaging/Resample.c and Geometry.c.

const fractionBits = 32 - 8 - 2

// Resampling filters by Pillow's numbers.
const (
	nearest  = 0
	lanczos  = 1
	bilinear = 2
	bicubic  = 3
)

type filter struct {
	support float64
	weight  func(float64) float64
}

var filters = map[int]filter{
	lanczos: {3, func(x float64) float64 {
		if x < -3 || x >= 3 {
			return 0
		}
		return sinc(x) * sinc(x/3)
	}},
	bilinear: {1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	bicubic: {2, func(x float64) float64 {
		const a = -0.5
		x = math.Abs(x)
		switch {
		case x < 1:
			return ((a+2)*x-(a+3))*x*x + 1
		case x < 2:
			return (((x-5)*x+8)*x - 4) * a
		}
		return 0
	}},
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// tap says which inputs make one output, and their weights.
type tap struct {
	first   int
	weights []int32
}

// taps for resizing n pixels to m.
func taps(f filter, n, m int) []tap {
	scale := float64(n) / float64(m)
	stretch := max(scale, 1)
	support := f.support * stretch
	out := make([]tap, m)
	for i := range out {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		last := min(int(center+support+0.5), n)
		weights := make([]float64, last-first)
		sum := 0.0
		for k := range weights {
			weights[k] = f.weight((float64(k+first) - center + 0.5) * (1 / stretch))
			sum += weights[k]
		}
		fixed := make([]int32, len(weights))
		for k, w := range weights {
			if sum != 0 {
				w /= sum
			}
			fixed[k] = int32(math.Copysign(0.5, w) + w*(1<<fractionBits))
		}
		out[i] = tap{first, fixed}
	}
	return out
}

// toByte rounds a fixed-point sum that began at half a unit.
func toByte(sum int32) byte { return byte(min(max(sum>>fractionBits, 0), 255)) }

// resize returns src as w by h pixels, three bytes each. Its working memory
// is one row of src and w columns of its height.
func resize(src source, w, h, resample int) []byte {
	if resample == nearest {
		return resizeNearest(src, w, h)
	}
	f := filters[resample]
	across := make([]byte, 3*w*src.height)
	shrinkRows(across, src, f, w)
	if h == src.height {
		return across
	}
	return stackRows(across, taps(f, src.height, h), w)
}

// shrinkRows is the horizontal pass.
func shrinkRows(dst []byte, src source, f filter, w int) {
	if w == src.width {
		for y := range src.height {
			src.row(y, dst[3*w*y:3*w*(y+1)])
		}
		return
	}
	columns := taps(f, src.width, w)
	row := make([]byte, 3*src.width)
	for y := range src.height {
		src.row(y, row)
		out := dst[3*w*y : 3*w*(y+1)]
		for x, t := range columns {
			in := row[3*t.first:]
			r, g, b := int32(1<<(fractionBits-1)), int32(1<<(fractionBits-1)), int32(1<<(fractionBits-1))
			for k, weight := range t.weights {
				r += int32(in[3*k]) * weight
				g += int32(in[3*k+1]) * weight
				b += int32(in[3*k+2]) * weight
			}
			out[3*x], out[3*x+1], out[3*x+2] = toByte(r), toByte(g), toByte(b)
		}
	}
}

// stackRows is the vertical pass over rows of w pixels.
func stackRows(src []byte, rows []tap, w int) []byte {
	dst := make([]byte, 3*w*len(rows))
	sums := make([]int32, 3*w)
	for y, t := range rows {
		for i := range sums {
			sums[i] = 1 << (fractionBits - 1)
		}
		for k, weight := range t.weights {
			for i, v := range src[3*w*(t.first+k) : 3*w*(t.first+k+1)] {
				sums[i] += int32(v) * weight
			}
		}
		for i, sum := range sums {
			dst[3*w*y+i] = toByte(sum)
		}
	}
	return dst
}

// resizeNearest adds up the step as Pillow does, rounding included.
func resizeNearest(src source, w, h int) []byte {
	dst := make([]byte, 3*w*h)
	row := make([]byte, 3*src.width)
	xs, ys := nearestIndex(src.width, w), nearestIndex(src.height, h)
	for y, sy := range ys {
		src.row(sy, row)
		for x, sx := range xs {
			copy(dst[3*(w*y+x):3*(w*y+x)+3], row[3*sx:])
		}
	}
	return dst
}

func nearestIndex(n, m int) []int {
	step := float64(n) / float64(m)
	index, at := make([]int, m), step*0.5
	for i := range index {
		index[i] = min(int(at), n-1)
		at += step
	}
	return index
}
