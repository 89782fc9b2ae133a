// Package model runs Vision Transformer image classifiers: any Hugging Face
// folder of a ViTForImageClassification, and a small demo model of its own.
//
// It computes what transformers computes: the same pixels as its image
// processor on Pillow, and logits within 1e-4 (golden_test.go).
package model

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"io/fs"
	"slices"
)

// Model is a loaded classifier. Its methods may be called concurrently.
type Model struct {
	config    *config
	processor *processor
	network   *network
}

// Score is the model's confidence in one label.
type Score struct {
	Label string
	Score float64 // 0 to 1
}

// Load reads config.json, preprocessor_config.json and model.safetensors. What
// they ask for is done or refused by the name of the setting; missing,
// surplus or misshapen tensors are refused.
func Load(fsys fs.FS) (*Model, error) {
	c, err := readConfig(fsys)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	p, err := readProcessor(fsys, c)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	n, err := loadNetwork(fsys, c)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	return &Model{c, p, n}, nil
}

// Labels are the classes, in the order of the logits.
func (m *Model) Labels() []string { return slices.Clone(m.config.labels) }

// Notice is what the model wants said whenever it answers, from
// "vinfast_notice" in config.json; empty for ordinary models.
func (m *Model) Notice() string { return m.config.Notice }

// Logits runs the network on img, of any size, and returns a logit per label.
func (m *Model) Logits(ctx context.Context, img image.Image) ([]float32, error) {
	pixels, err := m.processor.pixels(img, m.config)
	if err != nil {
		return nil, fmt.Errorf("classify: %w", err)
	}
	logits, err := m.forward(ctx, m.processor.patches(pixels, m.config))
	if err != nil {
		return nil, fmt.Errorf("classify: %w", err)
	}
	return logits, nil
}

// Classify returns the topK likeliest labels of img, best first; all of them
// if topK is larger than their number.
func (m *Model) Classify(ctx context.Context, img image.Image, topK int) ([]Score, error) {
	logits, err := m.Logits(ctx, img)
	if err != nil {
		return nil, err
	}
	softmax(logits, 1)
	scores := make([]Score, len(logits))
	for i, v := range logits {
		scores[i] = Score{m.config.labels[i], float64(v)}
	}
	slices.SortStableFunc(scores, func(a, b Score) int { return cmp.Compare(b.Score, a.Score) })
	return scores[:max(0, min(topK, len(scores)))], nil
}
