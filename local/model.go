//go:build unix

package main

import (
	"context"
	"image"
	"math/rand/v2"
	"time"

	"vinfast-classifier/local/endpoint"
)

var labels = []string{"Vinfast_Fadil", "Vinfast_Lux_A2.0", "Vinfast_Lux_SA2.0", "Vinfast_President", "Vinfast_VF_8", "Vinfast_VF_e34"}

// fixedAnswer is a real answer's shape and size, for measurements.
func fixedAnswer(latency time.Duration) endpoint.Fixed {
	f := endpoint.Fixed{Latency: latency}
	for i, label := range labels {
		f.Scores = append(f.Scores, endpoint.Score{Score: []float64{0.75, 0.125, 0.0625, 0.03125, 0.015625, 0.015625}[i], Label: label})
	}
	return f
}

// modelFolder returns the folder that l.model stands for; empty for the demo.
func (l *launcher) modelFolder(context.Context) (string, error) { return l.model, nil }

func loadModel(string) (endpoint.Classifier, error) { return random{}, nil }

// random knows nothing: its weights were never trained.
type random struct{}

func (random) Notice() string { return "random model, its answers mean nothing" }

func (random) Classify(_ context.Context, img image.Image) ([]endpoint.Score, error) {
	b := img.Bounds()
	r := rand.New(rand.NewPCG(uint64(b.Dx()), uint64(b.Dy())))
	scores := fixedAnswer(0).Scores
	for i, j := range r.Perm(len(labels)) {
		scores[i].Label = labels[j]
	}
	return scores, nil
}
