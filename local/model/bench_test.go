package model_test

import (
	"testing"

	"vinfast-classifier/local/model"
)

// BenchmarkDemo is one picture of 640 by 400 through the demo model, from
// decoded picture to logits.
func BenchmarkDemo(b *testing.B) {
	m, err := model.Demo()
	if err != nil {
		b.Fatal(err)
	}
	img := open(b, "samples/vf-8-road.jpg")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Logits(b.Context(), img); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(m.Operations()*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkKernel is the largest product of a ViT-base layer.
func BenchmarkKernel(b *testing.B) {
	run, operations := model.Multiply(197, 768, 3072)
	for b.Loop() {
		run()
	}
	b.ReportMetric(operations*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
