package web_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
)

// do sends a request and returns the answer with its body.
func (s *site) do(method, path string, body io.Reader, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

// part is one field of a multipart form; a file if it has a name.
type part struct {
	field, name string
	data        []byte
}

func multipartForm(t *testing.T, parts ...part) (contentType string, body *bytes.Buffer) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := `form-data; name="` + p.field + `"`
		if p.name != "" {
			disposition += `; filename="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p.name) + `"`
			h.Set("Content-Type", "application/octet-stream")
		}
		h.Set("Content-Disposition", disposition)
		field, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := field.Write(p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}

// form posts a multipart form.
func (s *site) form(path string, parts []part, header ...string) (*http.Response, string) {
	s.t.Helper()
	contentType, body := multipartForm(s.t, parts...)
	return s.do("POST", path, body, append(header, "Content-Type", contentType)...)
}

// picture is a JPEG of its own for each shade.
func picture(shade uint8) []byte {
	img := image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i], img.Cb[i/4], img.Cr[i/4] = shade, 128, 128
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

type problem struct {
	Type, Title, Detail, Instance string
	Status                        int
}

// problemOf checks that an answer is a whole problem and returns it.
func problemOf(t *testing.T, resp *http.Response, body string) problem {
	t.Helper()
	var p problem
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type is %q: %.300s", got, body)
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if p.Status != resp.StatusCode || p.Type == "" || p.Title == "" || p.Detail == "" || p.Instance != resp.Header.Get("X-Request-Id") {
		t.Errorf("status %d, but the problem is %+v", resp.StatusCode, p)
	}
	return p
}
