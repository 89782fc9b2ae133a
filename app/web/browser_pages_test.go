//go:build !unit

package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/local/endpoint"
)

// pages are all that a visitor can open, with a picture of that id.
func pages(id string) map[string]string {
	return map[string]string{"upload": "/", "result": "/predictions/" + id, "history": "/history", "everybody": "/history?mine=false",
		"statistics": "/stats", "docs": "/docs", "error": "/nothing"}
}

// cars are the samples, as the model names them.
var cars = []string{"Vinfast_VF_8", "Vinfast_VF_e34", "Vinfast_Fadil", "Vinfast_Lux_A2.0", "Vinfast_Lux_SA2.0", "Vinfast_President"}

// sends has the browser send each sample, of which the last leaves the model
// unsure, and returns the id of the newest.
func (b *tab) sends(r *real) string {
	b.t.Helper()
	b.do(chromedp.Navigate(r.URL))
	for i, name := range cars {
		best := 0.97 - float64(i)*0.09
		if i == len(cars)-1 {
			best = 0.36
		}
		r.mind.say(endpoint.Score{Label: name, Score: best}, endpoint.Score{Label: cars[(i+1)%len(cars)], Score: (1 - best) / 2})
		b.drag(dropped, sample(b.t, name))
		b.await("#results", name+".jpg")
		b.await("#results > :nth-child(1) .facts", "640")
	}
	return r.list("").Predictions[0].ID
}

// past adds rows of the last four weeks, more on some days than on others.
func (r *real) past(t *testing.T) {
	t.Helper()
	today := time.Now().UTC().Truncate(time.Second)
	for i := range 90 {
		p := car.Prediction{Label: cars[i*i%7%len(cars)], Score: 0.35 + float64(i*37%64)/100}
		p.Upload = car.Upload{ID: uuid.NewString(), Key: "uploads/" + uuid.NewString() + ".jpg", SHA256: strings.Repeat("0", 64), ContentType: "image/jpeg",
			Size: 1000, Width: 640, Height: 400, UploadedAt: today.AddDate(0, 0, -(i * i % 27))}
		p.Scores = []car.Score{{Label: p.Label, Value: p.Score}}
		if _, err := r.rows.Insert(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBrowserHistory filters, pages, deletes and takes the table away, with and
// without scripts: the page needs none.
func TestBrowserHistory(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			r := newReal(t)
			b := browser(t)
			r.past(t)
			newest := b.sends(r)
			if !scripts {
				b.do(chromedp.Func(noScripts))
			}
			b.do(chromedp.Navigate(r.URL + "/history"))
			b.cards(len(cars))
			if scripts {
				run[bool](b, `document.querySelector(".gallery img").decode().then(() => true)`)
				if w, h := b.natural(".gallery img"); w != 480 || h != 300 {
					t.Errorf("the thumbnail is %d x %d", w, h)
				}
			}
			b.do(chromedp.SetValue(chromedp.CSS("select[name=label]"), "Vinfast_Fadil"), chromedp.Click(chromedp.CSS(".filter button")))
			b.cards(1)
			if got := b.text(".gallery .label"); got != "VinFast Fadil" {
				t.Errorf("the filter for Fadil shows %q", got)
			}
			b.do(chromedp.Click(chromedp.CSS(".filter a")))
			b.cards(len(cars))
			b.do(chromedp.SetValue(chromedp.CSS("select[name=minScore]"), "0.9"), chromedp.Click(chromedp.CSS(".filter button")))
			b.cards(1)
			b.do(chromedp.Navigate(r.URL + "/history"))
			b.cards(len(cars))
			b.do(chromedp.Click(chromedp.CSS(".delete summary")),
				chromedp.WaitVisible(chromedp.CSS(".delete button")), shot("delete.png"), chromedp.Click(chromedp.CSS(".delete button")))
			b.cards(len(cars) - 1)
			if resp, _ := r.do("GET", "/images/"+newest, nil); resp.StatusCode != 404 {
				t.Errorf("the deleted picture answers %d", resp.StatusCode)
			}
			b.quiet() // the rows of the past have no pictures
			b.do(chromedp.Navigate(r.URL + "/history?mine=false"))
			b.cards(24)
			b.do(chromedp.Click(chromedp.CSS(".next .button")), chromedp.WaitVisible(chromedp.CSS(`.next a[href="/history?mine=false"]`)))
			b.cards(24)
			if got := b.text("h1"); got != "Everybody's pictures" {
				t.Errorf("the second page of everybody's is %q", got)
			}
		})
	}
}

// cards waits until so many pictures are in the gallery; the page may be on its
// way to the next.
func (b *tab) cards(want int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, hang)
	defer cancel()
	for {
		html, err := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS(".gallery")))
		got := strings.Count(html, "<li>")
		if err == nil && got == want {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("%d pictures are shown, want %d; %v", got, want, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
