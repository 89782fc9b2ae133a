//go:build !unit

package predictions_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/predictions"
)

func TestInsertAndByIDGiveTheSame(t *testing.T) {
	s, db := fresh(t)
	for name, change := range map[string]func(*car.Prediction){
		"plain":               func(*car.Prediction) {},
		"quotes":              func(p *car.Prediction) { p.Label = `O'Neill "the" \'; DROP TABLE predictions; -- %_` },
		"markup":              func(p *car.Prediction) { p.Label, p.Notice = `<script>alert(1)</script>`, `&amp;</td>` },
		"four-byte UTF-8":     func(p *car.Prediction) { p.Label, p.Scores[0].Label, p.Notice = "🚗 xe hơi", "🚗", "Ô tô 𝄞" },
		"newlines":            func(p *car.Prediction) { p.Notice = "one\ntwo\r\n\tthree\x00\x1a" },
		"longest label":       func(p *car.Prediction) { p.Label = strings.Repeat("🚗", 255) },
		"longest notice":      func(p *car.Prediction) { p.Notice = strings.Repeat("ữ", 1000) },
		"smallest score":      func(p *car.Prediction) { p.Score, p.Scores[0].Value = math.SmallestNonzeroFloat64, 5e-324 },
		"score of 17 digits":  func(p *car.Prediction) { p.Score, p.Scores[0].Value = 0.1+0.2, 0.1+0.2 },
		"another time zone":   func(p *car.Prediction) { p.UploadedAt = p.UploadedAt.In(time.FixedZone("ICT", 7*3600)) },
		"half a millisecond":  func(p *car.Prediction) { p.UploadedAt = p.UploadedAt.Add(999 * time.Microsecond) },
		"end of a short hour": func(p *car.Prediction) { p.UploadedAt = time.Date(2024, 3, 31, 2, 59, 59, 999e6, time.UTC) },
		"many labels": func(p *car.Prediction) {
			for range 1000 {
				p.Scores = append(p.Scores, car.Score{Label: "a label of some length", Value: 0.001})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := prediction(0)
			change(&p)
			want := p
			want.UploadedAt = p.UploadedAt.UTC().Truncate(time.Millisecond)
			if kept := insert(t, s, p); !reflect.DeepEqual(kept, want) {
				t.Errorf("Insert returned %+v, want %+v", kept, want)
			}
			got, err := s.ByID(t.Context(), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("ByID returned %+v, want %+v", got, want)
			}
		})
	}
	if n := number(t, db, "SELECT COUNT(*) FROM predictions WHERE image_url = CONCAT('s3://photos/', object_key)"); n != 13 {
		t.Errorf("%d rows with the picture's URL, want 13", n)
	}
}

func TestInsertRefusesWhatDoesNotFit(t *testing.T) {
	s, db := fresh(t)
	for name, change := range map[string]func(*car.Prediction){
		"no id":         func(p *car.Prediction) { p.ID = "" },
		"long id":       func(p *car.Prediction) { p.ID += "0" },
		"long label":    func(p *car.Prediction) { p.Label = strings.Repeat("x", 256) },
		"broken UTF-8":  func(p *car.Prediction) { p.Label = "\xff" },
		"long notice":   func(p *car.Prediction) { p.Notice = strings.Repeat("x", 1001) },
		"long key":      func(p *car.Prediction) { p.Key = strings.Repeat("x", 256) },
		"key not ASCII": func(p *car.Prediction) { p.Key = "images/ữ" },
		"long type":     func(p *car.Prediction) { p.ContentType = strings.Repeat("x", 101) },
		"long digest":   func(p *car.Prediction) { p.SHA256 += "0" },
		"no time":       func(p *car.Prediction) { p.UploadedAt = time.Time{} },
		"no number":     func(p *car.Prediction) { p.Score = math.NaN() },
		"endless":       func(p *car.Prediction) { p.Score = math.Inf(1) },
		"too wide":      func(p *car.Prediction) { p.Width = 1 << 31 },
	} {
		t.Run(name, func(t *testing.T) {
			p := prediction(0)
			change(&p)
			if _, err := s.Insert(t.Context(), p); !errors.Is(err, predictions.ErrUnfit) {
				t.Errorf("got %v, want ErrUnfit", err)
			}
		})
	}
	if n := number(t, db, "SELECT COUNT(*) FROM predictions"); n != 0 {
		t.Errorf("%d rows, want none", n)
	}
}

func TestConcurrentInsertsOfOneIDGiveOneRow(t *testing.T) {
	s, db := fresh(t)
	first := prediction(0)
	var wg sync.WaitGroup
	kept := make([]car.Prediction, 64)
	for i := range kept {
		p := first
		p.Label, p.Width = "label", i // each run has its own idea of the row
		wg.Go(func() { kept[i] = insert(t, s, p) })
	}
	wg.Wait()
	for i, p := range kept {
		if !reflect.DeepEqual(p, kept[0]) {
			t.Errorf("run %d was told %+v stands, the first %+v", i, p, kept[0])
		}
	}
	if n := number(t, db, "SELECT COUNT(*) FROM predictions"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestByIDWithoutSuchARow(t *testing.T) {
	s, _ := fresh(t)
	for _, id := range []string{uuid.NewString(), "", "' OR 1=1 --", "🚗"} {
		if _, err := s.ByID(t.Context(), id); !errors.Is(err, car.ErrNotFound) {
			t.Errorf("ByID(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func TestLostDatabaseIsAnError(t *testing.T) {
	connector, err := predictions.FromDSN("nobody:x@tcp(127.0.0.1:1)/none")
	if err != nil {
		t.Fatal(err)
	}
	s := predictions.Open(connector, "photos")
	defer s.Close()
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping says nothing")
	}
	if _, err := s.ByID(t.Context(), uuid.NewString()); err == nil || errors.Is(err, car.ErrNotFound) {
		t.Errorf("ByID says %v", err)
	}
	if err := s.Migrate(t.Context()); err == nil {
		t.Error("Migrate says nothing")
	}
	if _, err := predictions.FromDSN("not a DSN"); err == nil {
		t.Error("a bad DSN passed")
	}
}

func TestPing(t *testing.T) {
	s, _ := fresh(t)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Ping(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
