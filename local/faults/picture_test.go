//go:build linux

package faults_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	_ "image/png"

	_ "golang.org/x/image/webp"

	"vinfast-classifier/local/faults"
)

// Each format can be read by others, and the number in it survives a JPEG.
func TestPicturesTellTheirNumber(t *testing.T) {
	seen := map[string]bool{}
	for number := range 300 {
		data, contentType, err := faults.Picture(7, number)
		if err != nil {
			t.Fatal(err)
		}
		img, format, err := image.Decode(bytes.NewReader(data))
		if number%40 == 39 {
			if err == nil {
				t.Errorf("picture %d of %s is cut short and reads all the same", number, contentType)
			}
			continue
		}
		if err != nil || "image/"+format != contentType {
			t.Fatalf("picture %d of %s: %s, %v", number, contentType, format, err)
		}
		var again bytes.Buffer
		if err := jpeg.Encode(&again, img, &jpeg.Options{Quality: 70}); err != nil {
			t.Fatal(err)
		}
		copied, err := jpeg.Decode(&again)
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []image.Image{img, copied} {
			if got, ours := faults.ReadNumber(from); !ours || got != number {
				t.Errorf("picture %d of %s reads as %d, %v", number, contentType, got, ours)
			}
		}
		if seen[string(data)] {
			t.Errorf("picture %d is like another", number)
		}
		seen[string(data)] = true
	}
	if _, ours := faults.ReadNumber(image.NewRGBA(image.Rect(0, 0, 64, 48))); ours {
		t.Error("a black picture has a number")
	}
}
