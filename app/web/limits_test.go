package web_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/web"
)

func TestPanicIsOnePicturesError(t *testing.T) {
	s := newSite(t)
	s.fault = errPanic
	resp, body := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}})
	if p := problemOf(t, resp, body); p.Status != 500 || strings.Contains(body, "deep inside") {
		t.Errorf("upload: %s", body)
	}
	s.set(func(s *site) { s.database = errPanic })
	resp, body = s.do("GET", "/history", nil, "Accept", "text/html")
	if page(t, resp, body); resp.StatusCode != 500 || strings.Contains(body, "deep inside") {
		t.Errorf("history: %d %s", resp.StatusCode, body)
	}
	if got := s.log.String(); strings.Count(got, "deep inside") != 2 || strings.Count(got, `"level":"ERROR"`) != 2 {
		t.Errorf("not logged once each:\n%s", got)
	}
}

// slowly sends a picture's beginning, and then nothing until finish.
func (s *site) slowly(beginning int) (finish func()) {
	body, send := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		req, err := http.NewRequestWithContext(s.t.Context(), "POST", s.URL+"/api/v1/predictions", body)
		if err != nil {
			s.t.Error(err)
			return
		}
		req.Header.Set("Content-Type", "image/jpeg")
		if resp, err := s.Client().Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if _, err := send.Write(make([]byte, beginning)); err != nil {
		s.t.Error(err)
	}
	return func() {
		send.Close()
		<-done
	}
}

func TestBusy(t *testing.T) {
	s := newSite(t)
	s.server.SetBodyMemory(1 << 20)
	finish := s.slowly(1<<20 - 1) // takes all, and waits for its last byte
	for {
		resp, text := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}})
		if resp.StatusCode == 201 { // the beginning is not all in yet
			s.set(func(s *site) { s.now = s.now.Add(time.Minute) }) // nor is the rate to be met
			continue
		}
		if p := problemOf(t, resp, text); p.Status != 503 || resp.Header.Get("Retry-After") == "" {
			t.Fatalf("got %+v, Retry-After %q", p, resp.Header.Get("Retry-After"))
		}
		break
	}
	finish()
	if resp, text := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}}); resp.StatusCode != 201 {
		t.Errorf("afterwards: %d %s", resp.StatusCode, text)
	}
}

// Whoever has sent little holds little, whatever was announced: the others go on.
func TestSlowSendersHoldWhatTheySent(t *testing.T) {
	s := newSite(t)
	s.server.SetBodyMemory(1 << 20)
	for range 3 {
		defer s.slowly(1000)()
	}
	for range 20 {
		if resp, text := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}}); resp.StatusCode != 201 {
			t.Fatalf("%d %s", resp.StatusCode, text)
		}
	}
}

func TestRateLimitCountsAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		first, second []string // headers; Test-From is the peer
		together      bool
	}{
		"one address, two ports":          {[]string{"Test-From", "203.0.113.7:1"}, []string{"Test-From", "203.0.113.7:2"}, true},
		"two addresses":                   {[]string{"Test-From", "203.0.113.7:1"}, []string{"Test-From", "203.0.113.8:1"}, false},
		"one IPv6 network":                {[]string{"Test-From", "[2001:db8::1]:1"}, []string{"Test-From", "[2001:db8::ffff]:1"}, true},
		"two IPv6 networks":               {[]string{"Test-From", "[2001:db8::1]:1"}, []string{"Test-From", "[2001:db8:0:1::1]:1"}, false},
		"IPv4 in IPv6":                    {[]string{"Test-From", "203.0.113.7:1"}, []string{"Test-From", "[::ffff:203.0.113.7]:1"}, true},
		"two behind the balancer":         {[]string{"Test-From", "10.0.0.5:1", "X-Forwarded-For", "203.0.113.7"}, []string{"Test-From", "10.0.0.5:1", "X-Forwarded-For", "203.0.113.8"}, false},
		"one, making up what comes first": {[]string{"Test-From", "10.0.0.5:1", "X-Forwarded-For", "192.0.2.1, 203.0.113.7"}, []string{"Test-From", "10.0.0.6:1", "X-Forwarded-For", "192.0.2.2", "X-Forwarded-For", "203.0.113.7"}, true},
		"no balancer, header made up":     {[]string{"Test-From", "203.0.113.7:1", "X-Forwarded-For", "192.0.2.1"}, []string{"Test-From", "203.0.113.7:1", "X-Forwarded-For", "192.0.2.2"}, true},
		"balancer, nonsense":              {[]string{"Test-From", "10.0.0.5:1", "X-Forwarded-For", "x"}, []string{"Test-From", "10.0.0.5:1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *web.Config) { c.RatePerMinute = 1 })
			for i, headers := range [][]string{c.first, c.second} {
				resp, _ := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}}, headers...)
				if limited := resp.StatusCode == 429; limited != (i == 1 && c.together) {
					t.Errorf("request %d: %d", i+1, resp.StatusCode)
				}
			}
		})
	}
}

// Without a balancer a private peer can claim to forward for anybody; that gains
// it a bounded part.
func TestMadeUpForwardingIsBounded(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.RatePerMinute = 1 })
	passed := 0
	for i := range 50 {
		resp, _ := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}},
			"Test-From", "10.0.0.5:1", "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
		if resp.StatusCode == 201 {
			passed++
		} else if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
			t.Fatalf("request %d: %d", i, resp.StatusCode)
		}
	}
	if passed != 20 {
		t.Errorf("%d pictures passed, want 20", passed)
	}
}

func TestRateLimit(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.RatePerMinute = 3 })
	send := func(parts ...part) *http.Response {
		resp, _ := s.form("/api/v1/predictions", parts)
		return resp
	}
	a, b := part{"image", "a.jpg", picture(1)}, part{"image", "b.jpg", picture(2)}
	if got := send(a, b).StatusCode; got != 201 {
		t.Fatalf("first two: %d", got)
	}
	if got := send(a).StatusCode; got != 201 {
		t.Fatalf("third: %d", got)
	}
	resp, body := s.form("/api/v1/predictions", []part{a})
	if p := problemOf(t, resp, body); p.Status != 429 || resp.Header.Get("Retry-After") != "20" {
		t.Errorf("fourth: %+v, Retry-After %q", p, resp.Header.Get("Retry-After"))
	}
	if resp, _ := s.form("/", []part{a}); resp.StatusCode != 429 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("page: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	if resp, _ := s.do("GET", "/history", nil); resp.StatusCode != 200 {
		t.Errorf("reading is limited too: %d", resp.StatusCode)
	}
	s.set(func(s *site) { s.now = s.now.Add(20 * time.Second) })
	if got := send(a).StatusCode; got != 201 {
		t.Errorf("after the wait: %d", got)
	}
	if len(s.rows) != 4 {
		t.Errorf("%d rows, want 4", len(s.rows))
	}
}

func TestCrossOriginIsRefused(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		name, value string
		status      int
	}{
		{"Sec-Fetch-Site", "cross-site", 403}, {"Origin", "https://evil.example", 403},
		{"Sec-Fetch-Site", "same-origin", 201}, {"Origin", s.URL, 201}, {"X-Nothing", "", 201},
	} {
		resp, _ := s.form("/", []part{{"image", "a.jpg", picture(1)}}, c.name, c.value)
		if resp.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.name, c.value, resp.StatusCode, c.status)
		}
	}
}
