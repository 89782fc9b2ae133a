package web_test

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

type listing struct {
	Predictions []struct {
		ID, Label, Feedback string
		Mine                bool
	}
	Next *string
}

func (s *site) list(query string) listing {
	s.t.Helper()
	resp, body := s.do("GET", "/api/v1/predictions"+query, nil)
	var l listing
	if err := json.Unmarshal([]byte(body), &l); err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("%s: %d %v: %s", query, resp.StatusCode, err, body)
	}
	return l
}

// fill stores n predictions with ids ending in their number.
func (s *site) fill(n int, label string) {
	for i := range n {
		photo, err := car.Decode(picture(uint8(i)), s.Limits)
		if err != nil {
			s.t.Fatal(err)
		}
		s.label = label
		p := s.prediction("0195f7a0-0000-7000-8000-"+strings.Repeat("0", 9)+string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10)}), photo)
		s.rows = append(s.rows, p)
		s.objects[p.Key] = photo.Original
	}
}

func TestList(t *testing.T) {
	s := newSite(t)
	if _, body := s.do("GET", "/api/v1/predictions", nil); strings.TrimSpace(body) != `{"predictions":[],"next":null}` {
		t.Errorf("empty: %s", body)
	}
	s.fill(60, "Vinfast_VF_8")
	l := s.list("")
	if len(l.Predictions) != 50 || l.Next == nil || !strings.HasSuffix(l.Predictions[0].ID, "059") {
		t.Errorf("first page: %d, next %v", len(l.Predictions), l.Next)
	}
	l = s.list("?cursor=" + *l.Next)
	if len(l.Predictions) != 10 || l.Next != nil {
		t.Errorf("second page: %d, next %v", len(l.Predictions), l.Next)
	}
	if l = s.list("?limit=2&label=Vinfast_VF_8&since=2026-01-01&until=2026-01-31T12:00:00%2B07:00&minScore=0.5"); len(l.Predictions) != 2 {
		t.Errorf("filtered: %+v", l)
	}
	if l = s.list("?label=none"); len(l.Predictions) != 0 {
		t.Errorf("no such label: %+v", l)
	}
}

func TestListBadParameters(t *testing.T) {
	s := newSite(t)
	for query, want := range map[string][]string{
		"limit=0":                              {`limit: "0" is not a whole number from 1 to 200`},
		"limit=201":                            {`limit: "201"`},
		"limit=ten":                            {`limit: "ten"`},
		"minScore=2":                           {`minScore: "2" is not a number from 0 to 1`},
		"minScore=NaN":                         {`minScore: "NaN"`},
		"since=soon":                           {`since: "soon" is neither a date`},
		"until=2026-13-01":                     {`until: "2026-13-01"`},
		"since=2026-02-01&until=2026-01-01":    {"since: it must be before until"},
		"lable=x":                              {`"lable": no such parameter; there are label, `},
		"label=a&label=b":                      {"label: give it once"},
		"label=" + strings.Repeat("x", 101):    {"label: at most 100 bytes"},
		"label=%ff":                            {"label: not UTF-8"},
		"cursor=zzz":                           {"cursor: "},
		"limit=x&minScore=x&since=x&nonsense=": {"limit: ", "minScore: ", "since: ", `"nonsense"`},
	} {
		for _, path := range []string{"/api/v1/predictions?", "/api/v1/predictions.csv?"} {
			resp, body := s.do("GET", path+query, nil)
			p := problemOf(t, resp, body)
			for _, say := range want {
				if p.Status != 400 || !strings.Contains(p.Detail, say) {
					t.Errorf("%s: got %+v, want it to say %q", query, p, say)
				}
			}
		}
	}
}

