//go:build linux

package faults_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vinfast-classifier/local/faults"
)

// A short run of what make faults does at length: every kind of fault hits at
// every step it can, and nothing is lost, doubled or wrong.
func TestShortRun(t *testing.T) {
	o := faults.Options{Seed: 1, Uploads: 250, Clients: 8, Drain: 2 * time.Minute, Dir: t.TempDir()}
	o.Binary = filepath.Join(o.Dir, "vinfast")
	if err := faults.Build(t.Context(), o.Binary, "-race"); err != nil {
		t.Fatal(err)
	}
	report, err := faults.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := report.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", &text)
	if len(report.Wrong) > 0 {
		t.Errorf("%d things are wrong", len(report.Wrong))
	}
	if report.Acknowledged < o.Uploads/2 {
		t.Errorf("only %d of %d pictures were acknowledged", report.Acknowledged, o.Uploads)
	}
}

// The mutations are run by make faults-mutations only; that they still fit the
// code is held here.
func TestMutationsFitTheCode(t *testing.T) {
	for _, m := range faults.Mutations {
		if _, err := m.Apply("../.."); err != nil {
			t.Error(err)
		}
	}
}

func TestSeedDrawsTheSameFaults(t *testing.T) {
	first := faults.Schedule(3, 2000)
	if again := faults.Schedule(3, 2000); !slices.Equal(first, again) {
		t.Error("the same seed draws other faults")
	}
	if other := faults.Schedule(4, 2000); slices.Equal(first, other) {
		t.Error("another seed draws the same faults")
	}
}
