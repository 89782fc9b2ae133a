package infra_test

import (
	"testing"

	"vinfast-classifier/infra"
)

func TestInstanceTypes(t *testing.T) {
	for name, want := range map[string]struct {
		arch  string
		nitro bool
	}{
		"t2.micro":       {"amd64", false},
		"t3.small":       {"amd64", true},
		"t3a.small":      {"amd64", true},
		"t4g.small":      {"arm64", true},
		"m4.large":       {"amd64", false},
		"m5.large":       {"amd64", true},
		"m7i-flex.large": {"amd64", true},
		"c7gn.xlarge":    {"arm64", true},
		"c6gd.medium":    {"arm64", true},
		"im4gn.large":    {"arm64", true},
		"is4gen.large":   {"arm64", true},
		"x2gd.medium":    {"arm64", true},
		"g5g.xlarge":     {"arm64", true},
		"g4dn.xlarge":    {"amd64", true},
		"g3s.xlarge":     {"amd64", false},
		"a1.medium":      {"arm64", true},
		"x1e.xlarge":     {"amd64", false},
		"r8g.large":      {"arm64", true},
		"hpc7g.4xlarge":  {"arm64", true},
	} {
		if got := infra.GoArch(name); got != want.arch {
			t.Errorf("%s is %s, want %s", name, got, want.arch)
		}
		if got := infra.IsNitro(name); got != want.nitro {
			t.Errorf("%s: Nitro %v, want %v", name, got, want.nitro)
		}
	}
}