func TestCSV(t *testing.T) {
	s := newSite(t)
	s.fill(450, "=cmd|' /C calc'!A0")
	for _, c := range []struct {
		path, accept string
		rows         int
	}{
		{"/api/v1/predictions.csv", "", 451}, {"/api/v1/predictions", "text/csv", 451},
		{"/api/v1/predictions", "text/csv;q=0.9, */*;q=0.1", 451}, {"/api/v1/predictions.csv?limit=3", "", 4},
	} {
		resp, body := s.do("GET", c.path, nil, "Accept", c.accept)
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(rows) != c.rows || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") {
			t.Fatalf("%s: %d rows, %v, %s", c.path, len(rows), err, resp.Header.Get("Content-Type"))
		}
		label := slices.Index(rows[0], "label")
		if got := rows[1][label]; got != "'=cmd|' /C calc'!A0" {
			t.Errorf("a spreadsheet would run %q", got)
		}
	}
	if resp, _ := s.do("GET", "/api/v1/predictions", nil, "Accept", "application/json, text/csv"); resp.Header.Get("Content-Type") != "application/json" {
		t.Error("JSON named first, CSV given")
	}
	s.set(func(s *site) { s.database = errDown })
	if resp, body := s.do("GET", "/api/v1/predictions.csv", nil); problemOf(t, resp, body).Status != 503 {
		t.Errorf("database down: %s", body)
	}
}

func TestGetPrediction(t *testing.T) {
	s := newSite(t)
	s.fill(1, "Vinfast_VF_8")
	resp, body := s.do("GET", "/api/v1/predictions/"+strings.ToUpper(s.rows[0].ID), nil)
	if resp.StatusCode != 200 || !strings.Contains(body, `"id":"`+s.rows[0].ID+`"`) || !strings.Contains(body, `"stored":"yes"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestImageHeaders(t *testing.T) {
	s := newSite(t)
	s.fill(1, "Vinfast_VF_8")
	path := "/images/" + s.rows[0].ID
	resp, body := s.do("GET", path, nil)
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "private, max-age=86400, immutable", "Content-Disposition": "inline; filename=" + s.rows[0].ID + ".jpg",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if body != string(picture(0)) {
		t.Error("not the bytes that were sent")
	}
	if resp, body = s.do("HEAD", path, nil); resp.StatusCode != 200 || resp.ContentLength != int64(len(picture(0))) || body != "" {
		t.Errorf("HEAD: %d, %d bytes", resp.StatusCode, resp.ContentLength)
	}
	if resp, _ = s.do("GET", path, nil, "If-None-Match", `"x", W/`+resp.Header.Get("Etag")); resp.StatusCode != 304 {
		t.Errorf("unchanged: %d", resp.StatusCode)
	}
}

func TestImageCutOff(t *testing.T) {
	s := newSite(t)
	s.fill(1, "Vinfast_VF_8")
	s.cut = true
	for _, path := range []string{"/images/", "/thumbnails/"} {
		resp, body := s.do("GET", path+s.rows[0].ID, nil)
		if p := problemOf(t, resp, body); p.Status != 503 || resp.Header.Get("Etag") != "" {
			t.Errorf("half a picture: %+v", p)
		}
	}
}

func TestMethods(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/", "GET, HEAD, POST"}, {"DELETE", "/", "GET, HEAD, POST"}, {"PUT", "/api/v1/predictions", "POST, GET, HEAD"},
		{"POST", "/history", "GET, HEAD"}, {"POST", "/healthz", "GET, HEAD"}, {"PATCH", "/api/v1/predictions/x", "GET, HEAD, DELETE"},
		{"POST", "/static/app.css", "GET, HEAD"}, {"MADEUP", "/images/x", "GET, HEAD"},
	} {
		resp, _ := s.do(c.method, c.path, nil)
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	resp, body := s.do("PUT", "/api/v1/predictions", nil)
	problemOf(t, resp, body)
}

func TestHeadersEverywhere(t *testing.T) {
	s := newSite(t)
	s.set(func(s *site) { s.fault = errDown })
	for _, path := range []string{"/", "/history", "/nothing", "/healthz", "/readyz", "/metrics", "/static/app.css", "/api/v1/predictions", "/api/v1/predictions?x=1"} {
		resp, _ := s.do("GET", path, nil)
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: CSP %q", path, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestRequestID(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		sent string
		kept bool
	}{{"abc-123.X_y", true}, {strings.Repeat("a", 64), true}, {strings.Repeat("a", 65), false}, {"a b", false}, {"", false}, {`"<>`, false}} {
		resp, body := s.do("GET", "/api/v1/predictions/x", nil, "X-Request-Id", c.sent)
		got := resp.Header.Get("X-Request-Id")
		if (got == c.sent) != c.kept || got == "" {
			t.Errorf("sent %q, got %q", c.sent, got)
		}
		problemOf(t, resp, body)
		if n := strings.Count(s.log.String(), `"request_id":"`+got+`"`); n != 2 {
			t.Errorf("%q stands in %d log lines, want the fault's and the request's", got, n)
		}
	}
}

