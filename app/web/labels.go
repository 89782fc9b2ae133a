package web

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/web/words"
)

// knownLabels are the classes of the default model, hungtu/vinfast-car-classifier.
var knownLabels = []string{
	"Vinfast_Fadil", "Vinfast_Lux_A2.0", "Vinfast_Lux_SA2.0", "Vinfast_President", "Vinfast_VF_8", "Vinfast_VF_e34",
}

// people turns a model's label into words: Vinfast_VF_8 is "VinFast VF 8". A
// label of another model keeps its spelling, with blanks for underscores.
func people(label string) string {
	words := strings.ReplaceAll(label, "_", " ")
	if rest, ok := strings.CutPrefix(words, "Vinfast "); ok {
		return "VinFast " + rest
	}
	return words
}

// percent rounds down, so that no score is shown as the limit it stays below.
func percent(score float64) string {
	const noise = 1e-6 // 0.07 comes as 0.06999999999999995
	return fmt.Sprintf("%.0f%%", math.Floor(score*100+noise))
}

// sixCars are the default model's classes in one line, without the maker; empty
// if the scores are those of another model.
func sixCars(scores []car.Score) string {
	for _, s := range scores {
		if !slices.Contains(knownLabels, s.Label) {
			return ""
		}
	}
	var names []string
	for _, label := range knownLabels {
		names = append(names, strings.TrimPrefix(people(label), "VinFast "))
	}
	return strings.Join(names, ", ")
}

// seconds is how long something took, in the way the language writes numbers.
func seconds(lang words.Language, d time.Duration) string {
	s := fmt.Sprintf("%.1f", d.Seconds())
	if d < time.Second {
		s = fmt.Sprintf("%.2f", d.Seconds())
	}
	if lang == words.Vietnamese {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s
}

// inJSON is v for an attribute that a script reads.
func inJSON(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}
