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
	Uploads  int    // that the run needs to find it; 0 for as many as usual
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
		Old:  "		removed := ticket.Remove()\n",
		New:  "		removed := error(nil)\n",
		Want: "(refused: 0 times",
		// The model has to refuse some pictures that are not sent again.
		Uploads: 1000,
	},
	{
		Name: "a failed insert counts as stored",
		File: "app/car/flow.go",
		Old:  "		return Prediction{}, c.drop(ctx, t, p, err)\n	}\n	if err != nil {\n		return Prediction{}, err\n	}\n",
		New:  "		return Prediction{}, c.drop(ctx, t, p, err)\n	}\n	if err != nil {\n		kept = p\n	}\n",
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

// Apply returns the changed text of the mutation's file, which is in the module
// at root. An Old that does not stand in it once is an error: the mutation has
// to follow the code.
func (m Mutation) Apply(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return "", fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	if n := strings.Count(string(text), m.Old); n != 1 {
		return "", fmt.Errorf("mutation %q: %s has its line %d times, not once: %q", m.Name, m.File, n, m.Old)
	}
	return strings.Replace(string(text), m.Old, m.New, 1), nil
}

// BuildMutated makes the app with one mutation from the module of the working
// folder, and leaves its sources alone.
func BuildMutated(ctx context.Context, binary string, m Mutation) error {
	root, err := filepath.Abs(".")
	if err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	text, err := m.Apply(root)
	if err != nil {
		return err
	}
	changed, overlay := binary+".source", binary+".overlay"
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.File): changed}})
	if err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	return Build(ctx, binary, "-overlay", overlay)
}
