package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

// upload sends one picture through the API and returns its id.
func (r *real) upload(data []byte) string {
	r.t.Helper()
	resp, body := r.form("/api/v1/predictions", []part{{"image", "a.jpg", data}})
	return answerOf(r.t, resp, body).Predictions[0].ID
}

func (s *site) postJSON(path, body string) (*http.Response, string) {
	return s.do("POST", path, strings.NewReader(body), "Content-Type", "application/json")
}

func (s *site) postForm(path, body string) *http.Response {
	resp, _ := s.do("POST", path, strings.NewReader(body), "Content-Type", "application/x-www-form-urlencoded")
	return resp
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

func TestFeedbackThatIsRefused(t *testing.T) {
	s := newSite(t)
	s.remember()
	s.form("/", []part{{"image", "a.jpg", picture(1)}})
	path := "/api/v1/predictions/" + s.rows[0].ID + "/feedback"
	for body, want := range map[string]int{
		`{"label":"Tesla"}`: 400, `{"label":""}`: 400, `{}`: 400, `[]`: 400, ``: 400, `null`: 400, `{"label":null}`: 400, `{"label":"other","x":1}`: 400,
		`{"label":"other"} {}`: 400, `{"label":"` + strings.Repeat("x", 5000) + `"}`: 413, `{"label":"other"}`: 200,
	} {
		resp, text := s.postJSON(path, body)
		if resp.StatusCode != want {
			t.Errorf("%.40s: %d, want %d: %s", body, resp.StatusCode, want, text)
		}
	}
	if resp, _ := s.do("POST", path, strings.NewReader(`{"label":"other"}`), "Content-Type", "text/plain"); resp.StatusCode != 415 {
		t.Errorf("text/plain: %d", resp.StatusCode)
	}
	s.await("0195f7a0-0000-7000-8000-000000000001", picture(3))
	s.set(func(s *site) {
		p := s.waiting["0195f7a0-0000-7000-8000-000000000001"]
		p.Visitor = s.rows[0].Visitor
		s.waiting[p.ID] = p
	})
	if resp, _ := s.postJSON("/api/v1/predictions/0195f7a0-0000-7000-8000-000000000001/feedback", `{"label":"other"}`); resp.StatusCode != 409 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("pending: %d", resp.StatusCode)
	}
}

func TestDeleteFormGoesBack(t *testing.T) {
	s := newSite(t)
	s.remember()
	for i := range 2 {
		s.form("/", []part{{"image", "a.jpg", picture(uint8(i))}})
	}
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	form := s.open("/history?minScore=0.5").Find("details.delete form").First()
	action, _ := form.Attr("action")
	back, _ := form.Find("input[name=back]").Attr("value")
	if resp := s.postForm(action, "back="+strings.ReplaceAll(back, "=", "%3D")); resp.StatusCode != 303 || resp.Header.Get("Location") != "/history?minScore=0.5" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if len(s.rows) != 1 {
		t.Errorf("%d rows are left", len(s.rows))
	}
	// What is no query of ours leads nowhere else.
	if resp := s.postForm("/predictions/"+s.rows[0].ID+"/delete", "back=//evil.example/%3Fx"); !strings.HasPrefix(resp.Header.Get("Location"), "/history") {
		t.Errorf("went to %q", resp.Header.Get("Location"))
	}
}

func TestChangesFromOtherSitesAreRefused(t *testing.T) {
	s := newSite(t)
	s.remember()
	s.form("/", []part{{"image", "a.jpg", picture(1)}})
	id := s.rows[0].ID
	for _, c := range [][2]string{{"POST", "/predictions/" + id + "/delete"}, {"POST", "/predictions/" + id + "/feedback"},
		{"DELETE", "/api/v1/predictions/" + id}, {"POST", "/api/v1/predictions/" + id + "/feedback"}, {"POST", "/"}, {"POST", "/api/v1/predictions"}} {
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
			if resp, _ := s.do(c[0], c[1], strings.NewReader("label=other"), "Content-Type", "application/x-www-form-urlencoded", header[0], header[1]); resp.StatusCode != 403 {
				t.Errorf("%v with %v: %d", c, header, resp.StatusCode)
			}
		}
	}
	if len(s.rows) != 1 || s.rows[0].Feedback != "" {
		t.Errorf("something changed: %+v", s.rows)
	}
}

func TestRateHeaders(t *testing.T) {
	s := newSite(t)
	s.remember()
	s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}, {"image", "b.jpg", picture(2)}})
	s.do("DELETE", "/api/v1/predictions/"+s.rows[0].ID, nil)
	for _, path := range []string{"/api/v1/predictions", "/api/v1/predictions.csv", "/api/v1/predictions/x", "/api/v1/nothing"} {
		resp, _ := s.do("GET", path, nil)
		if got := resp.Header.Get("RateLimit-Policy"); got != `"pictures";q=1000;w=60, "changes";q=2000;w=60` {
			t.Errorf("%s: policy %q", path, got)
		}
		if got := resp.Header.Get("RateLimit"); got != `"pictures";r=998;t=1, "changes";r=1999;t=1` {
			t.Errorf("%s: %q", path, got)
		}
	}
	s.set(func(s *site) { s.now = s.now.Add(time.Minute) })
	if resp, _ := s.do("GET", "/api/v1/predictions", nil); resp.Header.Get("RateLimit") != `"pictures";r=1000;t=0, "changes";r=2000;t=0` {
		t.Errorf("a minute later: %q", resp.Header.Get("RateLimit"))
	}
	for range 2000 {
		s.do("DELETE", "/api/v1/predictions/x", nil)
	}
	resp, body := s.do("DELETE", "/api/v1/predictions/x", nil)
	if p := problemOf(t, resp, body); p.Status != 429 || resp.Header.Get("Retry-After") != "1" || resp.Header.Get("RateLimit") != `"pictures";r=1000;t=0, "changes";r=0;t=60` {
		t.Errorf("%+v, %v", p, resp.Header)
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
