//go:build !unit

package web_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"vinfast-classifier/local/program"
)

// screenshots are kept for people to look at; the folder is not in git.
const screenshots = "../../.local/screenshots"

// hang bounds each step in the browser and each wait for the page. It ends what
// hangs; no test is decided by it.
const hang = 2 * time.Minute

// chrome is one headless Chromium for all tests of the package, started by the
// first that needs it.
var chrome struct {
	once sync.Once
	ctx  context.Context
	stop []func() // last first
	err  error
}

func startChrome(path string) error {
	dir, err := os.MkdirTemp("", "vinfast-browser-")
	if err != nil {
		return err
	}
	// A helper process that writes into it while it is removed fails nothing.
	chrome.stop = append(chrome.stop, func() { _ = os.RemoveAll(dir) })
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Env("TMPDIR=" + dir), chromedp.WindowSize(1100, 900),
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU,
		chromedp.NoInheritEnv, chromedp.Env(program.Environment()...),
	}
	// The last three: a window that another covers works on.
	for _, name := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
		"hide-scrollbars", "disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding"} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	chrome.stop = append(chrome.stop, cancel)
	chrome.ctx, cancel = chromedp.NewContext(ctx)
	chrome.stop = append(chrome.stop, cancel)
	return chromedp.Do(chrome.ctx)
}

// stopChrome ends the browser, if a test has started it.
func stopChrome() {
	for _, stop := range slices.Backward(chrome.stop) {
		stop()
	}
}

// tab is a window of the browser, with cookies and a cache of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	log []string // what the browser complains about
	all []string // that, and what scripts say
}

func browser(t *testing.T) *tab {
	t.Helper()
	path := chromium(t)
	chrome.once.Do(func() { chrome.err = startChrome(path) })
	if chrome.err != nil {
		t.Fatalf("start the browser: %v", chrome.err)
	}
	ctx, cancel := chromedp.NewContext(chrome.ctx, chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx}
	t.Cleanup(cancel)
	t.Cleanup(func() {
		if t.Failed() {
			b.keepEvidence()
		}
	})
	// Not under the bound of a step: the window would end with the step.
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("open a window: %v", err)
	}
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watchShifts})
		return err
	}))
	b.size(1100, 900, false)
	return b
}

// windows numbers the pictures of failed tests: a test may have several windows.
var windows atomic.Int64

// keepEvidence keeps what a failed test's window shows and has said.
func (b *tab) keepEvidence() {
	base := filepath.Join("failed", fmt.Sprintf("%s-%d", strings.NewReplacer("/", "_", " ", "_").Replace(b.t.Name()), windows.Add(1)))
	ctx, cancel := context.WithTimeout(b.ctx, hang)
	defer cancel()
	err := chromedp.Do(ctx, shot(base+".png"))
	for range 20 { // it may be on its way to another page
		if err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
		err = chromedp.Do(ctx, shot(base+".png"))
	}
	if err != nil {
		b.t.Logf("no picture of the window: %v", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	file, err := filepath.Abs(filepath.Join(screenshots, base))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file+".txt", []byte(strings.Join(b.all, "\n")+"\n"), 0o644)
	}
	b.t.Logf("the window when the test had failed, and its console: %s.png and .txt (%v)", file, err)
}

// hear keeps what the browser would show in its console: a broken rule of the
// page's policy, a missing file.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.log = append(b.log, e.Entry.Text)
		b.all = append(b.all, string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventConsoleAPICalled:
		var said []string
		for _, arg := range e.Args {
			said = append(said, string(arg.Value)+arg.Description)
		}
		b.all = append(b.all, "console: "+strings.Join(said, " "))
	case *runtime.EventExceptionThrown:
		b.all = append(b.all, fmt.Sprintf("exception: %s at %s:%d", e.ExceptionDetails.Text, e.ExceptionDetails.URL, e.ExceptionDetails.LineNumber+1))
	}
}

func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, hang)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// ask runs one step that has an answer.
func ask[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, hang)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(ask(b, chromedp.Text(chromedp.CSS(selector))))
}

// natural is the size of a picture as the browser decoded it.
func (b *tab) natural(selector string) (width, height int) {
	b.t.Helper()
	for name, to := range map[string]*int{"naturalWidth": &width, "naturalHeight": &height} {
		*to = ask(b, chromedp.JavascriptAttribute[int](chromedp.CSS(selector), name))
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
		file := filepath.Join(screenshots, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, png, 0o644)
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
