//go:build !unit

package web_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// axeFile is the checker; make brings it.
const axeFile = "../../.local/axe/axe_playwright_python/axe.min.js"

// accessible fails for each rule of WCAG 2.2 A and AA, and of good practice,
// that the page as it stands breaks.
func (b *tab) accessible(what string) {
	b.t.Helper()
	script, err := os.ReadFile(axeFile)
	if err != nil {
		b.t.Fatalf("no axe-core: run make .local/axe/axe_playwright_python/axe.min.js (%v)", err)
	}
	run[bool](b, string(script)+"; true")
	violations := run[string](b, `axe.run({ resultTypes: ["violations"] }).then((all) => all.violations
		.map((v) => v.id + ": " + v.help + " " + v.nodes.map((n) => n.target + " " + n.any.map((a) => a.message)).join("; ")).join("\n"))`)
	if violations != "" {
		b.t.Errorf("%s: %s", what, violations)
	}
}

// view is a way to look at a page.
type view struct {
	lang          string
	width, height int64
	dark          bool
}

// TestBrowserAccessibility opens every page in both languages, schemes and
// sizes, with something to see on each; the long test in each combination.
func TestBrowserAccessibility(t *testing.T) {
	everyPage(t, view{"en", 1100, 900, false}, view{"vi", 360, 740, true})
}

func everyPage(t *testing.T, views ...view) {
	t.Helper()
	r := newReal(t)
	b := browser(t)
	r.past(t)
	id := b.sends(r)
	for _, v := range views {
		b.size(v.width, v.height, v.dark)
		for name, path := range pages(id) {
			b.do(languages(v.lang), chromedp.Navigate(r.URL+path))
			what := fmt.Sprintf("%s %+v", name, v)
			b.accessible(what)
			if got := run[string](b, "document.documentElement.lang"); got != v.lang {
				t.Errorf("%s is in %q", what, got)
			}
			if b.wide() {
				t.Errorf("%s is wider than the window", what)
			}
		}
	}
}

// TestBrowserAccessibilityAtWork checks what scripts put on the page.
func TestBrowserAccessibilityAtWork(t *testing.T) {
	r := newReal(t)
	r.mind.say(fiveScores(0.36)...)
	b := browser(t)
	for _, dark := range []bool{false, true} {
		b.size(1100, 900, dark)
		b.do(chromedp.Navigate(r.URL))
		r.mind.think()
		b.drag(dropped, sample(t, "Vinfast_VF_8"), keep(t, "IMG.HEIC", []byte("heic")))
		b.await("#results > :nth-child(1)", "The model is looking at it")
		b.await("#results > :nth-child(2) h2", "HEIC is not taken")
		b.accessible("working")
		r.mind.answer()
		b.await("#results > :nth-child(1) h2", "Not sure")
		b.do(chromedp.Click(chromedp.CSS("summary")))
		b.accessible("answered")
		r.noModel.Store(true)
		b.clock(0)
		b.drag(dropped, sample(t, "Vinfast_Fadil"))
		b.await("#results > :nth-child(1)", "Trying again by itself in")
		b.accessible("waiting")
		r.noModel.Store(false)
	}
}

func TestBrowserByKeyboard(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(chromedp.Navigate(r.URL))
	b.tabTo(".skip")
	b.do(chromedp.KeyEvent("\r"))
	if !run[bool](b, `document.activeElement.id === "main"`) {
		t.Error("the skip link does not lead to the content")
	}
	b.tabTo("#image")
	if width := run[string](b, `getComputedStyle(document.querySelector("label[for=image]")).outlineWidth`); width != "3px" {
		t.Errorf("the focus on the button is %q wide", width)
	}
	b.do(shot("focus.png"))
	b.choose(sample(t, "Vinfast_VF_e34"))
	b.await("#results h2", "VinFast VF e34")
	b.tabTo("#results .photo")
	b.tabTo("#results .facts a")
	b.tabTo("#results summary")
	b.do(chromedp.KeyEvent("\r"))
	b.tabTo("#results select")
	b.tabTo("#results .wrong button")
	b.do(chromedp.Navigate(r.URL))
	b.tabTo("form.samples button")
	b.do(chromedp.KeyEvent("\r"))
	b.await("#results h2", "VinFast VF e34")
}

