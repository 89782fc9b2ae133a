//go:build !unit

package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"vinfast-classifier/app/web"
	"vinfast-classifier/local/endpoint"
)

// fiveScores are as many as the real container answers.
func fiveScores(best float64) []endpoint.Score {
	scores := []endpoint.Score{{Label: "Vinfast_VF_8", Score: best}}
	for i, label := range []string{"Vinfast_VF_e34", "Vinfast_Lux_SA2.0", "Vinfast_President", "Vinfast_Fadil"} {
		scores = append(scores, endpoint.Score{Label: label, Score: (1 - best) / float64(int(2)<<i)})
	}
	return scores
}

// desks are the windows that pages are looked at in.
var desks = []struct {
	name          string
	width, height int64
	dark          bool
}{{"desktop", 1100, 900, false}, {"phone-dark", 360, 740, true}}

func TestBrowserDropsSeveral(t *testing.T) {
	for _, d := range desks {
		t.Run(d.name, func(t *testing.T) {
			r := newReal(t)
			r.mind.say(fiveScores(0.91)...)
			b := browser(t)
			b.size(d.width, d.height, d.dark)
			b.do(chromedp.Navigate(r.URL), shot("empty-"+d.name+".png"))
			files := []string{sample(t, "Vinfast_VF_8"), sample(t, "Vinfast_Fadil"), sample(t, "Vinfast_President")}
			b.drag(over, files...)
			b.await(".over", "Drop the photos here")
			b.do(shot("dragging-" + d.name + ".png"))
			r.mind.think()
			b.drag(dropped, files...)
			b.await("#results > :nth-child(1)", "The model is looking at it")
			b.await("#results > :nth-child(2)", "The model is looking at it")
			b.await("#results > :nth-child(3)", "Waiting for its turn")
			if w, h := b.natural("#results > :nth-child(2) img"); w != 640 || h != 400 {
				t.Errorf("the preview is %d x %d", w, h)
			}
			b.do(shot("working-" + d.name + ".png"))
			r.mind.answer()
			for _, at := range []string{":nth-child(1)", ":nth-child(2)", ":nth-child(3)"} {
				b.await("#results > "+at+" h2", "VinFast VF 8")
			}
			b.await("#results > :nth-child(1)", "The model is 91% sure.")
			b.await("#results > :nth-child(2)", "Vinfast_Fadil.jpg")
			b.await("#results > :nth-child(3) tr:nth-child(2)", "VinFast VF e34")
			b.await("#voice", "VinFast VF 8. The model is 91% sure.")
			if shift := b.shifted(); shift != "" {
				t.Errorf("the page moved: %s", shift)
			}
			if b.wide() {
				t.Error("the page is wider than the window")
			}
			b.do(shot("several-" + d.name + ".png"))
			if l := r.list(""); len(l.Predictions) != 3 {
				t.Errorf("%d predictions were stored", len(l.Predictions))
			}
			b.quiet()
		})
	}
}

// quiet fails if the browser had something to complain about.
func (b *tab) quiet() {
	b.t.Helper()
	if messages := b.complaints(); len(messages) > 0 {
		b.t.Errorf("the browser complains: %q", messages)
	}
}

func TestBrowserPastes(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Navigate(r.URL))
	b.paste(fromCar(t, "rgb8.png"), "image/png")
	b.await("#results h2", "VinFast VF e34")
	resp, body := r.do("GET", "/images/"+r.list("").Predictions[0].ID, nil)
	if resp.Header.Get("Content-Type") != "image/png" || body != string(fromCar(t, "rgb8.png")) {
		t.Error("a small picture was not sent as it is")
	}
	b.quiet()
}

func TestBrowserScalesLargePhotos(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	// 2100 x 1400 and turned by its EXIF data, where a place may stand, too.
	file := keep(t, "car.jpg", fromCar(t, "large6.jpg"))
	b.do(chromedp.Navigate(r.URL), chromedp.SetUploadFiles(chromedp.CSS("#image"), []string{file}))
	b.await("#results h2", "VinFast VF e34")
	b.do(chromedp.Click(chromedp.CSS("#original")), chromedp.SetUploadFiles(chromedp.CSS("#image"), []string{file}))
	b.await("#results > :nth-child(1) h2", "VinFast VF e34")
	for i, want := range [][2]int{{1400, 2100}, {1365, 2048}} { // newest first
		p := r.list("").Predictions[i]
		b.do(chromedp.Navigate(r.URL + "/predictions/" + p.ID))
		if w, h := b.natural(".photo img"); w != want[0] || h != want[1] {
			t.Errorf("picture %d is %d x %d, want %v", i, w, h, want)
		}
		_, body := r.do("GET", "/images/"+p.ID, nil)
		if hasEXIF := strings.Contains(body, "Exif\x00"); hasEXIF != (i == 0) {
			t.Errorf("picture %d has EXIF data: %v", i, hasEXIF)
		}
	}
	b.quiet()
}

