package photo_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vinfast-classifier/app/photo"
)

var limits = photo.Limits{Bytes: 10 << 20, Pixels: 50_000_000}

// seen is what Pillow sees in a picture of testdata: the means of 4 x 4 areas,
// row by row; or by which key the picture is refused.
type seen struct {
	Width, Height  int
	Cells, Refused string
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
	if len(want) < 180 {
		t.Fatalf("want.json names %d pictures only", len(want))
	}
	return want
}

// decode goes all the way; the picture is made once, its thumbnail of the same.
func decode(t testing.TB, data []byte) (h photo.Header, rendition, thumbnail []byte) {
	t.Helper()
	h, err := photo.Inspect(data, limits)
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Decode()
	if err != nil {
		t.Fatal(err)
	}
	if rendition, err = p.JPEG(photo.Side); err == nil {
		thumbnail, err = p.JPEG(480)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h, rendition, thumbnail
}

// Header.Memory is an upper bound that a server can add up: never less than
// what all takes, WebAssembly's memory in it, and for a large picture not so much
// more that it keeps others waiting.
func TestPicturesAreSeenAsPillowSeesThem(t *testing.T) {
	decode(t, fixture(t, "colour-cmyk.jpg")) // compiles jpegli, which is not counted
	for name, want := range wanted(t) {
		t.Run(name, func(t *testing.T) {
			data := fixture(t, name)
			if want.Refused != "" {
				refusedAs(t, data, want.Refused)
				return
			}
			var h photo.Header
			var rendition, thumbnail []byte
			spent := allocated(func() { h, rendition, thumbnail = decode(t, data) })
			if h.Width != want.Width || h.Height != want.Height {
				t.Errorf("%d x %d, Pillow sees %d x %d", h.Width, h.Height, want.Width, want.Height)
			}
			if spent > h.Memory || strings.HasPrefix(name, "large") && h.Memory > 8*spent+4<<20 {
				t.Errorf("took %d kB, %d were foreseen", spent>>10, h.Memory>>10)
			}
			checkCells(t, "rendition", rendition, want, photo.Side)
			checkCells(t, "thumbnail", thumbnail, want, 480)
			for _, note := range []string{"Exif", "Note", "NOTE", "ftyp", "ns.adobe", "VinFast", "Photoshop", "GPS"} {
				if bytes.Contains(rendition, []byte(note)) || bytes.Contains(thumbnail, []byte(note)) {
					t.Errorf("%q is in what is shown", note)
				}
			}
		})
	}
}

// What a photo keeps others waiting for: image/jpeg took 60 MiB for the first one.
func TestMemoryOfAPhoto(t *testing.T) {
	for _, c := range []struct {
		data string
		mib  int64
	}{{jpegHeader(4032, 3024), 20}, {jpegHeader(8000, 6250), 20}, {pngHeader(8000, 6250) + "\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e", 210}} {
		h, err := photo.Inspect([]byte(c.data), limits)
		if got := h.Memory >> 20; err != nil || got > c.mib || got < c.mib/2 {
			t.Errorf("%d x %d takes %d MiB, want at most %d: %v", h.Width, h.Height, got, c.mib, err)
		}
	}
}

func TestSeveralAtOnce(t *testing.T) {
	for _, name := range []string{"plain.jpg", "colour-cmyk.jpg", "colour-ycck.jpg", "progressive.jpg", "alpha.webp", "palette.png"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decode(t, fixture(t, name))
		})
	}
}

// checkCells holds a JPEG against what Pillow sees in its original.
func checkCells(t *testing.T, what string, data []byte, want seen, side int) {
	t.Helper()
	decoded, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	size := decoded.Bounds().Size()
	img := image.NewRGBA(decoded.Bounds())
	draw.Draw(img, img.Rect, decoded, image.Point{}, draw.Src)
	longest, is := max(want.Width, want.Height), max(size.X, size.Y)
	if fits := longest <= side && is == longest || longest > side && is <= side && is >= side*896/1024; !fits ||
		abs(size.X*want.Height-size.Y*want.Width) > longest {
		t.Fatalf("%s has %v", what, size)
	}
	cells, err := hex.DecodeString(want.Cells)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 16 {
		got := meanOf(img, image.Rect(size.X*(i%4), size.Y*(i/4), size.X*(i%4+1), size.Y*(i/4+1)))
		for c := range 3 {
			if d := got[c] - float64(cells[3*i+c]); d < -12 || d > 12 {
				t.Errorf("%s: area %d is %.0f, Pillow sees %d", what, i, got, cells[3*i:3*i+3])
				break
			}
		}
	}
}

func abs(n int) int { return max(n, -n) }

// meanOf is the mean colour of an area whose sides are given in quarters of pixels.
func meanOf(img *image.RGBA, area image.Rectangle) (mean [3]float64) {
	sum := 0.0
	overlap := func(lo, hi, pixel int) float64 { return float64(min(hi, 4*pixel+4) - max(lo, 4*pixel)) }
	for y := area.Min.Y / 4; 4*y < area.Max.Y; y++ {
		for x := area.Min.X / 4; 4*x < area.Max.X; x++ {
			weight := overlap(area.Min.X, area.Max.X, x) * overlap(area.Min.Y, area.Max.Y, y)
			sum += weight
			for c := range mean {
				mean[c] += weight * float64(img.Pix[img.PixOffset(x, y)+c])
			}
		}
	}
	for c := range mean {
		mean[c] /= sum
	}
	return mean
}

// refusedAs holds a picture to be refused by Inspect or by Decode.
func refusedAs(t testing.TB, data []byte, key string) *photo.Refusal {
	t.Helper()
	h, err := photo.Inspect(data, limits)
	if err == nil {
		_, err = h.Decode()
	}
	r, ok := errors.AsType[*photo.Refusal](err)
	if !ok || key != "" && r.Key != key {
		t.Fatalf("got %v, want a refusal as %q", err, key)
	}
	return r
}

// allocated tells how many bytes f allocates in all.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}
