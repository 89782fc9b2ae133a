//go:build !unit

package main_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// hostileValues are what strangers put in the place of dates, numbers, labels,
// cursors, switches and ids.
var hostileValues = []string{
	"", " ", "0", "-1", "1e999", "-1e999", "5e-324", "1e-400", "NaN", "Infinity", "0x1p-2", "9223372036854775808",
	"+5", "१२",
	"9999-12-31", "0000-01-01", "0001-01-01", "1000-01-01", "9998-12-30", "2026-02-30", "9999-12-31T23:59:59-23:59",
	"0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999Z", "2026-01-01T23:59:60Z",
	"2026-01-01T00:00:00 07:00",
	"true", "null", "[]", "{}", "' OR SLEEP(9) -- ", `\'; DROP TABLE predictions; --`, "\x00", "a\x00b",
	"\xff\xfe", "\xed\xa0\x80", "\xf0\x9f\x9a\x97",
	"\u202egnp.exe", "%s%n", "../../etc/passwd", "\r\nX-Injected: 1", strings.Repeat("9", 99), strings.Repeat("é",
		60), strings.Repeat("a", 9000),
	// Cursors in our own form: the ends of time, and numbers that no row has.
	"eyJ0Ijo5MjIzMzcyMDM2ODU0Nzc1ODA3LCJuIjoxfQ", "eyJ0IjotOTIyMzM3MjAzNjg1NDc3NTgwOCwibiI6MX0",
	"eyJ0IjoyNTM0MDIzMDA3OTk5OTksIm4iOjkyMjMzNzIwMzY4NTQ3NzU4MDd9",
	"eyJ0IjotMzA2MTAyMjQwMDAwMDAsIm4iOjF9", "eyJ0IjpudWxsfQ", "bnVsbA",
}

var hostileHeaders = []http.Header{
	{"Accept": {"text/csv;q=0, application/json"}}, {"Accept": {";;;,\xff"}},
	{"Accept-Language": {strings.Repeat("vi-x;q=0.1,", 400)}},
	{"Accept-Encoding": {"gzip;q=\xff, *;q=0"}}, {"Range": {"bytes=9-1,-9999999999999999999"}},
	{"If-None-Match": {`W/"`, "*"}},
	{"If-Modified-Since": {"Fri, 31 Dec 9999 23:59:59 GMT"}}, {"Content-Encoding": {"gzip"}},
	{"Content-Encoding": {"br, gzip"}}, {"Content-Type": {"multipart/form-data boundary=x"}},
	{"Content-Type": {`multipart/form-data; boundary="` + strings.Repeat("x", 71) + `"`}},
	{"Content-Type": {"image/jpeg; charset=\xff"}},
	{"Cookie": {"visitor=v1.x.99999999999999999999.y"}}, {"Cookie": {strings.Repeat("visitor=;", 500)}},
	{"X-Request-Id": {"\xff"}},
	{"X-Forwarded-For": {"::1%\xff, 999.1.1.1"}}, {"X-Forwarded-Proto": {"\xff"}}, {"Origin": {"null"}},
	{"Sec-Fetch-Site": {"cross-site"}},
	{"Idempotency-Key": {"a", "b"}}, {"Idempotency-Key": {"\xff"}}, {"Idempotency-Key": {"of-another-visitor"}},
	{"X-Fragment": {"\xff"}},
}

// hostile sends values to every parameter of the OpenAPI document.
type hostile struct {
	*testing.T
	app  *process
	id   string // of another visitor's upload
	sent int
}

func (h *hostile) send(method, path string, header http.Header, body []byte) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), method, h.app.url+path, bytes.NewReader(body))
	if err != nil {
		return // no client can send it
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		if !strings.Contains(err.Error(), "invalid header") {
			h.Errorf("%s %.200s %.200v: %v", method, path, header, err)
		}
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 500 && path != "/readyz" {
		h.Errorf("%s %.200q %.200q: %d, %v: %.300s", method, path, header, resp.StatusCode, err, text)
	}
	h.sent++
}

