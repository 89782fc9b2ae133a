//go:build linux && long

package faults_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"vinfast-classifier/local/faults"
)

// A short run of what make faults does at length: every kind of fault hits at
// every step it can, and nothing is lost, doubled or wrong.
func TestLongShortRun(t *testing.T) {
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
