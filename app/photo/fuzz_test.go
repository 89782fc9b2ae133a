package photo_test

import (
	"bytes"
	"errors"
	"image/jpeg"
	"os"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/photo"
)

// Small limits let a run look at many inputs instead of a few large ones.
var small = photo.Limits{Bytes: 1 << 20, Pixels: 1 << 16}

func seeds(f *testing.F) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !e.IsDir() && info.Size() < 15_000 {
			f.Add(fixture(f, e.Name()))
		}
	}
	for _, s := range []string{jpegHeader(40, 30), pngHeader(40, 30), gifHeader(40, 30), lossyHeader(40, 30, 64)} {
		f.Add([]byte(s))
	}
}

// hangs ends the process if an input takes for ever.
func hangs() *time.Timer {
	return time.AfterFunc(2*time.Minute, func() { panic("this input never ends") })
}

// FuzzDecode: whatever comes in, there is a Refusal or a JPEG of the size that
// the header told, within the memory it told, and nothing else happens.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		defer hangs().Stop()
		h, err := photo.Inspect(data, small)
		var p *photo.Picture
		if err == nil {
			p, err = h.Decode()
		}
		if err != nil {
			if _, ok := errors.AsType[*photo.Refusal](err); !ok {
				t.Fatalf("%v is no Refusal", err)
			}
			return
		}
		rendition, err := p.JPEG(photo.Side)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(rendition))
		if err != nil || max(cfg.Width, cfg.Height) != min(max(h.Width, h.Height), photo.Side) || h.Memory <= 0 || h.ContentType == "" {
			t.Fatalf("%+v became %d x %d: %v", h, cfg.Width, cfg.Height, err)
		}
		if _, err := jpeg.Decode(bytes.NewReader(rendition)); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzThorough gives every JPEG to jpegli.
func FuzzThorough(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		defer hangs().Stop()
		if !strings.HasPrefix(string(data), "\xff\xd8") {
			return
		}
		if img, err := photo.Thorough(data, small); err == nil && img.Bounds().Empty() {
			t.Fatal("a picture without pixels")
		}
	})
}
