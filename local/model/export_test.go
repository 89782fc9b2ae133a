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
