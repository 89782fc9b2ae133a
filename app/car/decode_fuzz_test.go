package car_test

import (
	"os"
	"strings"
	"testing"

	"vinfast-classifier/app/car"
)

// FuzzDecode: whatever comes in, Decode neither panics nor answers anything but
// a Refusal or a photo with a JPEG the endpoint can read. Limits are small, so
// that a run looks at many inputs instead of a few large ones.
func FuzzDecode(f *testing.F) {
	small := car.Limits{Bytes: 1 << 20, Pixels: 1 << 16}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), "large") {
			f.Add(fixture(f, e.Name()))
		}
	}
	for _, s := range []string{jpegHeader(40, 30), pngHeader(40, 30), gifHeader(40, 30), lossyHeader(40, 30, 64)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cost := car.DecodeCost(data, small)
		photo, err := car.Decode(data, small)
		if err != nil {
			refused(t, err, nil)
			return
		}
		if cost <= 0 || photo.Width < 1 || photo.Height < 1 || len(photo.SHA256) != 64 || photo.ContentType == "" {
			t.Fatalf("cost %d, photo %d x %d %q %q", cost, photo.Width, photo.Height, photo.ContentType, photo.SHA256)
		}
		decodeModel(t, photo.Model)
	})
}
