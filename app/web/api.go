package web

import (
	"net/http"
	"time"

	"vinfast-classifier/app/car"
)

// prediction is the API's shape of a car.Prediction.
type prediction struct {
	ID         string      `json:"id"`
	Label      string      `json:"label"`
	Score      float64     `json:"score"`
	Scores     []car.Score `json:"scores"`
	ImageURL   string      `json:"imageUrl"`
	UploadedAt time.Time   `json:"uploadedAt"`
	Stored     string      `json:"stored"` // yes or pending
	Notice     string      `json:"notice,omitempty"`
	Feedback   string      `json:"feedback,omitempty"` // what its sender says is right
	Mine       bool        `json:"mine"`               // sent by who asks
}

func jsonOf(r *http.Request, p car.Prediction) *prediction {
	stored := "pending"
	if p.Stored {
		stored = "yes"
	}
	return &prediction{ID: p.ID, Label: p.Label, Score: p.Score, Scores: p.Scores, ImageURL: imageURL(p.ID),
		UploadedAt: p.UploadedAt, Stored: stored, Notice: p.Notice,
		Feedback: p.Feedback, Mine: mine(r, p.Visitor)}
}

func imageURL(id string) string { return "/images/" + id }

// result is one file's outcome: a prediction, or an error object.
type result struct {
	*prediction
	Error *problem `json:"error,omitempty"`
}

type resultList struct {
	Predictions []result `json:"predictions"`
}