// choose presses Space on the field that has the focus, and answers the dialog
// that the system then shows.
func (b *tab) choose(file string) {
	b.t.Helper()
	intercept := func(on bool) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, cdppage.SetInterceptFileChooserDialog, cdppage.SetInterceptFileChooserDialogParams{Enabled: on})
			return err
		})
	}
	b.do(intercept(true))
	opened := ask(b, chromedp.WaitEvent(cdppage.FileChooserOpened,
		func(cdppage.EventFileChooserOpened) bool { return true }, chromedp.KeyEvent(" ")))
	if opened.Mode != "selectMultiple" {
		b.t.Errorf("the dialog takes %q", opened.Mode)
	}
	b.do(intercept(false), chromedp.SetUploadFiles(chromedp.CSS("#image"), []string{file}))
}

func TestBrowserSpeaksVietnamese(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	b.do(languages("vi-VN,vi;q=0.9,en;q=0.5"), chromedp.Navigate(r.URL))
	b.await("h1", "Đây là xe VinFast nào?")
	b.await(".hero .notice", "Mô hình thử nghiệm, học từ hình vẽ")
	b.drag(dropped, sample(t, "Vinfast_VF_e34"))
	b.await("#results .lead", "Mức độ chắc chắn: 75%.")
	b.await("#results caption", "Mức độ khớp với từng mẫu xe")
	b.do(shot("vietnamese.png"))
	b.do(chromedp.Click(chromedp.CSS(".tongues [lang=en]")))
	b.await("h1", "Which VinFast is this?")
	b.do(chromedp.Navigate(r.URL + "/nothing")) // chosen once, kept
	b.await("h1", "Not found")
	b.do(chromedp.Click(chromedp.CSS(".tongues [lang=vi]")))
	b.await("h1", "Không tìm thấy")
	b.await(".lead", "Không có gì ở địa chỉ này.")
	b.do(chromedp.Func(noScripts), chromedp.Navigate(r.URL), chromedp.SetUploadFiles(chromedp.CSS("#image"), []string{keep(t, "note.txt", []byte("No."))}),
		chromedp.Click(chromedp.CSS("button.scriptless")), chromedp.WaitVisible(chromedp.CSS(".fault")))
	if got := b.text(".fault"); !strings.Contains(got, "Tệp này không phải ảnh.") {
		t.Errorf("the refusal says %q", got)
	}
}

// maxTransfer bounds the first page with all it shows, in bytes on the wire.
const maxTransfer = 60_000

func TestBrowserFirstPageIsLight(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	var mu sync.Mutex
	var total float64
	var strangers []string
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		return chromedp.Listen(ctx, func(event any) {
			mu.Lock()
			defer mu.Unlock()
			switch e := event.(type) {
			case *network.EventLoadingFinished:
				total += e.EncodedDataLength
			case *network.EventRequestWillBeSent:
				if !strings.HasPrefix(e.Request.URL, r.URL) {
					strangers = append(strangers, e.Request.URL)
				}
			}
		})
	}), chromedp.Navigate(r.URL), chromedp.ScrollIntoView(chromedp.CSS("footer")))
	run[bool](b, `Promise.all(Array.from(document.images, (img) => img.decode())).then(() => true)`)
	mu.Lock()
	defer mu.Unlock()
	t.Logf("%.0f bytes", total)
	if total > maxTransfer || total < 10_000 {
		t.Errorf("the first page is %.0f bytes, want at most %d", total, maxTransfer)
	}
	if len(strangers) > 0 {
		t.Errorf("it asks others: %q", strangers)
	}
}
