package car_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/app/car"
)

var limits = car.Limits{Bytes: 10 << 20, Pixels: 50_000_000}

// seen is what Pillow sees in a fixture; corners go left to right, top to
// bottom, each a sixth of the side away from its corner.
type seen struct {
	Width, Height int
	Corners       [4][3]int
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wanted(t testing.TB) map[string]seen {
	t.Helper()
	want := map[string]seen{}
	if err := json.Unmarshal(fixture(t, "want.json"), &want); err != nil {
		t.Fatal(err)
	}
	if len(want) < 30 {
		t.Fatalf("want.json names %d fixtures only", len(want))
	}
	return want
}

// untouched are the upright JPEGs of three components and at most 1024 pixels:
// the endpoint gets their own bytes.
var untouched = []string{
	"plain.jpg", "subsampled.jpg", "progressive.jpg", "orientation1.jpg",
	"orientation99.jpg", "orientation-rubbish.jpg",
}

func TestDecodeSeesWhatPillowSees(t *testing.T) {
	types := map[string]string{".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"}
	for name, want := range wanted(t) {
		t.Run(name, func(t *testing.T) {
			data := fixture(t, name)
			photo, err := car.Decode(data, limits)
			if err != nil {
				t.Fatal(err)
			}
			if photo.Width != want.Width || photo.Height != want.Height {
				t.Errorf("size %d x %d, want %d x %d", photo.Width, photo.Height, want.Width, want.Height)
			}
			if got, want := photo.ContentType, types[filepath.Ext(name)]; got != want {
				t.Errorf("content type %q, want %q", got, want)
			}
			if sum := sha256.Sum256(data); photo.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("SHA256 %q is not that of the bytes", photo.SHA256)
			}
			if !bytes.Equal(photo.Original, data) {
				t.Error("Original is not what was sent")
			}
			if got := bytes.Equal(photo.Model, data); got != slices.Contains(untouched, name) {
				t.Errorf("endpoint gets the original bytes: %v", got)
			}
			checkModel(t, photo, want)
		})
	}
}

// checkModel holds the endpoint's JPEG against what Pillow sees.
func checkModel(t *testing.T, photo car.Photo, want seen) {
	t.Helper()
	img := decodeModel(t, photo.Model)
	longest := max(want.Width, want.Height)
	w, h := want.Width, want.Height
	if longest > 1024 {
		w, h = (w*1024+longest/2)/longest, (h*1024+longest/2)/longest
	}
	if got := img.Bounds(); got != image.Rect(0, 0, w, h) {
		t.Fatalf("endpoint gets %v, want %d x %d", got, w, h)
	}
	at := []image.Point{{w / 6, h / 6}, {w * 5 / 6, h / 6}, {w / 6, h * 5 / 6}, {w * 5 / 6, h * 5 / 6}}
	for i, p := range at {
		r, g, b, _ := img.At(p.X, p.Y).RGBA()
		got := [3]int{int(r >> 8), int(g >> 8), int(b >> 8)}
		for c := range got {
			if d := got[c] - want.Corners[i][c]; d < -6 || d > 6 {
				t.Errorf("colour at %v is %v, Pillow sees %v", p, got, want.Corners[i])
				break
			}
		}
	}
}

func decodeModel(t testing.TB, data []byte) image.Image {
	t.Helper()
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("endpoint gets no JPEG: %v", err)
	}
	if max(cfg.Width, cfg.Height) > 1024 || min(cfg.Width, cfg.Height) < 1 {
		t.Fatalf("endpoint gets %d x %d", cfg.Width, cfg.Height)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("endpoint's JPEG does not decode: %v", err)
	}
	return img
}

// pngOf makes a PNG of that size.
func pngOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDecodeScalesDownOnly(t *testing.T) {
	for _, c := range []struct{ w, h, modelW, modelH int }{
		{1, 1, 1, 1},
		{1024, 1024, 1024, 1024},
		{1025, 10, 1024, 10},
		{2047, 1000, 1024, 500},
		{2048, 1024, 1024, 512},
		{1000, 3100, 330, 1024},
		{50000, 1, 1024, 1},
		{1, 50000, 1, 1024},
	} {
		photo, err := car.Decode(pngOf(t, c.w, c.h), limits)
		if err != nil {
			t.Errorf("%d x %d: %v", c.w, c.h, err)
			continue
		}
		if photo.Width != c.w || photo.Height != c.h {
			t.Errorf("%d x %d is told as %d x %d", c.w, c.h, photo.Width, photo.Height)
		}
		if got := decodeModel(t, photo.Model).Bounds().Size(); got != image.Pt(c.modelW, c.modelH) {
			t.Errorf("%d x %d goes to the endpoint as %v, want %d x %d", c.w, c.h, got, c.modelW, c.modelH)
		}
	}
}

// A picture that changes at every pixel shows whether all of them count: their
// mean is grey wherever one looks.
func TestDecodeAverages(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 3072, 1536))
	for i := range img.Pix {
		img.Pix[i] = byte(255 * ((i%img.Stride + i/img.Stride) % 2))
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	photo, err := car.Decode(data.Bytes(), limits)
	if err != nil {
		t.Fatal(err)
	}
	model := decodeModel(t, photo.Model)
	for x := range 1024 {
		if r, _, _, _ := model.At(x, x/2).RGBA(); r>>8 < 100 || r>>8 > 156 {
			t.Fatalf("a fine chequerboard is %d at %d, %d, not grey", r>>8, x, x/2)
		}
	}
}

func TestDecodeIgnoresTheRestOfTheFile(t *testing.T) {
	plain := fixture(t, "plain.jpg")
	video := append(bytes.Clone(plain), bytes.Repeat([]byte{0xff, 0xda, 0, 4}, 1<<19)...)
	photo, err := car.Decode(video, limits)
	if err != nil {
		t.Fatal(err)
	}
	if len(photo.Model) > 10_000 {
		t.Errorf("endpoint gets %d bytes of a photo with a video behind it", len(photo.Model))
	}
	checkModel(t, photo, wanted(t)["plain.jpg"])

	webp := append(fixture(t, "lossy.webp"), strings.Repeat("rubbish!", 9)...)
	if _, err := car.Decode(webp, limits); err != nil {
		t.Errorf("WebP with rubbish behind it: %v", err)
	}
}
