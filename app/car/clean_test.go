package car_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"path/filepath"
	"strings"
	"testing"

	"vinfast-classifier/app/car"
)

// TestCleanKeepsThePixels: the model sees the same, upright, of every picture.
func TestCleanKeepsThePixels(t *testing.T) {
	for name := range wanted(t) {
		if strings.HasPrefix(name, "large") {
			continue
		}
		data := fixture(t, name)
		clean, err := car.Clean(data)
		if strings.HasPrefix(name, "orientation-rubbish") && err == nil && bytes.Contains(clean, []byte("rubbish")) {
			t.Errorf("%s: its notes are still there", name)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before, errBefore := car.Decode(data, limits)
		after, err := car.Decode(clean, limits)
		if errBefore != nil || err != nil || after.Width != before.Width || after.Height != before.Height || after.ContentType != before.ContentType {
			t.Errorf("%s: %d x %d, then %d x %d, %v", name, before.Width, before.Height, after.Width, after.Height, err)
			continue
		}
		if !samePixels(t, before.Model, after.Model) {
			t.Errorf("%s: other pixels", name)
		}
	}
}

func samePixels(t *testing.T, a, b []byte) bool {
	t.Helper()
	decode := func(data []byte) image.Image {
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	x, y := decode(a), decode(b)
	if x.Bounds() != y.Bounds() {
		return false
	}
	for i := range x.Bounds().Dx() {
		for j := range x.Bounds().Dy() {
			if x.At(i, j) != y.At(i, j) {
				return false
			}
		}
	}
	return true
}

func TestCleanDropsTheNotes(t *testing.T) {
	for _, name := range []string{"notes.jpg", "notes.png", "notes.webp", "notes.gif"} {
		data := fixture(t, name)
		if !bytes.Contains(data, []byte("Note")) {
			t.Fatalf("%s holds no notes", name)
		}
		clean, err := car.Clean(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, note := range []string{"Note", "2024:02:29", "GPS", "xmp"} {
			if bytes.Contains(clean, []byte(note)) {
				t.Errorf("%s still holds %q", name, note)
			}
		}
		if again, err := car.Clean(clean); err != nil || !bytes.Equal(again, clean) {
			t.Errorf("%s: cleaning it again changes it, %v", name, err)
		}
		thumb, err := car.Thumbnail(data, limits, 24)
		if err != nil || bytes.Contains(thumb, []byte("Note")) || bytes.Contains(thumb, []byte("Exif")) {
			t.Errorf("%s: thumbnail of %d bytes, %v", name, len(thumb), err)
		}
	}
}

func TestCleanLeavesWhatHasNoNotes(t *testing.T) {
	for _, name := range []string{"plain.jpg", "progressive.jpg", "subsampled.jpg", "cmyk.jpg", "rgb8.png", "palette-alpha.png", "lossy.webp", "alpha.webp", "still.gif", "animated.gif"} {
		data := fixture(t, name)
		if clean, err := car.Clean(data); err != nil || !bytes.Equal(clean, data) {
			t.Errorf("%s: %d bytes became %d, %v", name, len(data), len(clean), err)
		}
	}
}

// TestCleanRefusesWhatIsCut: at whatever byte a file ends, Clean says so or
// returns what it had; it never panics and never adds.
func TestCleanRefusesWhatIsCut(t *testing.T) {
	for _, name := range []string{"notes.jpg", "notes.png", "notes.webp", "notes.gif", "animated.gif"} {
		data := fixture(t, name)
		for n := range data {
			clean, err := car.Clean(data[:n])
			if err == nil && bytes.Contains(clean, []byte("Note")) {
				t.Fatalf("%s, %d bytes: notes are left", filepath.Base(name), n)
			}
		}
	}
}

func TestThumbnailSizes(t *testing.T) {
	for name, want := range map[string]image.Point{
		"large6.jpg": {X: 320, Y: 480}, "plain.jpg": {X: 48, Y: 32}, "notes.jpg": {X: 32, Y: 48}, "alpha.webp": {X: 48, Y: 32},
	} {
		thumb, err := car.Thumbnail(fixture(t, name), limits, 480)
		if err != nil {
			t.Fatal(err)
		}
		config, err := jpeg.DecodeConfig(bytes.NewReader(thumb))
		if err != nil || config.Width != want.X || config.Height != want.Y {
			t.Errorf("%s: %d x %d, %v", name, config.Width, config.Height, err)
		}
	}
	if _, err := car.Thumbnail([]byte("x"), limits, 480); err == nil {
		t.Error("a thumbnail of nothing")
	}
}
