package model_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"vinfast-classifier/local/model"
)

// seesBytes is a tiny model whose pixel values are the picture's own bytes.
func seesBytes(t *testing.T) *model.Model {
	t.Helper()
	folder := newTiny()
	for _, step := range []string{"do_resize", "do_rescale", "do_normalize"} {
		folder.processor[step] = false
	}
	m, err := model.Load(folder.files())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestColoursLikePillow: alpha is dropped, CMYK is Pillow's arithmetic, and a
// picture that is part of a larger one begins at its own corner.
func TestColoursLikePillow(t *testing.T) {
	at := image.Rect(3, 2, 7, 6)
	fill := func(img interface {
		image.Image
		Set(x, y int, c color.Color)
	}, c color.Color) image.Image {
		for y := at.Min.Y; y < at.Max.Y; y++ {
			for x := at.Min.X; x < at.Max.X; x++ {
				img.Set(x, y, c)
			}
		}
		return img
	}
	m := seesBytes(t)
	for name, c := range map[string]struct {
		img  image.Image
		want [3]float32
	}{
		"clear NRGBA":    {fill(image.NewNRGBA(at), color.NRGBA{200, 100, 50, 0}), [3]float32{200, 100, 50}},
		"clear NRGBA64":  {fill(image.NewNRGBA64(at), color.NRGBA64{200 << 8, 100 << 8, 50 << 8, 0}), [3]float32{200, 100, 50}},
		"opaque RGBA":    {fill(image.NewRGBA(at), color.NRGBA{200, 100, 50, 255}), [3]float32{200, 100, 50}},
		"gray":           {fill(image.NewGray(at), color.Gray{77}), [3]float32{77, 77, 77}},
		"palette":        {fill(image.NewPaletted(at, color.Palette{color.Black, color.NRGBA{9, 8, 7, 0}}), color.NRGBA{9, 8, 7, 0}), [3]float32{9, 8, 7}},
		"CMYK":           {fill(image.NewCMYK(at), color.CMYK{10, 100, 200, 30}), [3]float32{216, 137, 49}},
		"full black ink": {fill(image.NewCMYK(at), color.CMYK{10, 100, 200, 255}), [3]float32{0, 0, 0}},
		"part of larger": {fill(image.NewNRGBA(image.Rect(0, 0, 9, 9)), color.NRGBA{1, 2, 3, 255}).(*image.NRGBA).SubImage(at), [3]float32{1, 2, 3}},
		"JPEG gray":      {fillYCbCr(at, 128, 128, 128), [3]float32{128, 128, 128}},
		"JPEG red":       {fillYCbCr(at, 76, 85, 255), [3]float32{254, 0, 0}},
	} {
		values, err := m.PixelValues(c.img)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for channel, want := range c.want {
			for i, v := range values[16*channel : 16*channel+16] {
				if v != want {
					t.Fatalf("%s: channel %d, pixel %d is %v, want %v", name, channel, i, v, want)
				}
			}
		}
	}
}

func fillYCbCr(r image.Rectangle, y, cb, cr byte) image.Image {
	img := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = y
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = cb, cr
	}
	return img
}

func TestPicturesRefused(t *testing.T) {
	m := seesBytes(t)
	for _, r := range []image.Rectangle{image.Rect(0, 0, 0, 4), image.Rect(0, 0, 5, 4)} {
		if _, err := m.Logits(t.Context(), image.NewGray(r)); err == nil {
			t.Errorf("a picture of %v was taken", r)
		}
	}
}

func TestCancelledCallStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := load(t, golden+"/plain").Classify(ctx, image.NewGray(image.Rect(0, 0, 9, 9)), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestConcurrentCallsAgree(t *testing.T) {
	m, img := load(t, golden+"/ragged-bfloat"), open(t, golden+"/rgb-97x61.png")
	want, err := m.Logits(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := m.Logits(t.Context(), img); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v (%v), want %v", got, err, want)
			}
		})
	}
	wg.Wait()
}

func TestClassifyIsSoftmaxBestFirst(t *testing.T) {
	m, img := load(t, golden+"/twelve-labels"), open(t, golden+"/rgb-97x61.png")
	logits, err := m.Logits(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	for k, n := range map[int]int{-1: 0, 0: 0, 5: 5, 12: 12, 99: 12} {
		if scores, err := m.Classify(t.Context(), img, k); err != nil || len(scores) != n {
			t.Errorf("top %d gives %d scores, %v", k, len(scores), err)
		}
	}
	scores, err := m.Classify(t.Context(), img, 12)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, v := range logits {
		sum += math.Exp(float64(v))
	}
	for i, s := range scores {
		want := math.Exp(float64(logits[slices.Index(m.Labels(), s.Label)])) / sum
		if math.Abs(s.Score-want) > 1e-5 || i > 0 && s.Score > scores[i-1].Score {
			t.Errorf("place %d: %v, want %g", i, s, want)
		}
	}
}

func TestNoticeComesFromTheFolder(t *testing.T) {
	folder := newTiny()
	folder.config["vinfast_notice"] = "not for photos"
	m, err := model.Load(folder.files())
	if err != nil || m.Notice() != "not for photos" {
		t.Errorf("notice %q, error %v", m.Notice(), err)
	}
}

// TestSharedFolderTypes holds that Load needs nothing of fs.FS but Open.
func TestSharedFolderTypes(t *testing.T) {
	var inMemory fstest.MapFS = newTiny().files()
	dir := t.TempDir()
	if err := os.CopyFS(dir, inMemory); err != nil {
		t.Fatal(err)
	}
	if _, err := model.Load(os.DirFS(dir)); err != nil {
		t.Error(err)
	}
}
