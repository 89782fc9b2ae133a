package model

import (
	"encoding/json"
	"fmt"
	"image"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// processor is what transformers' ViTImageProcessor does to a picture. The
// defaults are that class's.
type processor struct {
	Type      string          `json:"image_processor_type"`
	Extractor string          `json:"feature_extractor_type"`
	Resize    bool            `json:"do_resize"`
	Size      json.RawMessage `json:"size"`
	Resample  int             `json:"resample"`
	Rescale   bool            `json:"do_rescale"`
	Factor    float64         `json:"rescale_factor"`
	Normalize bool            `json:"do_normalize"`
	Mean      triple          `json:"image_mean"`
	Std       triple          `json:"image_std"`

	size  pair
	table [3][256]float32 // a channel's byte to its pixel value
}

// triple is a value for each channel; in JSON also one number for all.
type triple [3]float64

func (t *triple) UnmarshalJSON(b []byte) error {
	var one float64
	if err := json.Unmarshal(b, &one); err == nil {
		*t = triple{one, one, one}
		return nil
	}
	var list []float64
	if err := json.Unmarshal(b, &list); err != nil || len(list) != 3 {
		return fmt.Errorf("want a number or three, got %s", clip(b))
	}
	*t = triple(list)
	return nil
}

const processorFile = "preprocessor_config.json"

func readProcessor(fsys fs.FS, c *config) (*processor, error) {
	p := &processor{
		Resize: true, Resample: bilinear, Rescale: true, Factor: 1.0 / 255,
		Normalize: true, Mean: triple{0.5, 0.5, 0.5}, Std: triple{0.5, 0.5, 0.5}, size: pair{224, 224},
	}
	if err := readJSON(fsys, processorFile, p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", processorFile, err)
	}
	if err := refuseUnknownSteps(fsys); err != nil {
		return nil, fmt.Errorf("%s: %w", processorFile, err)
	}
	if p.Resize && p.size != c.Image {
		return nil, fmt.Errorf("%s: size %dx%d does not match image_size %dx%d of config.json (height x width)",
			processorFile, p.size.h, p.size.w, c.Image.h, c.Image.w)
	}
	p.fillTable()
	return p, nil
}

func (p *processor) check() error {
	for _, name := range []string{p.Type, p.Extractor} {
		switch name {
		case "", "ViTImageProcessor", "ViTImageProcessorFast", "ViTFeatureExtractor":
		default:
			return fmt.Errorf("image processor %q is not supported", name)
		}
	}
	if _, ok := filters[p.Resample]; !ok && p.Resample != nearest {
		return fmt.Errorf("resample %d is not supported; 0 (nearest), 1 (lanczos), 2 (bilinear) and 3 (bicubic) are", p.Resample)
	}
	for i, std := range p.Std {
		if p.Normalize && (std == 0 || math.IsInf(1/std, 0)) {
			return fmt.Errorf("image_std[%d] is %g", i, std)
		}
	}
	return p.readSize()
}

// readSize takes a side, a pair, or a height and a width by name.
func (p *processor) readSize() error {
	if len(p.Size) == 0 || string(p.Size) == "null" {
		return nil
	}
	if p.size.UnmarshalJSON(p.Size) == nil {
		return nil
	}
	var named map[string]int
	if err := json.Unmarshal(p.Size, &named); err != nil {
		return fmt.Errorf("size: want a number, a pair, or height and width, got %s", clip(p.Size))
	}
	for name := range named {
		if name != "height" && name != "width" {
			return fmt.Errorf("size: %q is not supported; height and width are", name)
		}
	}
	p.size = pair{named["height"], named["width"]}
	return nil
}

// refuseUnknownSteps finds switched-on steps that ViTImageProcessor does not
// have, or has only since it can do what this package does not.
func refuseUnknownSteps(fsys fs.FS) error {
	var all map[string]any
	if err := readJSON(fsys, processorFile, &all); err != nil {
		return err
	}
	known := []string{"do_resize", "do_rescale", "do_normalize", "do_convert_rgb"}
	for name, value := range all {
		if strings.HasPrefix(name, "do_") && value == true && !slices.Contains(known, name) {
			return fmt.Errorf("%s is not supported", name)
		}
	}
	return nil
}

// fillTable rounds where numpy does: the scaled value to float32, then each
// step of the normalisation.
func (p *processor) fillTable() {
	for channel := range p.table {
		mean, std := float32(p.Mean[channel]), float32(p.Std[channel])
		for b := range p.table[channel] {
			v := float32(b)
			if p.Rescale {
				v = float32(float64(b) * p.Factor)
			}
			if p.Normalize {
				v = (v - mean) / std
			}
			p.table[channel][b] = v
		}
	}
}

// pixels squeezes img to the network's size: three bytes a pixel, row by row.
func (p *processor) pixels(img image.Image, c *config) ([]byte, error) {
	src := newSource(img)
	if src.width < 1 || src.height < 1 {
		return nil, fmt.Errorf("the picture is %d by %d pixels", src.width, src.height)
	}
	if !p.Resize && (src.width != c.Image.w || src.height != c.Image.h) {
		return nil, fmt.Errorf("the picture is %d by %d pixels; with do_resize off it must be %d by %d",
			src.width, src.height, c.Image.w, c.Image.h)
	}
	return resize(src, c.Image.w, c.Image.h, p.Resample), nil
}

// patches cuts pixels up: a row per patch in reading order, in it channel
// after channel, each row by row.
func (p *processor) patches(pixels []byte, c *config) matrix {
	m := newMatrix(c.patches(), c.patchArea())
	across := c.Image.w / c.Patch.w
	for i := range m.rows {
		out := m.row(i, m.step)
		top, left := i/across*c.Patch.h, i%across*c.Patch.w
		for channel := range 3 {
			for y := range c.Patch.h {
				in := pixels[3*((top+y)*c.Image.w+left)+channel:]
				for x := range c.Patch.w {
					out[x] = p.table[channel][in[3*x]]
				}
				out = out[c.Patch.w:]
			}
		}
	}
	return m
}
