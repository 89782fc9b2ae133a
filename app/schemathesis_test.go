//go:build long && !unit

package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"vinfast-classifier/local/program"
)

// TestLongSchemathesis lets the app answer what a generator makes of its OpenAPI
// document, right and wrong: no answer may be undescribed or a fault of ours.
// The seed is fixed, so that a run can be had again.
func TestLongSchemathesis(t *testing.T) {
	tool, err := filepath.Abs("../.local/venv/bin/schemathesis")
	must(t, err)
	if _, err := os.Stat(tool); err != nil {
		t.Fatalf("this test needs schemathesis; \"make test-deps\" installs it: %v", err)
	}
	s := newSystem(t, fixed)
	app := s.start()
	for n := range 3 {
		if status, _, err := app.post(t.Context(), picture(n), ""); status != 201 || err != nil {
			t.Fatalf("upload: %d, %v", status, err)
		}
	}
	command := program.Command(t.Context(), tool, "run", app.url+"/openapi.yaml", "--url", app.url,
		"--max-examples", "12", "--seed", "1", "--phases", "examples,coverage,fuzzing", "--workers", "1", "--no-color",
		"--generation-database", "none", "--exclude-path", "/metrics",
		// No schema tells which cursor is ours, that since is before until, or that
		// bytes are a picture: right shapes may be refused, as described.
		"--exclude-checks", "positive_data_acceptance")
	command.Dir = t.TempDir()
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("schemathesis: %v\n%s", err, out)
	}
	t.Logf("%s", tail(out))
}
