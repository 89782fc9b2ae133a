//go:build long && !unit

package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLongBrowserShots keeps what people should look at after a change of the
// style; what it asserts is that no page is wider than a phone.
func TestLongBrowserShots(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(languages("en"))
	empty := map[string]string{"history-empty": "/history", "statistics-empty": "/stats"}
	for name, path := range empty {
		b.do(chromedp.Navigate(r.URL+path), shot(name+".png"))
	}
	r.past(t)
	id := b.sends(r)
	for _, c := range []struct {
		name          string
		width, height int64
		dark          bool
		lang          string
	}{{"wide", 1100, 900, false, "en"}, {"wide-dark", 1100, 900, true, "vi"}, {"phone", 390, 844, false, "vi"}, {"phone-dark", 390, 844, true, "en"}} {
		b.size(c.width, c.height, c.dark)
		b.do(languages(c.lang))
		for page, path := range pages(id) {
			b.do(chromedp.Navigate(r.URL + path))
			// Also what is lazy; the rows of the past have no picture.
			run[bool](b, `Promise.allSettled(Array.from(document.images, (img) => { img.loading = "eager"; return img.decode(); })).then(() => true)`)
			b.do(shot(page + "-" + c.name + ".png"))
			if wide := run[int64](b, "document.documentElement.scrollWidth"); wide > c.width {
				t.Errorf("%s is %d wide on a screen of %d", path, wide, c.width)
			}
		}
	}
}

func TestLongBrowserAccessibility(t *testing.T) {
	var views []view
	for _, lang := range []string{"en", "vi"} {
		for _, d := range desks {
			for _, dark := range []bool{false, true} {
				views = append(views, view{lang, d.width, d.height, dark})
			}
		}
	}
	everyPage(t, views...)
}
