//go:build !unit

package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// What a person can do at a page, and see.

// run evaluates an expression in the page; a promise is awaited.
func run[T any](b *tab, expression string) T {
	b.t.Helper()
	return ask(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// await waits until the text of selector contains want. It asks again and again
// from outside: the page may be on its way to the next, which ends what runs in it.
func (b *tab) await(selector, want string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, hang)
	defer cancel()
	look := chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q)?.innerText ?? "(nothing)"`, selector))
	for {
		got, err := chromedp.Run(ctx, look)
		if err == nil && strings.Contains(got, want) {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("%s says %q, want %q; %v", selector, got, want, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// size sets the window, and whether it is dark, and waits until it is so.
func (b *tab) size(width, height int64, dark bool) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height), chromedp.Func(scheme(dark)))
	run[bool](b, fmt.Sprintf(`new Promise((done) => {
		const look = () => innerWidth === %d && innerHeight === %d ? requestAnimationFrame(() => done(true)) : setTimeout(look, 5);
		look();
	})`, width, height))
}

// languages is what the browser asks for.
func languages(header string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": header}})
		return err
	})
}

// drag moves files over the page and, at the end, drops them.
func (b *tab) drag(to []input.DispatchDragEventType, files ...string) {
	b.t.Helper()
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, event := range to {
			if _, err := chromedp.Call(ctx, input.DispatchDragEvent, input.DispatchDragEventParams{Type: event, X: 150, Y: 150, Data: data}); err != nil {
				return err
			}
		}
		return nil
	}))
}

var (
	over    = []input.DispatchDragEventType{"dragEnter", "dragOver"}
	dropped = []input.DispatchDragEventType{"dragEnter", "dragOver", "drop"}
)

// paste is Ctrl-V of a picture without a name of its own.
func (b *tab) paste(data []byte, mediaType string) {
	b.t.Helper()
	run[bool](b, fmt.Sprintf(`(() => {
		const bytes = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0));
		const clipboardData = new DataTransfer();
		clipboardData.items.add(new File([bytes], "image.png", { type: %q }));
		return document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
	})()`, base64.StdEncoding.EncodeToString(data), mediaType))
}

// watchShifts runs in each page before its own scripts and keeps what moved by
// itself (Cumulative Layout Shift; what follows a click or key is not counted).
// A window that gets another size moves its content, too, and Chromium sets only
// the next half second aside, which a busy machine may need for the first frame:
// what moves between the change and the end of its frame is not counted either.
const watchShifts = `(() => {
	let shifts = [], sizes = [];
	new PerformanceObserver((list) => shifts.push(...list.getEntries())).observe({ type: "layout-shift", buffered: true });
	addEventListener("resize", () => {
		const size = { from: performance.now(), to: Infinity };
		sizes.push(size);
		requestAnimationFrame(() => requestAnimationFrame(() => { size.to = performance.now(); }));
	});
	const frame = () => new Promise((done) => requestAnimationFrame(done));
	window.whatMoved = async () => {
		do { await frame(); await frame(); } while (sizes.some((s) => s.to === Infinity));
		await new Promise((done) => setTimeout(done)); // observers are called after the frame
		return shifts.filter((e) => !e.hadRecentInput && e.value > 0 && !sizes.some((s) => s.from <= e.startTime && e.startTime <= s.to))
			.map((e) => e.value.toFixed(4) + " at " + e.startTime + " " + e.sources.map((s) => (s.node?.className || s.node?.nodeName) +
				" from " + JSON.stringify(s.previousRect) + " to " + JSON.stringify(s.currentRect)).join(" ")).join("; ");
	};
})()`

// shifted is how much of the page moved by itself since it was opened.
func (b *tab) shifted() string {
	b.t.Helper()
	return run[string](b, "whatMoved()")
}

// wide tells whether something sticks out to the right.
func (b *tab) wide() bool {
	b.t.Helper()
	return run[bool](b, "document.documentElement.scrollWidth > document.documentElement.clientWidth")
}

// clock moves the page's clock on and stops it: what the page waits for comes
// when the test says so, and what it counts down stands still.
func (b *tab) clock(seconds int) {
	b.t.Helper()
	run[bool](b, fmt.Sprintf("(() => { const at = Date.now() + %d000; Date.now = () => at; return true; })()", seconds))
}

// keep writes data to a file that a browser can send.
func keep(t *testing.T, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// sample is the path of a sample picture.
func sample(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs("static/samples/" + name + ".jpg")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// noise is a JPEG that hardly compresses: about a byte a pixel.
func noise(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	state := uint32(1)
	for i := range img.Pix {
		state = state*1664525 + 1013904223
		img.Pix[i] = byte(state >> 24)
	}
	img.SetGray(0, 0, color.Gray{})
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// slow is a connection of so many bytes a second upwards.
func slow(bytesPerSecond float64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{DownloadThroughput: -1, UploadThroughput: bytesPerSecond}}})
		return err
	})
}

// tabTo presses Tab until selector has the focus.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent("\t"))
		if run[bool](b, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
	}
	b.t.Fatalf("Tab does not lead to %s", selector)
}
