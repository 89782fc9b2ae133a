package endpoint

import (
	"context"
	"image"

	"vinfast-classifier/local/model"
)

// Vision is a Vision Transformer as the container takes it: all its labels,
// best first.
func Vision(m *model.Model) Classifier { return vision{m} }

type vision struct{ *model.Model }

func (v vision) Classify(ctx context.Context, img image.Image) ([]Score, error) {
	found, err := v.Model.Classify(ctx, img, len(v.Labels()))
	if err != nil {
		return nil, err
	}
	scores := make([]Score, len(found))
	for i, f := range found {
		scores[i] = Score{Score: f.Score, Label: f.Label}
	}
	return scores, nil
}
