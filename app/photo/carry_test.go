package photo_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"vinfast-classifier/app/photo"
)

// profileOf joins the pieces of a JPEG's colour profile.
func profileOf(data []byte) (profile []byte) {
	for pos := 2; data[pos+1] != 0xda; pos += 2 + int(binary.BigEndian.Uint16(data[pos+2:])) {
		body := data[pos+4 : pos+2+int(binary.BigEndian.Uint16(data[pos+2:]))]
		if data[pos+1] == 0xe2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")) {
			profile = append(profile, body[14:]...)
		}
	}
	return profile
}

func TestColourProfilesAreCarried(t *testing.T) {
	p3, swapped := profileOf(fixture(t, "05-p3-icc.jpg")), profileOf(fixture(t, "07-icc-swapped-channels.jpg"))
	forGray := bytes.Clone(p3)
	copy(forGray[16:], "GRAY")
	for name, c := range map[string]struct {
		want    []byte
		dropped string
		colours color.Model
	}{
		"05-p3-icc.jpg": {p3, "", color.YCbCrModel}, "07-icc-swapped-channels.jpg": {swapped, "", color.YCbCrModel},
		"colour-icc.png": {swapped, "", color.YCbCrModel}, "colour-icc.webp": {swapped, "", color.YCbCrModel},
		"colour-icc-lossless.webp": {p3, "", color.YCbCrModel}, "colour-gray-icc-rgb.jpg": {p3, "", color.YCbCrModel},
		"colour-gray-icc-gray.jpg": {forGray, "", color.GrayModel}, "colour-icc-gray.png": {forGray, "", color.GrayModel},
		"colour-icc-gray.jpg": {nil, `profile: for "GRAY"`, color.YCbCrModel}, "colour-icc-long.jpg": {nil, "profile: not as long as it says", color.YCbCrModel},
		"png-cicp.png": {nil, "cICP: primaries 12, transfer 13", color.YCbCrModel}, "gray.jpg": {nil, "", color.GrayModel},
	} {
		h, rendition, thumbnail := decode(t, fixture(t, name))
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(rendition))
		if !bytes.Equal(profileOf(rendition), c.want) || !bytes.Equal(profileOf(thumbnail), c.want) || h.Dropped != c.dropped || err != nil || cfg.ColorModel != c.colours {
			t.Errorf("%s: profile of %d bytes, dropped %q, %v", name, len(profileOf(rendition)), h.Dropped, err)
		}
	}
}

// A long profile takes several segments; one that is too long is left out.
func TestLongProfiles(t *testing.T) {
	plain, short := fixture(t, "plain.jpg"), profileOf(fixture(t, "05-p3-icc.jpg"))
	for size, carried := range map[int]bool{70_000: true, 256 << 10: true, 256<<10 + 1: false} {
		profile := append(bytes.Clone(short), make([]byte, size-len(short))...)
		binary.BigEndian.PutUint32(profile, uint32(size))
		data := bytes.Clone(plain[:2])
		for i := 0; i*60_000 < size; i++ {
			part := profile[i*60_000 : min(size, (i+1)*60_000)]
			data = binary.BigEndian.AppendUint16(append(data, 0xff, 0xe2), uint16(len(part)+16))
			data = append(append(append(data, "ICC_PROFILE\x00"...), byte(i+1), 5), part...)
		}
		if _, rendition, _ := decode(t, append(data, plain[2:]...)); bytes.Equal(profileOf(rendition), profile) != carried {
			t.Errorf("%d bytes: %d are carried", size, len(profileOf(rendition)))
		}
	}
}

func TestScalesDownOnly(t *testing.T) {
	for _, c := range []struct{ w, h, toW, toH int }{
		{1, 1, 1, 1}, {1024, 1024, 1024, 1024}, {1025, 10, 1024, 10}, {2047, 1000, 1024, 500}, {2048, 1024, 1024, 512},
		{1000, 3100, 330, 1024}, {50000, 1, 1024, 1}, {1, 50000, 1, 1024},
	} {
		var data bytes.Buffer
		if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, c.w, c.h))); err != nil {
			t.Fatal(err)
		}
		_, rendition, _ := decode(t, data.Bytes())
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(rendition)); err != nil || cfg.Width != c.toW || cfg.Height != c.toH {
			t.Errorf("%d x %d becomes %d x %d, want %d x %d", c.w, c.h, cfg.Width, cfg.Height, c.toW, c.toH)
		}
	}
	for name, want := range map[string]image.Point{"large-2016.jpg": {1008, 756}, "large-7900.jpg": {988, 50}, "large6.jpg": {683, 1024}} {
		_, rendition, _ := decode(t, fixture(t, name))
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(rendition)); err != nil || cfg.Width != want.X || cfg.Height != want.Y {
			t.Errorf("%s becomes %d x %d, want %v", name, cfg.Width, cfg.Height, want)
		}
	}
}

// A picture that changes at every pixel shows whether all of them count: their
// mean is gray wherever one looks.
func TestEveryPixelCounts(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 3000, 1500))
	for i := range img.Pix {
		img.Pix[i] = byte(255 * ((i%img.Stride + i/img.Stride) % 2))
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	_, rendition, _ := decode(t, data.Bytes())
	small, err := jpeg.Decode(bytes.NewReader(rendition))
	if err != nil {
		t.Fatal(err)
	}
	for x := range 1024 {
		if r, _, _, _ := small.At(x, x/2).RGBA(); r>>8 < 100 || r>>8 > 156 {
			t.Fatalf("a fine chequerboard is %d at %d, %d", r>>8, x, x/2)
		}
	}
}

// What is encoded here is as near to the pixels, and as small, as what
// image/jpeg makes of them.
func TestEncodesAsWellAsTheLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	img := image.NewGray(image.Rect(0, 0, 333, 251))
	for i := range img.Pix {
		x, y := i%333, i/333
		img.Pix[i] = byte(128 + 60*((x/40+y/30)%2) - 30 + random.IntN(40))
	}
	var data, theirs bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&theirs, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	_, ours, _ := decode(t, data.Bytes())
	lost := func(data []byte) (sum float64) {
		got, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range img.Pix {
			d := float64(v) - float64(got.(*image.Gray).Pix[i/333*got.(*image.Gray).Stride+i%333])
			sum += d * d
		}
		return sum / float64(len(img.Pix))
	}
	if a, b := lost(ours), lost(theirs.Bytes()); a > 1.02*b || len(ours) > theirs.Len()*101/100 {
		t.Errorf("%.2f lost in %d bytes, by image/jpeg %.2f in %d", a, len(ours), b, theirs.Len())
	}
}

func TestCodecPanicIsAnError(t *testing.T) {
	if _, err := photo.Guarded(func() (int, error) { panic("index out of range") }); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("a codec's panic becomes %v", err)
	}
}

// libjpeg and what descends from it print what they think of a picture.
func TestNothingIsPrinted(t *testing.T) {
	if os.Getenv("PHOTO_QUIET") != "" {
		for _, name := range []string{"cut-cmyk.jpg", "cut-zeros-cmyk.jpg", "colour-cmyk.jpg"} {
			if h, err := photo.Inspect(fixture(t, name), limits); err == nil {
				_, err = h.Decode()
				_ = err // only what is printed counts
			}
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingIsPrinted$")
	cmd.Env = append(os.Environ(), "PHOTO_QUIET=1")
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "PASS" {
		t.Errorf("%v: %s", err, out)
	}
}
