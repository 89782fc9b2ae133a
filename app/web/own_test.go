package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func (s *site) postJSON(path, body string) (*http.Response, string) {
	return s.do("POST", path, strings.NewReader(body), "Content-Type", "application/json")
}

func (s *site) postForm(path, body string) *http.Response {
	resp, _ := s.do("POST", path, strings.NewReader(body), "Content-Type", "application/x-www-form-urlencoded")
	return resp
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
