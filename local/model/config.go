package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
)

// Bounds on what a folder may ask for. They are far above any published ViT
// and keep a broken or hostile folder from taking the machine's memory.
const (
	maxJSONBytes  = 16 << 20 // an ImageNet-21k config has 1.5 MB of labels
	maxHidden     = 1 << 13
	maxLayers     = 256
	maxInner      = 1 << 16
	maxSide       = 1 << 13 // pixels
	maxPatches    = 4096
	maxLabels     = 1 << 16
	maxParameters = 1 << 30
)

// pair is a height and a width. In JSON it is one number for both, or a list
// of the two.
type pair struct{ h, w int }

func (p *pair) UnmarshalJSON(b []byte) error {
	var side int
	if err := json.Unmarshal(b, &side); err == nil {
		*p = pair{side, side}
		return nil
	}
	var sides []int
	if err := json.Unmarshal(b, &sides); err != nil || len(sides) != 2 {
		return fmt.Errorf("want a number or a pair of numbers, got %s", clip(b))
	}
	*p = pair{sides[0], sides[1]}
	return nil
}

// config is what the network needs of config.json. The defaults are those of
// transformers' ViTConfig.
type config struct {
	ModelType     string            `json:"model_type"`
	Architectures []string          `json:"architectures"`
	ProblemType   string            `json:"problem_type"`
	Hidden        int               `json:"hidden_size"`
	Layers        int               `json:"num_hidden_layers"`
	Heads         int               `json:"num_attention_heads"`
	Inner         int               `json:"intermediate_size"`
	Activation    string            `json:"hidden_act"`
	Epsilon       float64           `json:"layer_norm_eps"`
	Image         pair              `json:"image_size"`
	Patch         pair              `json:"patch_size"`
	Channels      int               `json:"num_channels"`
	QKVBias       bool              `json:"qkv_bias"`
	HeadDim       int               `json:"head_dim"`
	Quantization  json.RawMessage   `json:"quantization_config"`
	PrunedHeads   map[string][]int  `json:"pruned_heads"`
	NumLabels     int               `json:"num_labels"`
	ID2Label      map[string]string `json:"id2label"`
	Notice        string            `json:"vinfast_notice"`

	labels []string // ID2Label by number
}

func readConfig(fsys fs.FS) (*config, error) {
	c := &config{
		ModelType: "vit", Hidden: 768, Layers: 12, Heads: 12, Inner: 3072, Activation: "gelu", Epsilon: 1e-12,
		Image: pair{224, 224}, Patch: pair{16, 16}, Channels: 3, QKVBias: true, NumLabels: 2,
	}
	if err := readJSON(fsys, "config.json", c); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	return c, nil
}

// check refuses what the network here does not do, by the setting's name.
func (c *config) check() error {
	if c.ModelType != "vit" {
		return fmt.Errorf("model_type is %q; only \"vit\" is supported", c.ModelType)
	}
	if len(c.Architectures) > 0 && c.Architectures[0] != "ViTForImageClassification" {
		return fmt.Errorf("architectures is %q; only \"ViTForImageClassification\" is supported", c.Architectures)
	}
	if c.ProblemType != "" && c.ProblemType != "single_label_classification" {
		return fmt.Errorf("problem_type %q is not supported", c.ProblemType)
	}
	if len(c.Quantization) > 0 && string(c.Quantization) != "null" {
		return fmt.Errorf("quantization_config is not supported")
	}
	if len(c.PrunedHeads) > 0 {
		return fmt.Errorf("pruned_heads is not supported")
	}
	if activations[c.Activation] == nil {
		return fmt.Errorf("hidden_act %q is not supported", c.Activation)
	}
	if err := c.checkSizes(); err != nil {
		return err
	}
	return c.nameLabels()
}

func (c *config) checkSizes() error {
	for _, s := range []struct {
		name       string
		value, max int
	}{
		{"hidden_size", c.Hidden, maxHidden}, {"num_hidden_layers", c.Layers, maxLayers},
		{"num_attention_heads", c.Heads, c.Hidden}, {"intermediate_size", c.Inner, maxInner},
		{"image_size", c.Image.h, maxSide}, {"image_size", c.Image.w, maxSide},
		{"patch_size", c.Patch.h, c.Image.h}, {"patch_size", c.Patch.w, c.Image.w},
	} {
		if s.value < 1 || s.value > s.max {
			return fmt.Errorf("%s is %d; it must be 1 to %d", s.name, s.value, s.max)
		}
	}
	switch {
	case c.Channels != 3:
		return fmt.Errorf("num_channels is %d; only 3 is supported", c.Channels)
	case c.Hidden%c.Heads != 0:
		return fmt.Errorf("hidden_size %d is not a multiple of num_attention_heads %d", c.Hidden, c.Heads)
	case c.HeadDim != 0 && c.HeadDim != c.Hidden/c.Heads:
		return fmt.Errorf("head_dim %d is not supported; hidden_size and num_attention_heads give %d", c.HeadDim, c.Hidden/c.Heads)
	case c.patches() > maxPatches:
		return fmt.Errorf("image_size and patch_size give %d patches; at most %d are supported", c.patches(), maxPatches)
	case !(c.Epsilon >= 0 && c.Epsilon < 1) || math.IsInf(c.Epsilon, 0):
		return fmt.Errorf("layer_norm_eps is %g; it must be 0 to 1", c.Epsilon)
	}
	return nil
}

// nameLabels orders id2label by number; without it labels are LABEL_0, ...
func (c *config) nameLabels() error {
	n := len(c.ID2Label)
	if n == 0 {
		n = c.NumLabels
	}
	if n < 2 || n > maxLabels {
		return fmt.Errorf("id2label has %d labels; it must have 2 to %d", n, maxLabels)
	}
	c.labels = make([]string, n)
	for i := range c.labels {
		label, ok := c.ID2Label[strconv.Itoa(i)]
		switch {
		case len(c.ID2Label) == 0:
			label = "LABEL_" + strconv.Itoa(i)
		case !ok:
			return fmt.Errorf("id2label has %d labels but none for %d", n, i)
		}
		c.labels[i] = label
	}
	return nil
}

func (c *config) patches() int   { return (c.Image.h / c.Patch.h) * (c.Image.w / c.Patch.w) }
func (c *config) tokens() int    { return c.patches() + 1 }
func (c *config) patchArea() int { return 3 * c.Patch.h * c.Patch.w }

// readJSON decodes the file name of fsys into v, which holds the defaults.
func readJSON(fsys fs.FS, name string, v any) error {
	f, err := fsys.Open(name)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxJSONBytes+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxJSONBytes {
		return fmt.Errorf("%s is larger than %d bytes", name, maxJSONBytes)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// clip shortens b for an error message.
func clip(b []byte) []byte {
	b = bytes.TrimSpace(b)
	return b[:min(len(b), 60)]
}
