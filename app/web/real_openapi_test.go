//go:build !unit

package web_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"vinfast-classifier/app/web"
	"vinfast-classifier/local/program"
)

// TestAnswersAreAsDescribed checks what real routes answer, good and bad, and
// that the document itself is valid.
func TestAnswersAreAsDescribed(t *testing.T) {
	document, err := libopenapi.NewDocument(web.Document())
	if err != nil {
		t.Fatal(err)
	}
	check, faults := validator.NewValidator(document)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if ok, faults := check.ValidateDocument(); !ok {
		for _, f := range faults {
			t.Errorf("the document: %s: %s", f.Message, f.Reason)
			for _, e := range f.SchemaValidationErrors {
				t.Errorf("%s: %s", e.FieldPath, e.Reason)
			}
		}
	}
	r := newReal(t)
	r.remember()
	id := r.upload(picture(1))
	form, body := multipartForm(t, part{"image", "a.jpg", picture(2)}, part{"image", "b.png", fromCar(t, "rgb8.png")})
	for _, c := range []struct {
		method, path, contentType, body string
		status                          int
	}{
		{"POST", "/api/v1/predictions", form, body.String(), 201},
		{"POST", "/api/v1/predictions", "image/jpeg", string(picture(3)), 201},
		{"POST", "/api/v1/predictions", "image/jpeg", "text", 400},
		{"POST", "/api/v1/predictions", "text/plain", "text", 415},
		{"GET", "/api/v1/predictions?limit=2", "", "", 200},
		{"GET", "/api/v1/predictions?limit=0", "", "", 400},
		{"GET", "/api/v1/predictions.csv?mine=true", "", "", 200},
		{"POST", "/api/v1/predictions/" + id + "/feedback", "application/json", `{"label":"other"}`, 200},
		{"POST", "/api/v1/predictions/" + id + "/feedback", "application/json", `{"label":"x"}`, 400},
		{"GET", "/api/v1/predictions/" + id, "", "", 200},
		{"GET", "/api/v1/predictions/00000000-0000-7000-8000-000000000000", "", "", 404},
		{"GET", "/images/" + id, "", "", 200},
		{"GET", "/thumbnails/" + id, "", "", 200},
		{"GET", "/predictions/" + id, "", "", 200},
		{"GET", "/history?mine=false", "", "", 200},
		{"GET", "/stats", "", "", 200},
		{"GET", "/stats?since=x", "", "", 400},
		{"GET", "/docs", "", "", 200},
		{"GET", "/", "", "", 200},
		{"GET", "/healthz", "", "", 200},
		{"GET", "/readyz", "", "", 200},
		{"DELETE", "/api/v1/predictions/" + id, "", "", 204},
		{"DELETE", "/api/v1/predictions/00000000-0000-7000-8000-000000000000", "", "", 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, r.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.contentType != "" {
			req.Header.Set("Content-Type", c.contentType)
		}
		resp, err := r.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(data))
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d: %.200s", c.method, c.path, resp.StatusCode, c.status, data)
		}
		if ok, faults := check.ValidateHttpResponse(req, resp); !ok {
			for _, f := range faults {
				t.Errorf("%s %s: %s: %s", c.method, c.path, f.Message, f.Reason)
			}
		}
		if strings.HasPrefix(c.path, "/api/") && (resp.Header.Get("RateLimit") == "" || resp.Header.Get("RateLimit-Policy") == "") {
			t.Errorf("%s %s: no rate headers", c.method, c.path)
		}
	}
}

// TestDocsExamplesRun types what the page shows.
func TestDocsExamplesRun(t *testing.T) {
	r := newReal(t)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "car.jpg"), picture(1), 0o600); err != nil {
		t.Fatal(err)
	}
	examples := r.open("/docs").Find("code[data-run]")
	if examples.Length() < 5 {
		t.Fatalf("%d examples", examples.Length())
	}
	examples.Each(func(_ int, e *goquery.Selection) {
		command := program.Command(t.Context(), "sh", "-e", "-c", e.Text())
		if e.AttrOr("data-run", "") == "go" {
			if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(e.Text()), 0o600); err != nil {
				t.Fatal(err)
			}
			command = program.Command(t.Context(), "go", "run", "main.go")
		}
		command.Dir = folder
		out, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%v:\n%s\n%s", err, e.Text(), out)
		}
		if e.AttrOr("data-run", "") == "go" && string(out) != "VinFast_VF_e34: 75%\n" && string(out) != "Vinfast_VF_e34: 75%\n" {
			t.Errorf("the Go example prints %q", out)
		}
	})
	if l := r.list(""); len(l.Predictions) != 3 {
		t.Errorf("%d predictions are left, want those of two commands and of the program", len(l.Predictions))
	}
}
