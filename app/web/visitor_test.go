package web_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"vinfast-classifier/app/web"
)

// remember makes the client a new visitor, who keeps cookies.
func (s *site) remember() http.CookieJar {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Client().Jar = jar
	return jar
}

// visitorOf is the cookie that an answer sets; nil for none.
func visitorOf(resp *http.Response) *http.Cookie {
	for _, c := range resp.Cookies() {
		if c.Name == "visitor" {
			return c
		}
	}
	return nil
}

func TestVisitorCookie(t *testing.T) {
	s := newSite(t)
	resp, _ := s.do("GET", "/", nil)
	c := visitorOf(resp)
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" || c.MaxAge != 400*24*60*60 || c.Domain != "" {
		t.Fatalf("got %+v", c)
	}
	resp, _ = s.do("GET", "/", nil, "X-Forwarded-Proto", "https", "Test-From", "203.0.113.7:1")
	if other := visitorOf(resp); other == nil || other.Secure {
		t.Errorf("a stranger's claim of HTTPS counts: %+v", other)
	}
	resp, _ = s.do("GET", "/", nil, "X-Forwarded-Proto", "https", "Test-From", "10.0.0.5:1")
	if other := visitorOf(resp); other == nil || !other.Secure || other.Value == c.Value {
		t.Errorf("over HTTPS: %+v", other)
	}
	mine := "visitor=" + c.Value
	if resp, _ = s.do("GET", "/history", nil, "Cookie", mine); visitorOf(resp) != nil {
		t.Error("a good cookie is given again")
	}
	for _, path := range []string{"/api/v1/predictions", "/healthz", "/metrics", "/static/app.css"} {
		if resp, _ = s.do("GET", path, nil); visitorOf(resp) != nil {
			t.Errorf("GET %s gives a cookie", path)
		}
	}
	if resp, _ = s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}}); visitorOf(resp) == nil {
		t.Error("an upload without a cookie belongs to nobody")
	}
}

func TestVisitorCookieThatWasChanged(t *testing.T) {
	s := newSite(t)
	resp, _ := s.do("GET", "/", nil)
	good := visitorOf(resp).Value
	parts := strings.Split(good, ".")
	foreign := newSite(t, func(c *web.Config) { c.VisitorKey = []byte("another") })
	resp, _ = foreign.do("GET", "/", nil)
	for name, value := range map[string]string{
		"empty": "", "no signature": strings.Join(parts[:3], "."), "other seed": "v1.AAAAAAAAAAAAAAAAAAAAAA." + parts[2] + "." + parts[3],
		"later day": parts[0] + "." + parts[1] + ".99999." + parts[3], "other key": visitorOf(resp).Value, "cut": good[:len(good)-1], "dots": "....",
	} {
		if resp, _ := s.do("GET", "/", nil, "Cookie", "visitor="+value); visitorOf(resp) == nil {
			t.Errorf("%s: %q is taken", name, value)
		}
	}
	// A bad one that somebody else has set does not hide the good one.
	if resp, _ := s.do("GET", "/", nil, "Cookie", "visitor=bad; visitor="+good); visitorOf(resp) != nil {
		t.Error("the good one is not found behind a bad one")
	}
}

func TestVisitorCookieIsRenewed(t *testing.T) {
	s := newSite(t)
	s.remember()
	s.form("/", []part{{"image", "a.jpg", picture(1)}})
	s.set(func(s *site) { s.now = s.now.Add(29 * 24 * time.Hour) })
	if resp, _ := s.do("GET", "/history", nil); visitorOf(resp) != nil {
		t.Error("renewed after 29 days")
	}
	s.set(func(s *site) { s.now = s.now.Add(2 * 24 * time.Hour) })
	if resp, _ := s.do("GET", "/history", nil); visitorOf(resp) == nil {
		t.Error("not renewed after 31 days")
	}
	if n := s.open("/history").Find(".gallery li").Length(); n != 1 {
		t.Errorf("the renewed visitor has %d pictures", n)
	}
}

func TestEachSeesTheirOwn(t *testing.T) {
	s := newSite(t)
	s.remember()
	s.form("/", []part{{"image", "a.jpg", picture(1)}})
	first := s.open("/history")
	if first.Find(".gallery li").Length() != 1 || first.Find("details.delete").Length() != 1 {
		t.Errorf("own: %s", words(first.Find("main")))
	}
	s.remember()
	if n := s.open("/history").Find(".gallery li").Length(); n != 0 {
		t.Errorf("another visitor sees %d pictures as theirs", n)
	}
	all := s.open("/history?mine=false")
	if all.Find(".gallery li").Length() != 1 || all.Find("details.delete").Length() != 0 {
		t.Errorf("everybody's: %s", words(all.Find("main")))
	}
	if l := s.list("?mine=true"); len(l.Predictions) != 0 {
		t.Errorf("mine=true: %+v", l)
	}
	if l := s.list(""); len(l.Predictions) != 1 || l.Predictions[0].Mine {
		t.Errorf("the table: %+v", l)
	}
	s.Client().Jar = nil
	if l := s.list("?mine=true"); len(l.Predictions) != 0 {
		t.Errorf("mine=true without a cookie: %+v", l)
	}
}

func TestGalleryFilters(t *testing.T) {
	s := newSite(t)
	s.remember()
	for i, score := range []float64{0.3, 0.8, 0.95} {
		s.set(func(s *site) { s.score = score })
		s.form("/", []part{{"image", "a.jpg", picture(uint8(i))}})
	}
	d := s.open("/history?minScore=0.75&since=2026-01-01&until=2026-12-31")
	if n := d.Find(".gallery li").Length(); n != 2 {
		t.Errorf("%d pictures of at least 75%%", n)
	}
	for selector, want := range map[string]string{
		"select[name=minScore] option[selected]": "0.75", "input[name=since]": "2026-01-01", "input[name=until]": "2026-12-31",
	} {
		if got := d.Find(selector).AttrOr("value", ""); got != want {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
	csv, _ := d.Find("a[download]").Attr("href")
	if u, err := url.Parse(csv); err != nil || u.Path != "/api/v1/predictions.csv" || u.Query().Encode() != "minScore=0.75&mine=true&since=2026-01-01&until=2026-12-31" {
		t.Errorf("CSV: %q", csv)
	}
	if _, body := s.do("GET", csv, nil); strings.Count(body, "\n") != 3 {
		t.Errorf("CSV: %s", body)
	}
	other, _ := d.Find("a.other").Attr("href")
	if n := s.open(other).Find(".gallery li").Length(); n != 2 || !strings.Contains(other, "minScore=0.75") {
		t.Errorf("everybody's: %d pictures at %s", n, other)
	}
	back, _ := s.open(other).Find("a.other").Attr("href")
	if strings.Contains(back, "mine=") || !strings.Contains(back, "minScore=0.75") {
		t.Errorf("back to mine: %s", back)
	}
	d = s.open("/history?minScore=0.999")
	if got := words(d.Find("main p.card")); got != "No picture fits this filter. Clear the filter" {
		t.Errorf("nothing fits: %q", got)
	}
	if v := d.Find("select[name=minScore] option[selected]").AttrOr("value", ""); v != "0.999" {
		t.Errorf("a confidence that was typed: %q", v)
	}
	d.Find("form.filter select, form.filter input[type=date]").Each(func(_ int, e *goquery.Selection) {
		if e.Closest("label").Length() != 1 {
			t.Errorf("%s has no label", e.AttrOr("name", ""))
		}
	})
}