// parameters attacks one operation through each of its parameters, header and
// body, one at a time.
func (h *hostile) operation(method, path string, item *v3.PathItem, op *v3.Operation) {
	at := strings.NewReplacer("{id}", h.id, "{file}", "app.css").Replace(path)
	for _, p := range append(item.Parameters, op.Parameters...) {
		for _, v := range hostileValues {
			switch p.In {
			case "query":
				h.send(method, at+"?"+p.Name+"="+url.QueryEscape(v), nil, nil)
				h.send(method, at+"?"+p.Name+"=1&"+p.Name+"="+url.QueryEscape(v), nil, nil)
			case "path":
				h.send(method, strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v)), nil, nil)
			case "header":
				h.send(method, at, http.Header{http.CanonicalHeaderKey(p.Name): {v}, "Content-Type": {"image/jpeg"}}, picture(1))
			default:
				h.Errorf("a parameter in %s", p.In)
			}
		}
	}
	for _, query := range []string{"%", "%zz", "a;b", "=&=", "\xff", strings.Repeat("a=b&", 2000)} {
		h.send(method, at+"?"+query, nil, nil)
	}
	for _, header := range hostileHeaders {
		h.send(method, at, header, picture(1))
	}
	if op.RequestBody == nil {
		return
	}
	for contentType := range op.RequestBody.Content.KeysFromOldest() {
		for _, v := range hostileValues {
			h.send(method, at, http.Header{"Content-Type": {contentType}}, []byte(v))
			h.send(method, at, http.Header{"Content-Type": {"application/json"}}, []byte(`{"label":"`+v+`"}`))
			h.send(method, at, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte("label="+url.QueryEscape(v)+"&back="+url.QueryEscape(v)))
			for _, field := range []string{"image", "token", "sample", v} {
				form := "--b\r\nContent-Disposition: form-data; name=\"" + field + "\"; filename=\"" + v + "\"\r\n\r\n" + v + "\r\n--b--\r\n"
				h.send(method, at, http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}, []byte(form))
			}
		}
	}
}

// TestHostileValues: whatever a stranger puts into a parameter is the stranger's
// fault. No answer is a 5xx, no breaker comes nearer to opening, /readyz says what
// it said, and the log has nothing that nobody classified.
func TestHostileValues(t *testing.T) {
	s := newPlainSystem(t)
	a := s.start()
	status, got, err := a.post(t.Context(), picture(1), "of-another-visitor")
	if err != nil || status != http.StatusCreated {
		t.Fatalf("upload: %d, %v", status, err)
	}
	document, err := os.ReadFile("web/openapi.yaml")
	must(t, err)
	parsed, err := libopenapi.NewDocument(document)
	must(t, err)
	model, err := parsed.BuildV3Model()
	must(t, err)
	before := a.ready(t)
	h := &hostile{T: t, app: a, id: got.Predictions[0].ID}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			h.operation(strings.ToUpper(method), path, item, op)
		}
	}
	t.Logf("%d requests", h.sent)
	if h.sent < 5000 {
		t.Errorf("only %d requests were sent", h.sent)
	}
	states := regexp.MustCompile(`vinfast_breaker_state\{name="(\w+)"\} (\d)`).FindAllStringSubmatch(a.metrics(t), -1)
	if len(states) != 4 {
		t.Errorf("breakers: %q", states)
	}
	for _, state := range states {
		if state[2] != "0" {
			t.Errorf("the breaker of %s is not closed", state[1])
		}
	}
	for name, state := range a.ready(t) {
		if state.State != before[name].State || state.Breaker != before[name].Breaker {
			t.Errorf("readyz says of %s: %+v, before %+v", name, state, before[name])
		}
	}
	log, err := os.ReadFile(s.shared + "/app.log")
	must(t, err)
	for _, bad := range []string{"circuit breaker", "unclassified", `"level":"ERROR"`, "database is down"} {
		if i := bytes.Index(log, []byte(bad)); i >= 0 {
			t.Errorf("the log has %q: %.600s", bad, log[max(0, i-200):])
		}
	}
	// The other visitor's upload stands as it was, and nobody else's key got it lost.
	if get(a.url+"/api/v1/predictions/"+h.id) != http.StatusOK {
		t.Error("another visitor's upload is gone")
	}
}
