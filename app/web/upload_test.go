package web_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

type answer struct {
	Predictions []struct {
		ID, Label, ImageURL, Stored, Notice string
		Score                               float64
		Scores                              []car.Score
		UploadedAt                          time.Time
		Error                               *problem
	}
}

func answerOf(t *testing.T, resp *http.Response, body string) answer {
	t.Helper()
	var a answer
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("status %d: %s", resp.StatusCode, body)
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return a
}

func fromCar(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../car/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUploadRaw(t *testing.T) {
	s := newSite(t)
	s.notice = "demo model"
	resp, body := s.do("POST", "/api/v1/predictions", bytes.NewReader(picture(9)), "Content-Type", "image/jpeg")
	p := answerOf(t, resp, body).Predictions[0]
	if p.Label != "Vinfast_VF_8" || p.Score != 0.93 || len(p.Scores) != 2 || p.Stored != "yes" || p.Notice != "demo model" || !p.UploadedAt.Equal(s.now) {
		t.Errorf("got %+v", p)
	}
	if p.ImageURL != "/images/"+p.ID || resp.Header.Get("Location") != "/api/v1/predictions/"+p.ID {
		t.Errorf("links are %q and %q", p.ImageURL, resp.Header.Get("Location"))
	}
	if p.ID[14] != '7' {
		t.Errorf("id %s is no UUID version 7", p.ID)
	}
	for _, field := range []string{`"imageUrl"`, `"uploadedAt":"2026-01-31T10:00:00Z"`, `"stored":"yes"`} {
		if !strings.Contains(body, field) {
			t.Errorf("no %s in %s", field, body)
		}
	}
	if s.do("GET", p.ImageURL, nil); !bytes.Equal(s.objects[s.rows[0].Key], picture(9)) {
		t.Error("the bytes are not those sent")
	}
}

func TestUploadSeveral(t *testing.T) {
	s := newSite(t)
	resp, body := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}, {"image", "b.jpg", picture(2)}})
	a := answerOf(t, resp, body)
	if len(a.Predictions) != 2 || a.Predictions[0].ID == a.Predictions[1].ID || len(s.rows) != 2 {
		t.Errorf("got %+v and %d rows", a, len(s.rows))
	}
	if strings.Contains(body, `"notice"`) || strings.Contains(body, `"error"`) {
		t.Errorf("empty fields are shown: %s", body)
	}
}

func TestUploadRefused(t *testing.T) {
	big := make([]byte, 11<<20)
	copy(big, picture(1))
	many := make([]part, 21)
	for i := range many {
		many[i] = part{"image", fmt.Sprintf("%d.jpg", i), picture(uint8(i))}
	}
	huge := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x02\x00\x00\x00"), make([]byte, 64)...)
	one := func(field, name string, data []byte) []part { return []part{{field, name, data}} }
	for name, c := range map[string]struct {
		parts  []part
		status int
		say    string
	}{
		"text named .jpg":     {one("image", "car.jpg", []byte("I am no car.")), 400, "car.jpg: "},
		"empty file":          {one("image", "car.jpg", nil), 400, "car.jpg: "},
		"no file":             {nil, 400, `"image"`},
		"wrong field":         {one("picture", "car.jpg", picture(1)), 400, `called "picture". Send the picture in a field called "image"`},
		"text field":          {one("note", "", []byte("x")), 400, `called "note"`},
		"11 MiB":              {one("image", "car.jpg", big), 413, "car.jpg: A picture may have at most 10 MiB"},
		"the first is 11 MiB": {[]part{{"image", "big.jpg", big}, {"image", "a.jpg", picture(1)}}, 413, "big.jpg: "},
		"21 files":            {many, 413, "at most 20"},
		"truncated":           {one("image", "car.jpg", picture(1)[:600]), 422, "car.jpg: "},
		"too much memory":     {one("image", "car.jpg", progressive(t, 7000, 7000)), 422, "save it as an ordinary (not progressive) JPEG"},
		"too many pixels":     {one("image", "car.png", huge), 422, "car.png: "},
		"PDF":                 {one("image", "car.pdf", []byte("%PDF-1.7\n")), 415, "car.pdf: "},
		"the second is wrong": {[]part{{"image", "a.jpg", picture(1)}, {"image", "b.jpg", []byte("no")}}, 400, "b.jpg: "},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			resp, body := s.form("/api/v1/predictions", c.parts)
			p := problemOf(t, resp, body)
			if p.Status != c.status || !strings.Contains(p.Detail, c.say) {
				t.Errorf("got %+v, want %d saying %q", p, c.status, c.say)
			}
			if len(s.rows) != 0 {
				t.Errorf("%d pictures were stored", len(s.rows))
			}
		})
	}
}

