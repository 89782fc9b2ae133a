// Package endpoint is a SageMaker endpoint on one machine: a container that
// speaks the SageMaker container contract and answers as the Hugging Face
// inference container does (Container), and the SageMaker Runtime API in front
// of it (Runtime). The two talk HTTP to each other, as they do in AWS.
//
// What the container answers was compared with aws/sagemaker-huggingface-
// inference-toolkit 2.6.0 under awslabs/multi-model-server 1.1.11; what the
// API answers follows the public reference and error texts seen by its users.
package endpoint

import (
	"context"
	"fmt"
	"image"
	"time"
)

// Classifier is the model behind the endpoint.
type Classifier interface {
	// Classify returns every label with its score, 0 to 1, best first. The
	// image is upright. Its alpha channel, if it has one, is to be dropped,
	// not blended, as Pillow's convert("RGB") does.
	Classify(ctx context.Context, img image.Image) ([]Score, error)
	// Notice is what the model says about itself, printable ASCII; empty for
	// nothing. It travels in the CustomAttributes of every answer.
	Notice() string
}

// Score is one line of an answer.
type Score struct {
	Score float64 `json:"score"`
	Label string  `json:"label"`
}

// Fixed answers the same scores for every picture after Latency, and so takes
// the model's own time out of a measurement.
type Fixed struct {
	Scores  []Score
	Latency time.Duration
}

// Classify waits and answers.
func (f Fixed) Classify(ctx context.Context, _ image.Image) ([]Score, error) {
	timer := time.NewTimer(f.Latency)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("wait %v: %w", f.Latency, ctx.Err())
	case <-timer.C:
		return f.Scores, nil
	}
}

// Notice says that nothing was looked at.
func (f Fixed) Notice() string { return "fixed answer, the picture was not looked at" }
