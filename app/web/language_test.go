package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"vinfast-classifier/app/car"
	catalogue "vinfast-classifier/app/web/words"
)

func TestLanguageOfAPage(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		path   string
		header []string
		want   string
	}{
		"nothing said":              {"/", nil, "en"},
		"the browser's":             {"/", []string{"Accept-Language", "vi-VN,vi;q=0.9"}, "vi"},
		"the switch before all":     {"/?lang=en", []string{"Accept-Language", "vi", "Cookie", "lang=vi"}, "en"},
		"the cookie before browser": {"/history", []string{"Accept-Language", "en", "Cookie", "lang=vi"}, "vi"},
		"nonsense":                  {"/?lang=%22%3E", []string{"Cookie", "lang=xx"}, "en"},
		"a strict page":             {"/history?lang=vi", nil, "vi"},
		"a fault":                   {"/predictions/x?lang=vi", nil, "vi"},
	} {
		resp, body := s.do("GET", c.path, nil, c.header...)
		d := page(t, resp, body)
		if got := d.Find("html").AttrOr("lang", ""); got != c.want || resp.Header.Get("Content-Language") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if vary := strings.Join(resp.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
			t.Errorf("%s: Vary is %q", name, vary)
		}
	}
}

// TestFaultsNameWhatIsWrong in both languages, not only that something is.
func TestFaultsNameWhatIsWrong(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string][2]string{
		"/history?since=x&minScore=2": {`minScore: "2" is not a number from 0 to 1; since: "x" is neither`, `Địa chỉ này có tham số sai (minScore: "2"`},
		"/history?cursor=x":           {`cursor: take the value of "next"`, `cursor: hãy lấy giá trị "next"`},
		"/stats?since=x":              {`since: "x" is no date`, "Thống kê nhận since và until"},
	} {
		for i, lang := range []string{"en", "vi"} {
			resp, body := s.do("GET", path+"&lang="+lang, nil)
			if got := page(t, resp, body).Find(".lead").Text(); resp.StatusCode != 400 || !strings.Contains(got, want[i]) {
				t.Errorf("%s in %s answers %d %q", path, lang, resp.StatusCode, got)
			}
		}
	}
}

func TestLanguageCookie(t *testing.T) {
	s := newSite(t)
	for _, tls := range []bool{false, true} {
		proto := map[bool]string{false: "http", true: "https"}[tls]
		resp, _ := s.do("GET", "/?lang=vi", nil, "X-Forwarded-Proto", proto, "Test-From", "10.0.0.5:1")
		var cookie *http.Cookie
		for _, c := range resp.Cookies() {
			if c.Name == "lang" {
				cookie = c
			}
		}
		if cookie == nil || cookie.Value != "vi" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure != tls {
			t.Errorf("over %s: %v", proto, cookie)
		}
	}
	if resp, _ := s.do("GET", "/?lang=xx", nil); strings.Contains(strings.Join(resp.Header.Values("Set-Cookie"), ""), "lang=") {
		t.Error("a language that is none is kept")
	}
}

func TestSwitchKeepsThePage(t *testing.T) {
	s := newSite(t)
	d := s.open("/history?label=Vinfast_VF_8&lang=vi")
	if got := d.Find(".tongues [lang=en]").AttrOr("href", ""); got != "/history?label=Vinfast_VF_8&lang=en" {
		t.Errorf("the switch leads to %q", got)
	}
	resp, body := s.form("/", []part{{"image", "a.jpg", picture(1)}})
	if got := page(t, resp, body).Find(".tongues [lang=vi]").AttrOr("href", ""); got != "/?lang=vi" {
		t.Errorf("from a posted page the switch leads to %q", got)
	}
}

func TestAPISpeaksEnglish(t *testing.T) {
	s := newSite(t)
	resp, body := s.do("GET", "/api/v1/predictions/x", nil, "Accept-Language", "vi", "Cookie", "lang=vi")
	if p := problemOf(t, resp, body); p.Title != "Not found" {
		t.Errorf("got %q", p.Title)
	}
}

