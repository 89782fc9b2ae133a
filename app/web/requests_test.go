package web_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

// Requests that people reported elsewhere, each by kind.

func TestDatesAtTheEndOfTime(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/api/v1/predictions", "/api/v1/predictions.csv", "/history", "/stats"} {
		for _, query := range []string{"until=9999-12-31", "since=0000-01-01", "since=0999-12-31", "until=9999-01-01", "since=9999-01-01"} {
			resp, body := s.do("GET", path+"?"+query, nil)
			if resp.StatusCode != 400 || !strings.Contains(body, "1000-01-01 to 9998-12-30") {
				t.Errorf("%s?%s: %d %.300s", path, query, resp.StatusCode, body)
			}
		}
		for _, query := range []string{"label=%zz", "since=2026-01-01;until=2026-01-02"} {
			if resp, body := s.do("GET", path+"?"+query, nil); resp.StatusCode != 400 || !strings.Contains(body, "%25") {
				t.Errorf("%s?%s: %d %.300s", path, query, resp.StatusCode, body)
			}
		}
	}
	for _, query := range []string{"since=9999-12-31T23:59:59-23:59", "until=0000-01-01T00:00:00%2B23:59"} {
		if resp, body := s.do("GET", "/api/v1/predictions?"+query, nil); resp.StatusCode != 400 || !strings.Contains(body, "9998-12-30") {
			t.Errorf("%s: %d %s", query, resp.StatusCode, body)
		}
	}
	if resp, body := s.do("GET", "/api/v1/predictions?since=1000-01-01&until=9998-12-30", nil); resp.StatusCode != 200 {
		t.Errorf("the whole range: %d %s", resp.StatusCode, body)
	}
}

// TestPlusThatIsABlank: the plus of a time zone counts, also unescaped.
func TestPlusThatIsABlank(t *testing.T) {
	s := newSite(t)
	s.fill(1, "Vinfast_VF_8")
	at := s.rows[0].UploadedAt
	zone := at.In(time.FixedZone("", 7*3600))
	for since, want := range map[string]int{zone.Format("2006-01-02T15:04:05-07:00"): 1, zone.Add(1e9).Format("2006-01-02T15:04:05-07:00"): 0} {
		if l := s.list("?since=" + since); len(l.Predictions) != want { // the plus as it is
			t.Errorf("since=%s: %d predictions, want %d", since, len(l.Predictions), want)
		}
	}
	if resp, _ := s.do("GET", "/api/v1/predictions?since=2026-11-25+07:00", nil); resp.StatusCode != 400 {
		t.Errorf("a date with a zone: %d", resp.StatusCode)
	}
}

func TestBoundary(t *testing.T) {
	s := newSite(t)
	part := "Content-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n\r\n" + string(picture(1)) + "\r\n--"
	for contentType, want := range map[string]int{
		`multipart/form-data; boundary="x=y/z"`: 201,
		`multipart/form-data; boundary=x=y/z`:   400,
		`multipart/form-data; boundary=x/y/z`:   400,
		`multipart/form-data boundary=xyz`:      400,
		`multipart/form-data`:                   400,
		`Multipart/Form-Data;boundary=x:y`:      400,
	} {
		body := "--x=y/z\r\n" + part + "x=y/z--\r\n"
		for _, path := range []string{"/api/v1/predictions", "/"} {
			resp, text := s.do("POST", path, strings.NewReader(body), "Content-Type", contentType, "Accept-Language", "vi")
			if resp.StatusCode != want || want == 400 && !strings.Contains(text, "boundary") {
				t.Errorf("%s to %s: %d %.300s", contentType, path, resp.StatusCode, text)
			}
			if want == 400 && path == "/" && !strings.Contains(text, "dấu chấm phẩy") {
				t.Errorf("%s: the page does not say it in Vietnamese", contentType)
			}
		}
	}
}

