//go:build linux

package faults_test

import (
	"slices"
	"testing"

	"vinfast-classifier/local/faults"
)

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
