package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"vinfast-classifier/app/car"
)

func page(t *testing.T, resp *http.Response, body string) *goquery.Document {
	t.Helper()
	if got := resp.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Fatalf("Content-Type is %q: %.300s", got, body)
	}
	d, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if d.Find("h1").Length() != 1 || d.Find("main#main").Length() != 1 || d.Find("html[lang]").Length() != 1 {
		t.Errorf("the frame of the page is wrong: %.500s", body)
	}
	// The policy forbids both.
	if n := d.Find("[style], style, script:not([src]), [onclick], [onload]").Length(); n != 0 {
		t.Errorf("%d inline styles or scripts", n)
	}
	return d
}

func (s *site) open(path string) *goquery.Document {
	s.t.Helper()
	resp, body := s.do("GET", path, nil)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %d", path, resp.StatusCode)
	}
	return page(s.t, resp, body)
}

func words(sel *goquery.Selection) string { return strings.Join(strings.Fields(sel.Text()), " ") }

func TestUploadPage(t *testing.T) {
	s := newSite(t)
	d := s.open("/")
	form := d.Find(`form.send[method=post][action="/"][enctype="multipart/form-data"]`)
	if form.Find(`input[type=file][name=image][multiple]`).Length() != 1 || form.Find("button.main").Length() != 1 {
		t.Error("the form is not whole")
	}
	if id, _ := form.Find("input[type=file]").Attr("id"); form.Find("label[for="+id+"]").Length() != 1 {
		t.Error("the file field has no label")
	}
	if !strings.HasPrefix(words(d.Find(".send .limits")), "JPEG, PNG, WebP or GIF; up to 10 MiB and 50 megapixels each; at most 20 at once.") {
		t.Errorf("limits: %q", words(d.Find(".send .limits")))
	}
	token, _ := form.Find("input[name=token]").Attr("value")
	if other, _ := s.open("/").Find("input[name=token]").Attr("value"); len(token) < 32 || token == other {
		t.Errorf("tokens %q and %q", token, other)
	}
	if d.Find(".notice").Length() != 0 {
		t.Errorf("a notice without a reason: %s", words(d.Find(".notice")))
	}
	d.Find("link[href], script[src], img[src]").Each(func(_ int, e *goquery.Selection) {
		link := e.AttrOr("href", e.AttrOr("src", ""))
		if resp, _ := s.do("GET", link, nil); resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %s", link, resp.StatusCode, resp.Header.Get("Cache-Control"))
		}
	})
}

func TestUploadPageTellsWhatIsDown(t *testing.T) {
	s := newSite(t)
	s.notice, s.database = "demo model, trained on drawings, not for photos", errDown
	d := s.open("/")
	if got := words(d.Find(".notice")); !strings.Contains(got, s.notice) || !strings.Contains(got, "The database does not answer.") || strings.Contains(got, "10.0.0.7") {
		t.Errorf("notices: %q", got)
	}
}

