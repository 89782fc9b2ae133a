package web_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"vinfast-classifier/local/program"
)

// screenshots are kept for people to look at; the folder is not in git.
const screenshots = "../../.local/screenshots"

// tab is one page of a headless Chromium of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	log []string
}

func browser(t *testing.T) *tab {
	t.Helper()
	dir := scratch(t)
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Env("TMPDIR=" + dir), chromedp.WindowSize(1100, 900),
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU,
		chromedp.NoInheritEnv, chromedp.Env(program.Environment()...),
	}
	for _, name := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars"} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, flags...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("close the browser: %v", err)
		}
	})
	b := &tab{t: t, ctx: ctx}
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
			return err
		}
		return chromedp.Listen(ctx, b.hear)
	}))
	return b
}

// scratch is a folder for the browser. Unlike t.TempDir, a helper process that
// writes into it while it is removed fails no test.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vinfast-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("left behind: %v", err)
		}
	})
	return dir
}

// hear keeps what the browser would show in its console: a broken rule of the
// page's policy, a missing file.
func (b *tab) hear(event any) {
	if e, ok := event.(*log.EventEntryAdded); ok {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.log = append(b.log, e.Entry.Text)
	}
}

func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// natural is the size of a picture as the browser decoded it.
func (b *tab) natural(selector string) (width, height int) {
	b.t.Helper()
	for name, to := range map[string]*int{"naturalWidth": &width, "naturalHeight": &height} {
		n, err := chromedp.Run(b.ctx, chromedp.JavascriptAttribute[int](chromedp.CSS(selector), name))
		if err != nil {
			b.t.Fatal(err)
		}
		*to = n
	}
	return width, height
}

func noScripts(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no browser: install chromium (Debian: apt-get install chromium) so that chromium, chromium-browser or google-chrome is on the PATH")
	return ""
}

// shot saves the whole page.
func shot(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(screenshots, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(screenshots, name), png, 0o644)
	})
}

func TestBrowserWithoutScripts(t *testing.T) {
	r := newReal(t)
	b := browser(t)
	files := []string{keep(t, "car.jpg", fromCar(t, "large6.jpg")), keep(t, "large.bmp", make([]byte, 11<<20)), keep(t, "note.txt", []byte("Not a picture."))}
	b.do(chromedp.Func(noScripts), chromedp.Navigate(r.URL), shot("scriptless.png"), chromedp.SetUploadFiles(chromedp.CSS("#image"), files),
		chromedp.Click(chromedp.CSS("button.scriptless")), chromedp.WaitVisible(chromedp.CSS("h2.label")), shot("scriptless-results.png"))
	if got := b.text("h2.label"); got != "VinFast VF e34" {
		t.Errorf("the page says %q", got)
	}
	if got := b.text(".result .lead"); got != "The model is 75% sure." {
		t.Errorf("the page says %q", got)
	}
	// The file is 2100 x 1400 and turned by its EXIF data.
	if w, h := b.natural(".photo img"); w != 1400 || h != 2100 {
		t.Errorf("the picture is shown as %d x %d", w, h)
	}
	if got := b.text(".result:nth-of-type(2)"); !strings.Contains(got, "large.bmp") || !strings.Contains(got, "at most 10 MiB") {
		t.Errorf("of the large file the page says %q", got)
	}
	if got := b.text(".result:nth-of-type(3) h2"); got != "Not a picture" {
		t.Errorf("of the text the page says %q", got)
	}
	b.do(chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS("h2.label")))
	if l := r.list(""); len(l.Predictions) != 1 {
		t.Errorf("%d predictions were stored", len(l.Predictions))
	}
	b.quiet()
}

// TestBrowserShots keeps what people should look at after a change of the
// style; what it asserts is that no page is wider than a phone.
func TestBrowserShots(t *testing.T) {
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
			wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
			if err != nil || wide > c.width {
				t.Errorf("%s is %d wide on a screen of %d, %v", path, wide, c.width, err)
			}
		}
	}
}

func scheme(dark bool) func(context.Context, *chromedp.Target) error {
	value := "light"
	if dark {
		value = "dark"
	}
	return func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
		return err
	}
}
