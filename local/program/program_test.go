package program_test

import (
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/local/program"
)

// A program that prints its environment stands in for all of them.
func TestProgramsGetTheListOnly(t *testing.T) {
	for name, value := range map[string]string{"TMPDIR": "/nonexistent", "MAKEFLAGS": "-j9", "MAKELEVEL": "1", "GOFLAGS": "-bogus",
		"PULUMI_HOME": "/theirs", "AWS_PROFILE": "theirs", "VINFAST_BUCKET": "theirs", "BASH_ENV": "/theirs", "MARKER": "theirs",
		"GOPROXY": "https://proxy.example.com", "https_proxy": "http://proxy.example.com", "SSL_CERT_FILE": "/certificates"} {
		t.Setenv(name, value)
	}
	out, err := program.Command(t.Context(), "env").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, want := range []string{"GOPROXY=https://proxy.example.com", "https_proxy=http://proxy.example.com", "SSL_CERT_FILE=/certificates"} {
		if !slices.Contains(lines, want) {
			t.Errorf("the program does not get %s", want)
		}
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		if strings.Contains(value, "theirs") || slices.Contains([]string{"TMPDIR", "MAKEFLAGS", "MAKELEVEL", "GOFLAGS"}, name) {
			t.Errorf("the program gets %s", line)
		}
	}
}
