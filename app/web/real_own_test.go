//go:build !unit

package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"vinfast-classifier/app/car"
)

// upload sends one picture through the API and returns its id.
func (r *real) upload(data []byte) string {
	r.t.Helper()
	resp, body := r.form("/api/v1/predictions", []part{{"image", "a.jpg", data}})
	return answerOf(r.t, resp, body).Predictions[0].ID
}

func TestRealDelete(t *testing.T) {
	r := newReal(t)
	mine := r.remember()
	id := r.upload(picture(1))
	path := "/api/v1/predictions/" + id
	r.do("GET", "/thumbnails/"+id, nil)
	r.remember()
	resp, body := r.do("DELETE", path, nil)
	if p := problemOf(t, resp, body); p.Status != 403 {
		t.Fatalf("somebody else: %+v", p)
	}
	r.Client().Jar = mine
	for range 2 {
		if resp, body = r.do("DELETE", path, nil); resp.StatusCode != 204 || body != "" {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
	}
	for _, gone := range []string{path, "/images/" + id, "/thumbnails/" + id, "/predictions/" + id} {
		if resp, _ := r.do("GET", gone, nil); resp.StatusCode != 404 {
			t.Errorf("%s: %d", gone, resp.StatusCode)
		}
	}
	if l := r.list(""); len(l.Predictions) != 0 {
		t.Errorf("listed: %+v", l)
	}
	if left, err := r.rows.Unpurged(t.Context(), 10); len(left) != 0 || err != nil {
		t.Errorf("not purged: %+v, %v", left, err)
	}
	d, err := r.rows.Deletion(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Config.Photos.Get(t.Context(), d.Key); !errors.Is(err, car.ErrNotFound) {
		t.Errorf("the object: %v", err)
	}
	resp, body = r.do("DELETE", "/api/v1/predictions/00000000-0000-7000-8000-000000000000", nil)
	if p := problemOf(t, resp, body); p.Status != 404 {
		t.Errorf("no such upload: %+v", p)
	}
}

// TestRealDeletedRetryIsGone: neither the key nor the page's form brings an
// upload back.
func TestRealDeletedRetryIsGone(t *testing.T) {
	r := newReal(t)
	r.remember()
	send := func() (*http.Response, string) {
		return r.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}}, "Idempotency-Key", "k")
	}
	resp, body := send()
	r.do("DELETE", "/api/v1/predictions/"+answerOf(t, resp, body).Predictions[0].ID, nil)
	resp, body = send()
	if p := problemOf(t, resp, body); p.Status != 410 {
		t.Errorf("the retry: %+v", p)
	}
	if n, err := r.Config.Spool.State(); n.Uploads != 0 || err != nil {
		t.Errorf("the spool keeps %d, %v", n.Uploads, err)
	}
}