func TestUploadRawRefused(t *testing.T) {
	big := make([]byte, 11<<20)
	for name, c := range map[string]struct {
		contentType string
		body        io.Reader
		status      int
	}{
		"empty body":             {"image/jpeg", nil, 400},
		"empty body, no type":    {"", nil, 400},
		"text":                   {"image/jpeg", strings.NewReader("hello"), 400},
		"form":                   {"application/x-www-form-urlencoded", strings.NewReader("a=b"), 415},
		"JSON":                   {"application/json", strings.NewReader("{}"), 415},
		"no type":                {"", strings.NewReader("x"), 415},
		"nonsense type":          {"?;", strings.NewReader("x"), 415},
		"11 MiB":                 {"image/jpeg", bytes.NewReader(big), 413},
		"11 MiB without length":  {"image/jpeg", io.MultiReader(bytes.NewReader(big)), 413},
		"multipart, no boundary": {"multipart/form-data", strings.NewReader("x"), 400},
		"multipart, cut off":     {"multipart/form-data; boundary=b", strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"x\"\r\n\r\nabc"), 400},
		"multipart, no part":     {"multipart/form-data; boundary=b", strings.NewReader("hello"), 400},
		"multipart, long header": {"multipart/form-data; boundary=b", strings.NewReader("--b\r\nX: " + strings.Repeat("x", 11<<20)), 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			resp, body := s.do("POST", "/api/v1/predictions", c.body, "Content-Type", c.contentType)
			if p := problemOf(t, resp, body); p.Status != c.status || len(s.rows) != 0 {
				t.Errorf("got %+v and %d rows, want %d", p, len(s.rows), c.status)
			}
		})
	}
}

func TestUploadFaultsOfTheFlow(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		retry  string
	}{
		"endpoint off":  {fmt.Errorf("invoke: %w", car.ErrEndpointUnavailable), 503, "30"},
		"endpoint slow": {fmt.Errorf("invoke: %w", car.ErrEndpointTimeout), 504, "30"},
		"spool full":    {fmt.Errorf("%w: no space left on /mnt/secret", car.ErrSpoolUnavailable), 503, "30"},
		"in flight":     {car.ErrInFlight, 409, "2"},
		"throttled":     {fmt.Errorf("invoke: %w", car.ErrEndpointBusy), 503, "5"},
		"unreadable":    {fmt.Errorf("invoke: %w", car.ErrPictureRefused), 422, ""},
		"anything else": {errDown, 500, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.fault = c.err
			resp, body := s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}})
			if p := problemOf(t, resp, body); p.Status != c.status || resp.Header.Get("Retry-After") != c.retry {
				t.Errorf("got %+v, Retry-After %q", p, resp.Header.Get("Retry-After"))
			}
			if strings.Contains(body, "secret") || strings.Contains(body, "10.0.0.7") {
				t.Errorf("the answer tells inner things: %s", body)
			}
			if n := strings.Count(s.log.String(), `"msg":"request failed"`); n != 1 {
				t.Errorf("logged %d times:\n%s", n, s.log)
			}

			resp, body = s.form("/api/v1/predictions", []part{{"image", "a.jpg", picture(1)}, {"image", "b.jpg", picture(2)}})
			if p := problemOf(t, resp, body); p.Status != c.status || strings.Count(body, `"error"`) != 2 {
				t.Errorf("two files: %s", body)
			}

			resp, body = s.form("/", []part{{"image", "a.jpg", picture(1)}})
			if resp.StatusCode != c.status || resp.Header.Get("Retry-After") != c.retry || !strings.Contains(body, "<h2>") {
				t.Errorf("the page: %d %q %.200s", resp.StatusCode, resp.Header.Get("Retry-After"), body)
			}
		})
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := newSite(t)
	send := func(key string, parts ...part) (*http.Response, string) {
		return s.form("/api/v1/predictions", parts, "Idempotency-Key", key)
	}
	a, b := part{"image", "a.jpg", picture(1)}, part{"image", "b.jpg", picture(2)}
	resp, body := send("k1", a, b)
	first := answerOf(t, resp, body)
	resp, body = send("k1", a, b)
	again := answerOf(t, resp, body)
	for i, p := range first.Predictions {
		if p.ID != again.Predictions[i].ID {
			t.Errorf("file %d got another id on the retry", i)
		}
	}
	if len(s.rows) != 2 {
		t.Errorf("%d rows, want 2", len(s.rows))
	}
	resp, body = send("k1", b)
	if other := answerOf(t, resp, body); len(s.rows) != 3 || other.Predictions[0].ID == first.Predictions[0].ID {
		t.Errorf("other bytes under the same key: %d rows, %s", len(s.rows), body)
	}
	resp, body = send("k2", a)
	if other := answerOf(t, resp, body); other.Predictions[0].ID == first.Predictions[0].ID {
		t.Error("another key gave the same id")
	}
	for _, bad := range []string{"", "two words", strings.Repeat("k", 256), "käse"} {
		if resp, body = send(bad, a); problemOf(t, resp, body).Status != 400 {
			t.Errorf("key %q: %s", bad, body)
		}
	}
}

// progressive is the header of a large progressive JPEG on a small one's body.
func progressive(t *testing.T, width, height uint16) []byte {
	data := bytes.Clone(fromCar(t, "progressive.jpg"))
	at := bytes.Index(data, []byte{0xff, 0xc2})
	if at < 0 {
		t.Fatal("progressive.jpg is not progressive")
	}
	binary.BigEndian.PutUint16(data[at+5:], height)
	binary.BigEndian.PutUint16(data[at+7:], width)
	return data
}
