//go:build linux

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mutation is one line of the app taken out or turned round, which a run must
// notice.
type Mutation struct {
	Name     string
	File     string // below the module's root
	Old, New string // Old stands there exactly once
	Want     string // part of what the harness must find wrong
}

// Mutations are the lines on which "never lost, never doubled" rests.
var Mutations = []Mutation{
	{
		Name: "no unique key",
		File: "app/predictions/migrations/00001_create_predictions.sql",
		Old:  "    UNIQUE KEY predictions_upload_id (upload_id),\n",
		New:  "",
		Want: "has 2 rows and 1 objects",
	},
	{
		Name: "no resume",
		File: "app/serve.go",
		Old:  "	jobs.Go(func() { resume(background, parts.classifier, log) })\n",
		New:  "	_ = resume\n",
		Want: "the spool is not empty",
	},
	{
		Name: "a refused upload stays in the spool",
		File: "app/car/flow.go",
		Old:  "		return Prediction{}, errors.Join(err, ticket.Remove())\n",
		New:  "		return Prediction{}, err\n",
		Want: "(refused: 0 times",
	},
	{
		Name: "a failed insert counts as stored",
		File: "app/car/flow.go",
		Old:  "	kept, err := c.Predictions.Insert(ctx, p)\n	if err != nil {\n		return Prediction{}, err\n	}\n",
		New:  "	kept, err := c.Predictions.Insert(ctx, p)\n	if err != nil {\n		kept = p\n	}\n",
		Want: "has 0 rows and 1 objects",
	},
}

// NoticedBy returns the finding of a run that the mutation must lead to; empty
// if there is none.
func (m Mutation) NoticedBy(r Report) string {
	i := slices.IndexFunc(r.Wrong, func(line string) bool { return strings.Contains(line, m.Want) })
	if i < 0 {
		return ""
	}
	return r.Wrong[i]
}

// BuildMutated makes the app with one mutation, and leaves the sources alone.
// An Old that does not stand in its file once is an error: the mutation has to
// follow the code.
func BuildMutated(ctx context.Context, binary string, m Mutation) error {
	source, err := filepath.Abs(m.File)
	if err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	if n := strings.Count(string(text), m.Old); n != 1 {
		return fmt.Errorf("mutation %q: %s has its line %d times, not once: %q", m.Name, m.File, n, m.Old)
	}
	changed, overlay := binary+".source", binary+".overlay"
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	if err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), m.Old, m.New, 1)), 0o600); err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	return Build(ctx, binary, "-overlay", overlay)
}