// What the words say in English is what the API says: one sentence in two
// places. The Vietnamese is another one.
func TestRefusalsAreTranslated(t *testing.T) {
	s := newSite(t)
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("I am no car."), "HEIC": []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "PDF": []byte("%PDF-1.7\n"),
		"video": []byte("\x1a\x45\xdf\xa3aaaaaaaaaaa"), "TIFF": []byte("II*\x00aaaaaaaaaaaaaa"), "truncated": picture(1)[:600],
		"11 MiB": make([]byte, 11<<20), "too much memory": progressive(t, 7000, 7000), "animated": fromCar(t, "animated.webp"),
		"too many pixels": append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x02\x00\x00\x00"), make([]byte, 64)...),
	} {
		_, body := s.form("/api/v1/predictions", []part{{"image", "x", data}})
		_, english := s.form("/", []part{{"image", "x", data}}, "X-Fragment", "1")
		_, vietnamese := s.form("/", []part{{"image", "x", data}}, "X-Fragment", "1", "Cookie", "lang=vi")
		said, vi := why(t, english), why(t, vietnamese)
		if !strings.Contains(body, strings.ReplaceAll(said, `"`, `\"`)) || said == "" {
			t.Errorf("%s: the page says %q, the API %s", name, said, body)
		}
		if vi == said || vi == "" || strings.Contains(vi, "%!") {
			t.Errorf("%s: in Vietnamese %q", name, vi)
		}
		if !englishIsSaid(t, data, said) {
			t.Errorf("%s: the words have another English than %q", name, said)
		}
	}
}

// englishIsSaid compares the words with the sentence of the refusal.
func englishIsSaid(t *testing.T, data []byte, said string) bool {
	t.Helper()
	_, err := car.Decode(data, car.Limits{Bytes: 10 << 20, Pixels: 50_000_000})
	r, ok := err.(*car.Refusal)
	if !ok || r.Sentence != said {
		return true // refused by the server before that
	}
	sentence, err := catalogue.English.T(r.Key, r.Args...)
	return err == nil && sentence == said
}

func why(t *testing.T, fragment string) string {
	t.Helper()
	_, rest, ok := strings.Cut(fragment, `class="why">`)
	if !ok {
		t.Fatalf("no reason in %s", fragment)
	}
	said, _, _ := strings.Cut(rest, "</p>")
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'").Replace(said)
}

func TestFragment(t *testing.T) {
	s := newSite(t)
	resp, body := s.form("/", []part{{"image", "a.jpg", picture(1)}}, "X-Fragment", "1", "Idempotency-Key", "k")
	if resp.StatusCode != 201 || !strings.Contains(body, `<article class="card result">`) || strings.Contains(body, "<html") {
		t.Errorf("%d: %s", resp.StatusCode, body)
	}
	s.form("/", []part{{"image", "a.jpg", picture(1)}}, "X-Fragment", "1", "Idempotency-Key", "k")
	if len(s.rows) != 1 {
		t.Errorf("%d rows after a retry with the same key", len(s.rows))
	}
	resp, _ = s.form("/", []part{{"image", "a.jpg", picture(2)}}, "X-Fragment", "1", "Idempotency-Key", "k")
	if resp.StatusCode != 201 || len(s.rows) != 2 {
		t.Errorf("other bytes under the same key: %d, %d rows", resp.StatusCode, len(s.rows))
	}
	resp, body = s.form("/", nil, "X-Fragment", "1")
	if resp.StatusCode != 400 || !strings.Contains(body, `<h2>No picture</h2>`) || strings.Contains(body, "<html") {
		t.Errorf("%d: %s", resp.StatusCode, body)
	}
}

func TestTextIsCompressed(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{
		"/": "gzip", "/static/app.css": "gzip", "/static/app.js": "gzip", "/static/samples/Vinfast_VF_8.jpg": "",
	} {
		resp, body := s.do("GET", path, nil, "Accept-Encoding", "gzip")
		if got := resp.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%s: Content-Encoding %q", path, got)
		}
		if want == "" {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(z); err != nil || len(text) < 2*len(body) {
			t.Errorf("%s: %d bytes of %d, %v", path, len(body), len(text), err)
		}
	}
	if resp, _ := s.do("GET", "/", nil, "Accept-Encoding", "identity"); resp.Header.Get("Content-Encoding") != "" {
		t.Error("compressed for somebody who does not take it")
	}
}