// TestFileNames: a picture is taken whatever its name looks like, and the name is
// shown as it was typed, without turning what stands beside it.
func TestFileNames(t *testing.T) {
	s := newSite(t)
	for disposition, want := range map[string]string{
		`filename="my "best" car.jpg"`:             `my "best" car.jpg`,
		`filename=my best car.jpg`:                 `my best car.jpg`,
		`filename="a.jpg"; filename="b.jpg"`:       `a.jpg`,
		`filename="a.jpg"; filename*=UTF-8''b.jpg`: `b.jpg`,
		`filename="my %22best%22%0Acar.jpg"`:       "my \"best\"\ncar.jpg",
		`filename="100%25 car.jpg"`:                `100%25 car.jpg`,
		"filename=\"a\u202egpj.exe\"":              "agpj.exe",
		"filename=\"\u2066xe\u2069 tôi.jpg\"":      "xe tôi.jpg",
		`filename="C/fakepath/a.jpg"`:              "a.jpg",
		`filename=""best".jpg"`:                    `"best".jpg`,
	} {
		body := "--b\r\nContent-Disposition: form-data; name=\"image\"; " + disposition + "\r\n\r\n" + string(picture(1)) + "\r\n--b--\r\n"
		resp, text := s.do("POST", "/", strings.NewReader(body), "Content-Type", "multipart/form-data; boundary=b")
		if got := page(t, resp, text).Find(".file").First().Text(); resp.StatusCode != 201 || got != want {
			t.Errorf("%s: %d, shown as %q, want %q", disposition, resp.StatusCode, got, want)
		}
	}
	body := "--b\r\nContent-Disposition: form-data; filename=a \"b\".jpg\r\n\r\nx\r\n--b--\r\n"
	resp, text := s.do("POST", "/api/v1/predictions", strings.NewReader(body), "Content-Type", "multipart/form-data; boundary=b")
	if problemOf(t, resp, text).Status != 400 {
		t.Errorf("a part without a name: %s", text)
	}
}

func TestAcceptWeights(t *testing.T) {
	s := newSite(t)
	for accept, want := range map[string]string{
		"text/csv;q=0, application/json":       "application/json",
		"text/csv;q=0":                         "application/json",
		"text/csv;q=0.5, application/json":     "application/json",
		"application/json;q=0.5, text/csv":     "text/csv",
		"application/json;q=0, TEXT/CSV;q=0.1": "text/csv",
		"text/csv;q=x, application/json":       "application/json",
		"text/csv;;;, */*":                     "application/json",
	} {
		resp, _ := s.do("GET", "/api/v1/predictions", nil, "Accept", accept)
		if got, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); got != want {
			t.Errorf("%s: %s, want %s", accept, got, want)
		}
	}
}