func TestBrowserShowsProgress(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Navigate(r.URL), slow(2<<20))
	run[bool](b, `(() => {
		window.seen = [];
		new MutationObserver(() => {
			const bar = document.querySelector("progress:not([hidden])");
			if (bar) { seen.push(bar.value); }
		}).observe(document.querySelector("#results"), { subtree: true, childList: true, characterData: true, attributes: true });
		document.querySelector("#original").click();
		return true;
	})()`)
	b.drag(dropped, keep(t, "large.jpg", noise(t, 3000, 2000)))
	b.await("#results h2", "VinFast VF e34")
	if between := run[int](b, "new Set(seen.filter((v) => v > 0 && v < 100)).size"); between < 2 {
		t.Errorf("the bar stood at %s", run[string](b, "seen.join()"))
	}
}

func TestBrowserCancelsAndRetries(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Navigate(r.URL))
	r.mind.think()
	b.drag(dropped, sample(t, "Vinfast_VF_e34"))
	b.await("#results", "The model is looking at it")
	b.do(chromedp.Click(chromedp.CSS(".cancel")))
	b.await("#results h2", "Cancelled")
	b.do(shot("cancelled.png"))
	// The server may be at work on the first try still; the second, under the
	// same key, is told so and waits.
	b.do(chromedp.Click(chromedp.CSS(".retry")))
	r.mind.answer()
	b.await("#results h2", "VinFast VF e34")
	if l := r.list(""); len(l.Predictions) != 1 {
		t.Errorf("%d predictions were stored", len(l.Predictions))
	}
}

func TestBrowserWaitsForTheModel(t *testing.T) {
	for _, c := range []struct{ lang, off, again string }{
		{"en", "The model is not available", "Trying again by itself in 30 s (attempt 2)"},
		{"vi", "Mô hình chưa sẵn sàng", "Tự thử lại sau 30 giây (lần 2)"},
	} {
		t.Run(c.lang, func(t *testing.T) {
			r := newReal(t)
			b := browser(t)
			b.do(languages(c.lang), chromedp.Navigate(r.URL))
			b.clock(0)
			r.noModel.Store(true)
			b.drag(dropped, sample(t, "Vinfast_VF_e34"))
			b.await("#results h2", c.off)
			b.await("#results .note", c.again)
			b.await("#voice", c.off)
			b.do(shot("off-" + c.lang + ".png"))
			b.do(chromedp.Click(chromedp.CSS(".retry"))) // at once, in vain
			b.await("#results .note", strings.NewReplacer("2)", "3)").Replace(c.again))
			r.noModel.Store(false)
			b.clock(60) // by itself, when the time is over
			b.await("#results h2", "VinFast VF e34")
			if l := r.list(""); len(l.Predictions) != 1 {
				t.Errorf("%d predictions were stored", len(l.Predictions))
			}
		})
	}
}

func TestBrowserRefuses(t *testing.T) {
	heic := append([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), make([]byte, 2000)...)
	for _, c := range []struct {
		name string
		data []byte
		say  map[string][2]string // title and what to do, by language
	}{
		{"IMG_0001.HEIC", heic, map[string][2]string{"en": {"HEIC is not taken", "Most Compatible"}, "vi": {"Không nhận ảnh HEIC", "Tương thích nhất"}}},
		{"scan.tif", make([]byte, 11<<20), map[string][2]string{"en": {"Picture too large", "at most 10.0 MiB are taken"}, "vi": {"Ảnh quá lớn", "tối đa 10.0 MiB"}}},
		{"note.txt", []byte("Not a picture."), map[string][2]string{"en": {"Not a picture", "Send a photo as JPEG"}, "vi": {"Không phải ảnh", "Hãy gửi ảnh dạng JPEG"}}},
	} {
		for lang, want := range c.say {
			t.Run(c.name+" "+lang, func(t *testing.T) {
				r := newReal(t)
				b := browser(t)
				b.do(languages(lang), chromedp.Navigate(r.URL))
				b.drag(dropped, keep(t, c.name, c.data))
				b.await("#results h2", want[0])
				b.await("#results .why", want[1])
				b.await("#voice", want[0])
				b.do(shot("refused-" + c.name + "-" + lang + ".png"))
				if l := r.list(""); len(l.Predictions) != 0 {
					t.Errorf("%d predictions were stored", len(l.Predictions))
				}
			})
		}
	}
}

