package photostore_test

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

func TestDescribeGivesThePredictionBack(t *testing.T) {
	// What the limits are about: the headers as they go over the line.
	var mu sync.Mutex
	headers := map[string]http.Header{}
	s := open(serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		headers[r.Method+r.URL.Path] = r.Header.Clone()
		mu.Unlock()
		next.ServeHTTP(w, r)
	}), bucket)
	for name, change := range map[string]func(*car.Prediction){
		"plain":  func(*car.Prediction) {},
		"notice": func(p *car.Prediction) { p.Notice = "demo model, trained on drawings, not for photos" },
		"four-byte UTF-8": func(p *car.Prediction) {
			p.Label, p.Notice, p.Scores[0].Label = "🚗 xe", "Ô tô 𝄞", "xe hơi 🚗"
		},
		"spaces":      func(p *car.Prediction) { p.Label, p.Notice = "  two  and   three ", " " },
		"line breaks": func(p *car.Prediction) { p.Label = "a\r\nX-Amz-Meta-Label: b\x00\x7f\t" },
		"percent":     func(p *car.Prediction) { p.Label = "100 %41 + %zz" },
		"quotes":      func(p *car.Prediction) { p.Label = `O'Neill "x" <b>&amp; \` },
		"no scores":   func(p *car.Prediction) { p.Scores = nil },
		"small score": func(p *car.Prediction) { p.Score = 1e-300 },
		"midnight":    func(p *car.Prediction) { p.UploadedAt = p.UploadedAt.Truncate(24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			p := prediction()
			change(&p)
			put(t, s, p, "photo")
			got, err := s.Describe(t.Context(), p.Key)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, p) {
				t.Errorf("got  %+v\nwant %+v", got, p)
			}
			checkMetadata(t, headers["PUT/"+bucket+"/"+p.Key])
		})
	}
}

// checkMetadata holds headers against S3's rules: ASCII, at most 2 KB.
func checkMetadata(t *testing.T, header http.Header) {
	t.Helper()
	size := 0
	for name, values := range header {
		name, ok := strings.CutPrefix(name, "X-Amz-Meta-")
		if !ok {
			continue
		}
		size += len(name) + len(values[0])
		if strings.Contains(values[0], "  ") || strings.TrimSpace(values[0]) != values[0] {
			t.Errorf("metadata %s has spaces that may get lost: %q", name, values[0])
		}
		for _, b := range []byte(values[0]) {
			if b < ' ' || b > '~' {
				t.Errorf("metadata %s has byte %#x: %q", name, b, values[0])
			}
		}
	}
	if size == 0 || size > 2048 {
		t.Errorf("metadata has %d bytes, S3 takes 2048", size)
	}
}

func TestTooMuchMetadataIsCutNotRefused(t *testing.T) {
	var header http.Header
	s := open(serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			header = r.Header.Clone()
		}
		next.ServeHTTP(w, r)
	}), bucket)
	p := prediction()
	p.Label, p.Notice = strings.Repeat("🚗", 255), strings.Repeat("ữ", 1000)
	for range 1000 {
		p.Scores = append(p.Scores, car.Score{Label: "one of a thousand labels", Value: 0.001})
	}
	put(t, s, p, "photo")
	checkMetadata(t, header)
	got, err := s.Describe(t.Context(), p.Key)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(p.Label, got.Label) || got.Label == "" || !strings.HasPrefix(p.Notice, got.Notice) || got.Notice == "" {
		t.Errorf("label %q, notice %q", got.Label, got.Notice)
	}
	if n := len(got.Scores); n == 0 || !reflect.DeepEqual(got.Scores, p.Scores[:n]) {
		t.Errorf("the best scores became %v", got.Scores)
	}
}

func TestDescribeOfAStrangersObject(t *testing.T) {
	url := serve(t, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/"+bucket+"/by-hand.jpg", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	if _, err := open(url, bucket).Describe(t.Context(), "by-hand.jpg"); err == nil || !strings.Contains(err.Error(), "by-hand.jpg") {
		t.Errorf("got %v, want an error that names the object", err)
	}
}
