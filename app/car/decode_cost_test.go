package car_test

import (
	"strings"
	"testing"

	"vinfast-classifier/app/car"
)

// DecodeCost is an upper bound that a server can add up: never less than what
// Decode takes in all, and not so much more that it keeps photos waiting.
func TestDecodeCostCoversDecode(t *testing.T) {
	for name := range wanted(t) {
		if !strings.HasPrefix(name, "large") {
			continue // in a small picture the fixed parts outweigh all others
		}
		data := fixture(t, name)
		cost := car.DecodeCost(data, limits)
		spent := allocated(func() {
			if _, err := car.Decode(data, limits); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if int64(spent) > cost {
			t.Errorf("%s took %d bytes, %d were foreseen", name, spent, cost)
		}
		if cost > 4*int64(spent) {
			t.Errorf("%s took %d bytes only, %d were foreseen", name, spent, cost)
		}
	}
}

func TestDecodeCostOfAPhoto(t *testing.T) {
	for _, c := range []struct {
		name, data string
		mib        int64
	}{
		{"12 megapixels, JPEG", jpegHeader(4000, 3000), 60},
		{"50 megapixels, JPEG", jpegHeader(8000, 6250), 180},
		{"50 megapixels, PNG", pngHeader(8000, 6250), 230},
	} {
		if got := car.DecodeCost([]byte(c.data), limits) >> 20; got > c.mib || got < c.mib*3/4 {
			t.Errorf("%s costs %d MiB, want at most %d", c.name, got, c.mib)
		}
	}
}