// TestRealDeleteWhilePending: the bucket is away, the upload waits in the spool
// and is deleted there; when the bucket is back nothing of it comes up.
func TestRealDeleteWhilePending(t *testing.T) {
	r := newReal(t)
	r.remember()
	r.noBucket.Store(true)
	id := r.upload(picture(1))
	if resp, body := r.do("DELETE", "/api/v1/predictions/"+id, nil); resp.StatusCode != 204 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := r.do("GET", "/images/"+id, nil); resp.StatusCode != 404 {
		t.Errorf("shown from the spool: %d", resp.StatusCode)
	}
	r.noBucket.Store(false)
	if _, err := r.classifier.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Config.Spool.State(); n.Uploads != 0 || err != nil {
		t.Errorf("the spool keeps %d, %v", n.Uploads, err)
	}
	if done, err := r.remover.Finish(t.Context()); done != 1 || err != nil {
		t.Errorf("finish: %d, %v", done, err)
	}
	d, err := r.rows.Deletion(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Config.Photos.Get(t.Context(), d.Key); !errors.Is(err, car.ErrNotFound) {
		t.Errorf("the object came back: %v", err)
	}
	if l := r.list(""); len(l.Predictions) != 0 {
		t.Errorf("the row came back: %+v", l)
	}
}

func TestRealFeedback(t *testing.T) {
	r := newReal(t)
	mine := r.remember()
	id := r.upload(picture(1))
	path := "/api/v1/predictions/" + id + "/feedback"
	resp, body := r.postJSON(path, `{"label":"Vinfast_Fadil"}`)
	var p struct {
		Feedback string
		Mine     bool
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != 200 || p.Feedback != "Vinfast_Fadil" || !p.Mine {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	r.remember()
	resp, body = r.postJSON(path, `{"label":"other"}`)
	if p := problemOf(t, resp, body); p.Status != 403 {
		t.Errorf("somebody else: %+v", p)
	}
	r.Client().Jar = mine
	r.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if resp := r.postForm("/predictions/"+id+"/feedback", "label=other"); resp.StatusCode != 303 || resp.Header.Get("Location") != "/predictions/"+id {
		t.Errorf("form: %d %v", resp.StatusCode, resp.Header)
	}
	if got := words(r.open("/history").Find(".said")); got != "The sender says: another car" {
		t.Errorf("gallery: %q", got)
	}
	if _, body = r.do("GET", "/api/v1/predictions.csv", nil); !strings.Contains(body, ",feedback\n") || !strings.Contains(body, ",other\n") {
		t.Errorf("CSV: %s", body)
	}
	if l := r.list(""); l.Predictions[0].Feedback != "other" {
		t.Errorf("list: %+v", l)
	}
}

// TestNobodyLearnsThePlace: a photo with GPS tags, seen on every way out.
func TestNobodyLearnsThePlace(t *testing.T) {
	r := newReal(t)
	mine := r.remember()
	for _, name := range []string{"notes.jpg", "notes.png", "notes.webp", "notes.gif"} {
		r.Client().Jar = mine
		original := fromCar(t, name)
		id := r.upload(original)
		if _, body := r.do("GET", "/images/"+id+"?original=true", nil); body != string(original) {
			t.Errorf("%s: its sender does not get it back", name)
		}
		r.remember()
		resp, body := r.do("GET", "/images/"+id+"?original=true", nil)
		if p := problemOf(t, resp, body); p.Status != 403 {
			t.Errorf("%s: others get the original: %+v", name, p)
		}
		for _, path := range []string{"/images/" + id, "/thumbnails/" + id, "/predictions/" + id, "/history?mine=false",
			"/api/v1/predictions", "/api/v1/predictions.csv", "/api/v1/predictions/" + id} {
			resp, body := r.do("GET", path, nil)
			if resp.StatusCode != 200 || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Fatalf("%s %s: %d", name, path, resp.StatusCode)
			}
			for _, note := range []string{"Note", "2024:02:29", "GPS"} {
				if strings.Contains(body, note) {
					t.Errorf("%s: %s tells %q", name, path, note)
				}
			}
		}
	}
}

func TestThumbnails(t *testing.T) {
	r := newReal(t)
	id := r.upload(fromCar(t, "large6.jpg"))
	resp, body := r.do("GET", "/thumbnails/"+id, nil)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/jpeg" || resp.Header.Get("Cache-Control") != "private, max-age=86400, immutable" ||
		resp.Header.Get("Content-Length") != fmt.Sprint(len(body)) || len(body) > 30_000 {
		t.Errorf("%d, %d bytes, %v", resp.StatusCode, len(body), resp.Header)
	}
	if resp, _ := r.do("GET", "/thumbnails/"+id, nil, "If-None-Match", resp.Header.Get("Etag")); resp.StatusCode != 304 {
		t.Errorf("unchanged: %d", resp.StatusCode)
	}
	cached, err := r.Config.Thumbnails.Get(id)
	if err != nil || !bytes.Equal(cached, []byte(body)) {
		t.Errorf("cache: %d bytes, %v", len(cached), err)
	}
	r.noBucket.Store(true)
	if _, again := r.do("GET", "/thumbnails/"+id, nil); again != body {
		t.Error("the cache is not used")
	}
	if err := r.Config.Thumbnails.Delete(id); err != nil {
		t.Fatal(err)
	}
	if resp, _ := r.do("GET", "/thumbnails/"+id, nil); resp.StatusCode != 503 {
		t.Errorf("without cache and bucket: %d", resp.StatusCode)
	}
	r.noBucket.Store(false)
	if _, again := r.do("GET", "/thumbnails/"+id, nil); again != body {
		t.Error("it is not made again")
	}
	if resp, _ := r.do("GET", "/images/"+id+"?original=maybe", nil); resp.StatusCode != 400 {
		t.Errorf("a bad parameter: %d", resp.StatusCode)
	}
}
