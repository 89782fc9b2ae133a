package web_test

import (
	"bytes"
	"flag"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/image/draw"

	"vinfast-classifier/app/car"
)

func TestSamples(t *testing.T) {
	s := newSite(t)
	buttons := s.open("/").Find(`form.samples[method=post] button[name=sample]`)
	if buttons.Length() < 6 {
		t.Errorf("%d samples, want at least six", buttons.Length())
	}
	buttons.Each(func(_ int, b *goquery.Selection) {
		name, _ := b.Attr("value")
		if src, _ := b.Find("img").Attr("src"); !strings.HasPrefix(src, "/static/samples/small/"+name+"?") {
			t.Errorf("%s: the button shows %s", name, src)
		}
		resp, picture := s.do("GET", "/static/samples/"+name, nil)
		if photo, err := car.Decode([]byte(picture), s.Limits); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: %d, %v", name, resp.StatusCode, err)
		} else if photo.Width < 400 {
			t.Errorf("%s is only %d pixels wide", name, photo.Width)
		}
		if resp, _ := s.form("/", []part{{"token", "", []byte("t")}, {"sample", "", []byte(name)}}); resp.StatusCode != 201 {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
		last := s.rows[len(s.rows)-1]
		if !bytes.Equal(s.objects[last.Key], []byte(picture)) {
			t.Errorf("%s: another picture was classified", name)
		}
	})
}

var update = flag.Bool("update", false, "write generated files anew")

// TestSmallSamples makes the pictures of the buttons; -update keeps them.
func TestSmallSamples(t *testing.T) {
	samples, err := filepath.Glob("static/samples/*.jpg")
	if err != nil || len(samples) < 6 {
		t.Fatalf("%d samples, want at least six; %v", len(samples), err)
	}
	for _, sample := range samples {
		file := filepath.Join("static/samples/small", filepath.Base(sample))
		want := smallSample(t, sample)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not %s made small (%v); run this test with -update", file, sample, err)
		}
	}
}

func smallSample(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("decode %s: %v", file, err)
	}
	small := image.NewRGBA(image.Rect(0, 0, 288, 288*whole.Bounds().Dy()/whole.Bounds().Dx()))
	draw.CatmullRom.Scale(small, small.Rect, whole, whole.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