func TestAccessLogIsJSONWithoutTheQuery(t *testing.T) {
	s := newSite(t)
	s.do("GET", "/history?label=private", nil, "Authorization", "Bearer hunter2", "Cookie", "hunter2")
	for line := range strings.Lines(s.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if entry["route"] != "/history" || entry["status"] != 200.0 || entry["method"] != "GET" {
			t.Errorf("got %s", line)
		}
	}
	if got := s.log.String(); strings.Contains(got, "private") || strings.Contains(got, "hunter2") {
		t.Errorf("the log tells too much: %s", got)
	}
}

func TestHealth(t *testing.T) {
	s := newSite(t)
	if resp, body := s.do("GET", "/healthz", nil); resp.StatusCode != 200 || strings.TrimSpace(body) != `{"status":"ok"}` {
		t.Errorf("healthz: %d %s", resp.StatusCode, body)
	}
	ready := func() (int, string) {
		resp, body := s.do("GET", "/readyz", nil)
		return resp.StatusCode, body
	}
	if code, body := ready(); code != 200 || strings.Count(body, `"state":"up"`) != 2 {
		t.Errorf("all up: %d %s", code, body)
	}
	s.set(func(s *site) { s.model = car.ErrEndpointUnavailable })
	if code, body := ready(); code != 200 || s.asked != 1 {
		t.Errorf("the endpoint was asked %d times within a minute: %d %s", s.asked, code, body)
	}
	s.set(func(s *site) { s.now = s.now.Add(time.Minute) })
	code, body := ready()
	if code != 503 || !strings.Contains(body, `{"name":"endpoint","state":"down","detail":"The model does not answer`) {
		t.Errorf("endpoint down: %d %s", code, body)
	}
	s.set(func(s *site) { s.model, s.database, s.now = nil, errDown, s.now.Add(6*time.Second) })
	if code, body = ready(); code != 503 || !strings.Contains(body, `"name":"database","state":"down"`) || !strings.Contains(body, `"name":"endpoint","state":"up"`) || strings.Contains(body, "10.0.0.7") {
		t.Errorf("database down: %d %s", code, body)
	}
	if resp, _ := s.do("GET", "/healthz", nil); resp.StatusCode != 200 {
		t.Errorf("healthz with the database down: %d", resp.StatusCode)
	}
}

func TestMetrics(t *testing.T) {
	s := newSite(t)
	s.form("/", []part{{"image", "a.jpg", picture(1)}})
	s.set(func(s *site) { s.fault = car.ErrEndpointTimeout })
	s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(2)}})
	s.await("0195f7a0-0000-7000-8000-000000000001", picture(3))
	s.do("MADEUP", "/nothing-1", nil)
	_, body := s.do("GET", "/metrics", nil)
	for _, line := range []string{
		`vinfast_http_requests_total{method="POST",route="/",status="201"} 1`,
		`vinfast_http_requests_total{method="POST",route="/api/v1/predictions",status="504"} 1`,
		`vinfast_http_requests_total{method="other",route="other",status="404"} 1`,
		`vinfast_http_request_duration_seconds_count{route="/"} 1`,
		`vinfast_classifications_total{label="Vinfast_VF_8",outcome="stored"} 1`,
		`vinfast_classifications_total{label="",outcome="model-too-slow"} 1`,
		`vinfast_spool_uploads 1`, `vinfast_decodes_in_flight 0`, `go_goroutines `, `process_open_fds `,
	} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("no line %q", line)
		}
	}
}
