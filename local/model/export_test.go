package model

import "image"

// PixelValues are what the network is given for img: three planes, row by row.
func (m *Model) PixelValues(img image.Image) ([]float32, error) {
	pixels, err := m.processor.pixels(img, m.config)
	if err != nil {
		return nil, err
	}
	values := make([]float32, 0, len(pixels))
	for channel := range 3 {
		for i := channel; i < len(pixels); i += 3 {
			values = append(values, m.processor.table[channel][pixels[i]])
		}
	}
	return values, nil
}

// Operations counts the multiplications and additions of one forward pass.
func (m *Model) Operations() float64 {
	c := m.config
	t, d := float64(c.tokens()), float64(c.Hidden)
	layer := t*d*(4*d+2*float64(c.Inner)) + 2*t*t*d
	return 2 * (float64(c.Layers)*layer + (t-1)*float64(c.patchArea())*d)
}

// Multiply runs the kernel on rows of in inputs and out outputs and returns
// the operations it took.
func Multiply(rows, in, out int) (run func(), operations float64) {
	l := &linear{in: in, out: out}
	l.pack(make([]float32, in*out))
	dst, x := newMatrix(rows, out), newMatrix(rows, in)
	return func() { l.apply(dst, x) }, 2 * float64(rows) * float64(in) * float64(out)
}