func TestFormShowsTheAnswer(t *testing.T) {
	s := newSite(t)
	s.notice = "demo model"
	resp, body := s.form("/", []part{{"token", "", []byte("t")}, {"image", "my car.jpg", picture(1)}})
	if resp.StatusCode != 201 {
		t.Fatalf("%d: %s", resp.StatusCode, body)
	}
	d := page(t, resp, body)
	for selector, want := range map[string]string{
		"h2.label": "VinFast VF 8", ".file": "my car.jpg", ".lead": "The model is 93% sure.", ".notice": "demo model",
		".bars tr:first-of-type th": "VinFast VF 8", ".bars tr:first-of-type .number": "93%",
	} {
		if got := words(d.Find(selector)); got != want {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
	if v, _ := d.Find("meter").First().Attr("value"); v != "0.93" {
		t.Errorf("meter shows %q", v)
	}
	src, _ := d.Find(".photo img").Attr("src")
	if got, picture := s.do("GET", src, nil); got.Header.Get("Content-Type") != "image/jpeg" || len(picture) == 0 {
		t.Errorf("picture %q: %v", src, got.Header)
	}
	link, _ := d.Find(".says a").Attr("href")
	if got := words(s.open(link).Find("h2.label")); got != "VinFast VF 8" {
		t.Errorf("permalink shows %q", got)
	}
}

func TestFormNotSure(t *testing.T) {
	s := newSite(t)
	s.score = 0.349
	resp, body := s.form("/", []part{{"image", "a.jpg", picture(1)}})
	d := page(t, resp, body)
	if got := words(d.Find("h2.label")); got != "Not sure" {
		t.Errorf("got %q", got)
	}
	if got := words(d.Find(".lead")); !strings.Contains(got, "The best guess is VinFast VF 8 with 34%; it takes 50% to name a car") {
		t.Errorf("reason: %q", got)
	}
	if got := words(s.open("/history?mine=false").Find(".gallery .label")); got != "Not sure" {
		t.Errorf("history: %q", got)
	}
}

func TestFormKeepsTheGoodOnes(t *testing.T) {
	s := newSite(t)
	resp, body := s.form("/", []part{{"image", "a.txt", []byte("text")}, {"image", "b.jpg", picture(1)}, {"image", "b again.jpg", picture(1)}})
	if resp.StatusCode != 201 || len(s.rows) != 1 {
		t.Fatalf("%d with %d rows", resp.StatusCode, len(s.rows))
	}
	d := page(t, resp, body)
	if d.Find(".result").Length() != 3 || words(d.Find(".result").First().Find(".file")) != "a.txt" || d.Find(".result .fault").Length() != 1 {
		t.Errorf("cards: %s", words(d.Find("main")))
	}
	if resp, body = s.form("/", []part{{"image", "a.txt", []byte("text")}}); resp.StatusCode != 400 {
		t.Errorf("only a bad one: %d", resp.StatusCode)
	}
	page(t, resp, body)
}

func TestFormReloadDoesNotDouble(t *testing.T) {
	s := newSite(t)
	for range 2 {
		s.form("/", []part{{"token", "", []byte("one page")}, {"image", "a.jpg", picture(1)}})
	}
	if len(s.rows) != 1 {
		t.Errorf("%d rows after a reload, want 1", len(s.rows))
	}
	s.form("/", []part{{"token", "", []byte("one page")}, {"image", "a.jpg", picture(2)}})
	s.form("/", []part{{"token", "", []byte("another page")}, {"image", "a.jpg", picture(1)}})
	if len(s.rows) != 3 {
		t.Errorf("%d rows, want 3", len(s.rows))
	}
}

func TestFormRefused(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		parts  []part
		status int
		say    string
	}{
		"nothing chosen": {[]part{{"image", "", nil}}, 400, "Choose a picture first."},
		"wrong field":    {[]part{{"photo", "a.jpg", picture(1)}}, 400, `called "photo"`},
		"no such sample": {[]part{{"sample", "", []byte("../app.css")}}, 400, "no sample picture of this name"},
		"long token":     {[]part{{"token", "", []byte(strings.Repeat("t", 300))}}, 400, `"token" is too long`},
	} {
		resp, body := s.form("/", c.parts)
		if got := words(page(t, resp, body).Find("main")); resp.StatusCode != c.status || !strings.Contains(got, c.say) {
			t.Errorf("%s: %d %q", name, resp.StatusCode, got)
		}
	}
	resp, body := s.do("POST", "/", strings.NewReader("a=b"), "Content-Type", "application/x-www-form-urlencoded")
	if page(t, resp, body); resp.StatusCode != 415 {
		t.Errorf("plain form: %d", resp.StatusCode)
	}
}

func TestHistoryPage(t *testing.T) {
	s := newSite(t)
	s.remember()
	if got := words(s.open("/history").Find("main")); !strings.Contains(got, "Nothing here yet.") {
		t.Errorf("empty: %q", got)
	}
	for i := range 30 {
		s.label = []string{"Vinfast_VF_8", "Vinfast_VF_e34", "Some_Other_Car"}[i%3]
		s.form("/", []part{{"image", "a.jpg", picture(uint8(i))}})
	}
	d := s.open("/history")
	if n := d.Find(".gallery li").Length(); n != 24 {
		t.Errorf("%d pictures, want 24", n)
	}
	if got := words(d.Find(".gallery .label").First()); got != "Some Other Car" {
		t.Errorf("newest: %q", got)
	}
	older, _ := d.Find(".next a.button").Attr("href")
	d = s.open(older)
	if n := d.Find(".gallery li").Length(); n != 6 || d.Find(".next a.button").Length() != 0 || words(d.Find(".next a").First()) != "Newest" {
		t.Errorf("second page: %d pictures, %s", n, words(d.Find(".next")))
	}
	d = s.open("/history?label=Vinfast_VF_e34&minScore=")
	if n := d.Find(".gallery li").Length(); n != 10 || words(d.Find("option[selected]")) != "VinFast VF e34" {
		t.Errorf("filtered: %d pictures, %q", n, words(d.Find("option[selected]")))
	}
	resp, body := s.do("GET", "/history?since=yesterday", nil)
	if page(t, resp, body); resp.StatusCode != 400 {
		t.Errorf("bad parameter: %d", resp.StatusCode)
	}
	s.set(func(s *site) { s.database = errDown })
	resp, body = s.do("GET", "/history", nil)
	if got := words(page(t, resp, body).Find("main")); resp.StatusCode != 503 || !strings.Contains(got, "The database does not answer.") {
		t.Errorf("database down: %d %q", resp.StatusCode, got)
	}
}

func TestLabelsInPeoplesWords(t *testing.T) {
	s := newSite(t)
	for i, c := range []struct{ label, want string }{
		{"Vinfast_VF_8", "VinFast VF 8"}, {"Vinfast_Lux_SA2.0", "VinFast Lux SA2.0"}, {"Vinfast_VF_e34", "VinFast VF e34"},
		{"Vinfast_Fadil", "VinFast Fadil"}, {"golden_retriever", "golden retriever"}, {"VINFAST", "VINFAST"},
	} {
		s.label = c.label
		resp, body := s.form("/", []part{{"image", "a.jpg", picture(uint8(i))}})
		if got := words(page(t, resp, body).Find("h2.label")); got != c.want {
			t.Errorf("%s: %q, want %q", c.label, got, c.want)
		}
	}
}

func TestNothingIsInjected(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'; DROP TABLE predictions; --`
	s := newSite(t)
	s.label, s.notice = evil, evil
	check := func(what string, resp *http.Response, body string) {
		t.Helper()
		d := page(t, resp, body)
		if d.Find("script:not([src])").Length() != 0 || d.Find("[onerror]").Length() != 0 || d.Find(`img[src=x]`).Length() != 0 {
			t.Errorf("%s: it got in: %s", what, body)
		}
		for name, values := range resp.Header {
			if strings.Contains(fmt.Sprint(values), "alert") {
				t.Errorf("%s: header %s is %q", what, name, values)
			}
		}
	}
	resp, body := s.form("/", []part{{"token", "", []byte(evil)}, {"image", evil, picture(1)}}, "X-Request-Id", evil)
	if !strings.Contains(words(page(t, resp, body).Find(".file")), "alert(1)") {
		t.Error("the file's name is not shown at all")
	}
	check("result", resp, body)
	resp, body = s.form("/", []part{{"image", evil, []byte("text")}})
	check("refused", resp, body)
	resp, body = s.form("/", []part{{evil, "a.jpg", picture(1)}})
	check("field", resp, body)
	for _, path := range []string{"/", "/history", "/history?label=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/history?%3Cscript%3Ealert(1)=1",
		"/history?since=%3Cscript%3Ealert(1)%3C/script%3E", "/predictions/%3Cscript%3Ealert(1)", "/predictions/" + s.rows[0].ID} {
		resp, body = s.do("GET", path, nil, "Accept", "text/html", "X-Request-Id", "<script>alert(1)</script>")
		check(path, resp, body)
	}
	resp, _ = s.form("/api/v1/predictions", []part{{"image", evil, []byte("x")}})
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("API answers with %q", got)
	}
}

