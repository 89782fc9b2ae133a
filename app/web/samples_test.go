package web_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

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