func TestPackedBody(t *testing.T) {
	s := newSite(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(picture(1)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	id := "/api/v1/predictions/00000000-0000-7000-8000-000000000000/feedback"
	for path, contentType := range map[string]string{"/api/v1/predictions": "image/jpeg", id: "application/json", "/": "multipart/form-data; boundary=b"} {
		resp, body := s.do("POST", path, bytes.NewReader(packed.Bytes()), "Content-Type", contentType, "Content-Encoding", "gzip", "Accept-Language", "vi")
		if resp.StatusCode != http.StatusUnsupportedMediaType || resp.Header.Get("Accept-Encoding") != "identity" || !strings.Contains(body, "gzip") {
			t.Errorf("%s: %d %v %s", path, resp.StatusCode, resp.Header, body)
		}
	}
	resp, body := s.do("POST", "/api/v1/predictions", bytes.NewReader(picture(1)), "Content-Type", "image/jpeg", "Content-Encoding", "Identity")
	if resp.StatusCode != 201 {
		t.Errorf("identity: %d %s", resp.StatusCode, body)
	}
}

// TestCSVForSpreadsheets: the file tells its encoding, the other form for
// programs does not need it.
func TestCSVForSpreadsheets(t *testing.T) {
	s := newSite(t)
	s.fill(1, "Xe của tôi")
	if _, body := s.do("GET", "/api/v1/predictions.csv", nil); !strings.HasPrefix(body, "\xef\xbb\xbfid,") || !strings.Contains(body, "Xe của tôi") {
		t.Errorf("the file begins with %.20q", body)
	}
	if _, body := s.do("GET", "/api/v1/predictions", nil, "Accept", "text/csv"); !strings.HasPrefix(body, "id,") {
		t.Errorf("for a program it begins with %.20q", body)
	}
}

// TestProxyThatChangesHost: who is refused for it is told what to put right.
func TestProxyThatChangesHost(t *testing.T) {
	s := newSite(t)
	form, body := multipartForm(t, part{"image", "a.jpg", picture(1)})
	resp, text := s.do("POST", "/", bytes.NewReader(body.Bytes()), "Content-Type", form, "Origin", "https://cars.example", "Accept", "text/html")
	host := strings.TrimPrefix(s.URL, "http://")
	if got := words(page(t, resp, text).Find("main")); resp.StatusCode != 403 || !strings.Contains(got, "cars.example") || !strings.Contains(got, host) || !strings.Contains(got, "Host") {
		t.Errorf("%d: %s", resp.StatusCode, got)
	}
	resp, text = s.do("POST", "/", bytes.NewReader(body.Bytes()), "Content-Type", form, "Origin", "https://cars.example", "Sec-Fetch-Site", "cross-site", "Accept", "text/html")
	if got := words(page(t, resp, text).Find("main")); resp.StatusCode != 403 || strings.Contains(got, "Host") {
		t.Errorf("from another site for sure: %d: %s", resp.StatusCode, got)
	}
}

// TestKeyOfAnotherVisitor: a key belongs to its bytes and not to a visitor.
func TestKeyOfAnotherVisitor(t *testing.T) {
	s := newSite(t)
	send := func(data []byte) string {
		t.Helper()
		resp, body := s.do("POST", "/api/v1/predictions", bytes.NewReader(data), "Content-Type", "image/jpeg", "Idempotency-Key", "1")
		return answerOf(t, resp, body).Predictions[0].ID // no cookie is kept: each time another visitor
	}
	first := send(picture(1))
	if again := send(picture(1)); again != first {
		t.Errorf("the same bytes: %s, want %s", again, first)
	}
	if other := send(picture(2)); other == first {
		t.Error("other bytes got the first one's answer")
	}
}

// TestReadsThatAreTooMuch: the answer tells the three apart from a database that
// is down, and when to come back.
func TestReadsThatAreTooMuch(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		err         error
		status      int
		slug, retry string
	}{{car.ErrBusy, 503, "history-busy", "5"}, {car.ErrTooSlow, 503, "too-much", "30"}, {car.ErrUnfit, 400, "bad-parameters", ""}} {
		s.set(func(s *site) { s.database = fmt.Errorf("list: %w", c.err) })
		resp, body := s.do("GET", "/api/v1/predictions", nil)
		if p := problemOf(t, resp, body); p.Status != c.status || !strings.HasSuffix(p.Type, ":"+c.slug) || resp.Header.Get("Retry-After") != c.retry {
			t.Errorf("%v: %+v, Retry-After %q", c.err, p, resp.Header.Get("Retry-After"))
		}
		for _, path := range []string{"/history", "/stats"} {
			if resp, body := s.do("GET", path, nil); page(t, resp, body) == nil || resp.StatusCode != c.status {
				t.Errorf("%v: %s: %d", c.err, path, resp.StatusCode)
			}
		}
	}
}

// TestExportWaitsForItsTurn: an export that has begun is not cut off by others.
func TestExportWaitsForItsTurn(t *testing.T) {
	s := newSite(t)
	s.fill(450, "Vinfast_VF_8")
	s.set(func(s *site) { s.busy = 2 })
	if resp, body := s.do("GET", "/api/v1/predictions.csv", nil); resp.StatusCode != 200 || strings.Count(body, "\n") != 451 {
		t.Errorf("%d, %d lines", resp.StatusCode, strings.Count(body, "\n"))
	}
}

// TestThrottledModelIsReady: visitors who send much make no instance unfit.
func TestThrottledModelIsReady(t *testing.T) {
	s := newSite(t)
	s.set(func(s *site) { s.model = car.ErrEndpointBusy })
	if resp, body := s.do("GET", "/readyz", nil); resp.StatusCode != 200 {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