func TestResultWhileItWaits(t *testing.T) {
	s := newSite(t)
	const id = "0195f7a0-0000-7000-8000-000000000001"
	s.await(id, picture(5))
	d := s.open("/predictions/" + id)
	if got := words(d.Find(".says")); !strings.Contains(got, "not in the history yet") {
		t.Errorf("got %q", got)
	}
	s.set(func(s *site) { s.database = errDown })
	if got := words(s.open("/predictions/" + id).Find("h2.label")); got != "VinFast VF 8" {
		t.Errorf("with the database down: %q", got)
	}
	if resp, body := s.do("GET", "/images/"+id, nil); resp.StatusCode != 200 || body != string(picture(5)) {
		t.Errorf("picture: %d", resp.StatusCode)
	}
}

func TestFaultsOfReading(t *testing.T) {
	s := newSite(t)
	const unknown = "0195f7a0-0000-7000-8000-00000000000f"
	resp, body := s.do("GET", "/predictions/"+unknown, nil)
	if page(t, resp, body); resp.StatusCode != 404 {
		t.Errorf("unknown: %d", resp.StatusCode)
	}
	for _, path := range []string{"/api/v1/predictions/" + unknown, "/api/v1/predictions/x", "/images/" + unknown, "/images/..%2f..%2fetc", "/static/none.css", "/nothing", "/api/nothing"} {
		resp, body := s.do("GET", path, nil)
		if p := problemOf(t, resp, body); p.Status != 404 {
			t.Errorf("%s: %+v", path, p)
		}
	}
	resp, body = s.do("GET", "/nothing", nil, "Accept", "text/html,*/*")
	if page(t, resp, body); resp.StatusCode != 404 {
		t.Errorf("browser: %d", resp.StatusCode)
	}
	s.form("/", []part{{"image", "a.jpg", picture(1)}})
	id := s.rows[0].ID
	s.set(func(s *site) { s.bucket = errDown })
	if resp, body = s.do("GET", "/images/"+id, nil); problemOf(t, resp, body).Status != 503 {
		t.Errorf("bucket down: %s", body)
	}
	s.set(func(s *site) { s.bucket, s.objects = nil, nil })
	if resp, body = s.do("GET", "/images/"+id, nil); problemOf(t, resp, body).Status != 404 {
		t.Errorf("object gone: %s", body)
	}
	s.set(func(s *site) { s.database = fmt.Errorf("%w: %w", errDown, car.ErrEndpointTimeout) })
	if resp, body = s.do("GET", "/api/v1/predictions/"+id, nil); problemOf(t, resp, body).Status != 503 {
		t.Errorf("database down: %s", body)
	}
}
