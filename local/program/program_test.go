package program_test

import (
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/local/program"
)

// A program that prints its environment stands in for all of them.
func TestProgramsGetTheListOnly(t *testing.T) {
	for _, name := range []string{"TMPDIR", "MAKEFLAGS", "MAKELEVEL", "GOFLAGS", "PULUMI_HOME", "AWS_PROFILE", "BASH_ENV", "MARKER"} {
		t.Setenv(name, "/theirs")
	}
	wanted := []string{"GOPROXY=https://proxy.example.com", "https_proxy=http://proxy.example.com", "SSL_CERT_FILE=/certificates"}
	for _, variable := range wanted {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	out, err := program.Command(t.Context(), "env").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, want := range wanted {
		if !slices.Contains(lines, want) {
			t.Errorf("the program does not get %s", want)
		}
	}
	for _, line := range lines {
		if strings.HasSuffix(line, "=/theirs") {
			t.Errorf("the program gets %s", line)
		}
	}
}