func TestBrowserTooManyInAMinute(t *testing.T) {
	r := newReal(t, func(c *web.Config) { c.RatePerMinute = 1 })
	b := browser(t)
	b.do(chromedp.Navigate(r.URL))
	b.drag(dropped, sample(t, "Vinfast_VF_e34"))
	b.await("#results h2", "VinFast VF e34")
	b.drag(dropped, sample(t, "Vinfast_VF_8"))
	b.await("#results > :nth-child(1)", "One address may send 1 pictures a minute.")
	b.await("#results > :nth-child(1) .note", "Trying again by itself in")
	b.do(shot("rate.png"))
}

func TestBrowserNotSure(t *testing.T) {
	for _, c := range []struct{ lang, title, reason string }{
		{"en", "Not sure", "only six cars: Fadil, Lux A2.0, Lux SA2.0, President, VF 8, VF e34."},
		{"vi", "Chưa chắc chắn", "chỉ biết sáu mẫu xe: Fadil, Lux A2.0, Lux SA2.0, President, VF 8, VF e34."},
	} {
		t.Run(c.lang, func(t *testing.T) {
			r := newReal(t)
			r.mind.say(fiveScores(0.36)...)
			for _, d := range desks {
				b := browser(t)
				b.size(d.width, d.height, d.dark)
				b.do(languages(c.lang), chromedp.Navigate(r.URL))
				b.drag(dropped, sample(t, "Vinfast_Lux_A2.0"))
				b.await("#results h2", c.title)
				b.await("#results .lead", c.reason)
				if shift := b.shifted(); shift != "" {
					t.Errorf("%s: the page moved: %s", d.name, shift)
				}
				b.do(shot("notsure-" + c.lang + "-" + d.name + ".png"))
			}
		})
	}
}

// TestBrowserSamplesKeepTheirPlace: a page may arrive in parts, and its first
// samples stand where they stay.
func TestBrowserSamplesKeepTheirPlace(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	for _, d := range desks {
		b.size(d.width, d.height, d.dark)
		b.do(chromedp.Navigate(r.URL))
		place := `JSON.stringify(document.querySelector(".samples button").getBoundingClientRect())`
		whole := run[string](b, place)
		begun := run[string](b, `document.querySelectorAll(".samples button:nth-of-type(n+3)").forEach((e) => e.remove()); `+place)
		if begun != whole {
			t.Errorf("%s: the first sample stands at %s with another, at %s with all", d.name, begun, whole)
		}
	}
}

func TestBrowserTriesASampleInPlace(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Navigate(r.URL), chromedp.Click(chromedp.CSS("form.samples button:nth-of-type(2)")))
	b.await("#results h2", "VinFast VF e34")
	if w, h := b.natural("#results img"); w != 640 || h != 400 {
		t.Errorf("the picture is shown as %d x %d", w, h)
	}
	b.quiet()
}

func TestBrowserTellsTheRightLabel(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Navigate(r.URL))
	b.drag(dropped, sample(t, "Vinfast_Fadil"))
	b.await("#results h2", "VinFast VF e34")
	b.do(chromedp.Click(chromedp.CSS("summary")), chromedp.SetValue(chromedp.CSS("select[name=label]"), "Vinfast_Fadil"), shot("wrong.png"),
		chromedp.Click(chromedp.CSS(".wrong button")))
	b.await("#results .wrong", "Thank you.")
	id := r.list("").Predictions[0].ID
	b.do(chromedp.Navigate(r.URL + "/predictions/" + id))
	b.await(".said", "The sender says: VinFast Fadil")
	b.quiet()
	stranger := browser(t)
	stranger.do(chromedp.Navigate(r.URL + "/predictions/" + id))
	if !run[bool](stranger, `document.querySelector("h2.label") && !document.querySelector(".wrong")`) {
		t.Error("a stranger may judge somebody else's picture")
	}
}

func TestBrowserTellsTheRightLabelWithoutScripts(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Func(noScripts), chromedp.Navigate(r.URL), chromedp.Click(chromedp.CSS("form.samples button")),
		chromedp.WaitVisible(chromedp.CSS("summary")), chromedp.Click(chromedp.CSS("summary")),
		chromedp.SetAttributeValue(chromedp.CSS("option[value=other]"), "selected", ""), chromedp.Click(chromedp.CSS(".wrong button")),
		chromedp.WaitVisible(chromedp.CSS(".said")))
	if got := b.text(".said"); got != "The sender says: another car" {
		t.Errorf("got %q", got)
	}
}

func TestBrowserTriesASample(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Func(noScripts), chromedp.Navigate(r.URL), chromedp.Click(chromedp.CSS("form.samples button")),
		chromedp.WaitVisible(chromedp.CSS("h2.label")), shot("sample.png"))
	if got := b.text("h2.label"); got != "VinFast VF e34" {
		t.Errorf("the page says %q", got)
	}
	if w, h := b.natural(".photo img"); w < 400 || h < 200 {
		t.Errorf("the picture is shown as %d x %d", w, h)
	}
}
