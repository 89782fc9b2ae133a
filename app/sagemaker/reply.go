package sagemaker

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"vinfast-classifier/app/car"
)

// Bounds of a reply, within what the stores take: a prediction that was promised
// must fit them. SageMaker's own for the notice is 1024.
const (
	maxReply  = 64 << 10 // bytes, error replies included
	maxScores = 100
	maxLabel  = 100 // bytes
	maxNotice = 1000
)

// parse reads the container's answer, [{"score":0.98,"label":"…"}], and what
// the model says about itself. The scores come out best first.
func parse(body []byte, notice string) (car.Reply, error) {
	if len(body) > maxReply {
		return car.Reply{}, fmt.Errorf("reply of %d bytes, more than %d", len(body), maxReply)
	}
	var lines []struct {
		Score *float64 `json:"score"`
		Label *string  `json:"label"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&lines); err != nil {
		return car.Reply{}, fmt.Errorf("reply is not a list of scores: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return car.Reply{}, errors.New("reply goes on after its list of scores")
	}
	if len(lines) == 0 || len(lines) > maxScores {
		return car.Reply{}, fmt.Errorf("reply has %d scores, not 1 to %d", len(lines), maxScores)
	}
	reply := car.Reply{Notice: strings.TrimSpace(notice)}
	for i, line := range lines {
		if line.Score == nil || line.Label == nil {
			return car.Reply{}, fmt.Errorf("line %d of the reply lacks score or label", i)
		}
		if err := checkLabel(*line.Label); err != nil {
			return car.Reply{}, fmt.Errorf("line %d of the reply: %w", i, err)
		}
		if !(*line.Score >= 0 && *line.Score <= 1) {
			return car.Reply{}, fmt.Errorf("line %d of the reply: score %v is not from 0 to 1", i, *line.Score)
		}
		reply.Scores = append(reply.Scores, car.Score{Label: *line.Label, Value: *line.Score})
	}
	slices.SortStableFunc(reply.Scores, func(a, b car.Score) int { return cmp.Compare(b.Value, a.Value) })
	return reply, checkNotice(reply.Notice)
}

func checkLabel(label string) error {
	if strings.TrimSpace(label) == "" || len(label) > maxLabel {
		return fmt.Errorf("label of %d bytes is blank or longer than %d", len(label), maxLabel)
	}
	if strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return fmt.Errorf("label %q has characters that cannot be shown", label)
	}
	return nil
}

func checkNotice(notice string) error {
	if len(notice) > maxNotice {
		return fmt.Errorf("custom attributes of %d characters, more than %d", len(notice), maxNotice)
	}
	if strings.ContainsFunc(notice, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("custom attributes %q are not printable ASCII", notice)
	}
	return nil
}
