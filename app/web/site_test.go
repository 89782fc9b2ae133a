package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/thumbs"
	"vinfast-classifier/app/web"
)

// site is the real routes over parts in memory, so that each fault can be had
// at will. What only real servers can show is in real_test.go.
type site struct {
	*httptest.Server
	server *web.Server
	t      *testing.T
	log    *lines
	web.Config

	mu       sync.Mutex
	now      time.Time
	fault    error // what Classify answers; nil for a prediction
	label    string
	score    float64
	notice   string
	rows     []car.Prediction // newest last
	waiting  map[string]car.Prediction
	objects  map[string][]byte // by key; by id for waiting ones
	database error
	bucket   error
	model    error
	stats    car.Stats
	span     car.Span // that Stats was asked for
	asked    int      // calls of the endpoint
	busy     int      // further pages that are refused as too many
	cut      bool     // objects break off while they are read
}

// lines is a log to look into.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newSite(t *testing.T, change ...func(*web.Config)) *site {
	t.Helper()
	s := &site{t: t, log: &lines{}, now: time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC), label: "Vinfast_VF_8", score: 0.93,
		waiting: map[string]car.Prediction{}, objects: map[string][]byte{}}
	s.Config = web.Config{
		Classifier: s, History: s, Photos: s, Spool: outbox{s}, Endpoint: s, Remover: s, Thumbnails: thumbs.Open(t.TempDir(), 1<<20, slog.New(slog.DiscardHandler)),
		VisitorKey: []byte("a key of thirty-two bytes, for tests"),
		Checks: []web.Check{
			{Name: "database", Ask: func(context.Context) error { return s.get(&s.database) }, Down: "The database does not answer."},
		},
		Limits: car.Limits{Bytes: 10 << 20, Pixels: 50_000_000}, RatePerMinute: 1000, MinScore: 0.5, BusyWait: time.Millisecond,
		Now: s.clock, Log: slog.New(web.LogHandler(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	}
	for _, f := range change {
		f(&s.Config)
	}
	server, err := web.New(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	s.server = server
	handler := server.Handler()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from := r.Header.Get("Test-From"); from != "" {
			r.RemoteAddr = from
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) get(err *error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *err
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// set changes the site's fields while it runs.
func (s *site) set(change func(*site)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *site) Classify(_ context.Context, id string, photo car.Photo) (car.Prediction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == errPanic {
		panic("deep inside")
	}
	if s.fault != nil {
		return car.Prediction{}, s.fault
	}
	for _, row := range s.rows {
		if row.ID == id {
			return row, nil
		}
	}
	p := s.prediction(id, photo)
	s.rows = append(s.rows, p)
	s.objects[p.Key] = photo.Original
	return p, nil
}

func (s *site) prediction(id string, photo car.Photo) car.Prediction {
	return car.Prediction{Upload: car.NewUpload(id, photo, s.now), Label: s.label, Score: s.score, Notice: s.notice, Stored: true,
		Scores: []car.Score{{Label: s.label, Value: s.score}, {Label: "Vinfast_Fadil", Value: 1 - s.score}}}
}

func (s *site) Invoke(context.Context, []byte) (car.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return car.Reply{Scores: []car.Score{{Label: s.label, Value: s.score}}, Notice: s.notice}, s.model
}

func (s *site) ByID(_ context.Context, id string) (car.Prediction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.database != nil {
		return car.Prediction{}, s.database
	}
	for _, p := range s.rows {
		if p.ID == id {
			return p, nil
		}
	}
	return car.Prediction{}, car.ErrNotFound
}

// List knows label, visitor, minScore and limit; its cursor is the number of rows
// already shown.
func (s *site) List(_ context.Context, f car.Filter) (car.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.database == errPanic {
		panic("deep inside")
	}
	if s.database != nil {
		return car.Page{}, s.database
	}
	if f.Cursor != "" && s.busy > 0 {
		s.busy--
		return car.Page{}, car.ErrBusy
	}
	skip := 0
	if f.Cursor != "" {
		if _, err := fmt.Sscanf(f.Cursor, "after-%d", &skip); err != nil {
			return car.Page{}, car.ErrBadCursor
		}
	}
	var page car.Page
	for i := len(s.rows) - 1 - skip; i >= 0; i-- {
		if p := s.rows[i]; (f.Label == "" || p.Label == f.Label) && (f.Visitor == "" || p.Visitor == f.Visitor) && p.Score >= f.MinScore && !p.UploadedAt.Before(f.Since) {
			if len(page.Predictions) == f.Limit {
				page.Next = fmt.Sprintf("after-%d", len(s.rows)-1-i)
				break
			}
			page.Predictions = append(page.Predictions, p)
		}
	}
	return page, nil
}

func (s *site) SetFeedback(_ context.Context, id, label string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rows {
		if s.rows[i].ID == id {
			s.rows[i].Feedback = label
			return s.database
		}
	}
	return car.ErrNotFound
}

func (s *site) Stats(_ context.Context, span car.Span) (car.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.span = span
	return s.stats, s.database
}

func (s *site) Remove(_ context.Context, id, visitor string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.rows {
		if p.ID == id && p.Visitor != visitor {
			return car.ErrNotYours
		} else if p.ID == id {
			s.rows = slices.Delete(s.rows, i, i+1)
			return s.database
		}
	}
	return car.ErrNotFound
}

func (s *site) Get(_ context.Context, key string) (io.ReadCloser, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket != nil {
		return nil, 0, s.bucket
	}
	data, ok := s.objects[key]
	if !ok {
		return nil, 0, car.ErrNotFound
	}
	if s.cut {
		return io.NopCloser(bytes.NewReader(data[:100])), int64(len(data)), nil
	}
	return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
}

type outbox struct{ *site }

func (s outbox) Find(id string) (car.Prediction, io.ReadSeekCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.waiting[id]
	if !ok {
		return p, nil, car.ErrNotFound
	}
	return p, seekCloser{bytes.NewReader(s.objects[id])}, nil
}

type seekCloser struct{ io.ReadSeeker }

func (seekCloser) Close() error { return nil }

func (s outbox) State() (car.SpoolState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return car.SpoolState{Uploads: len(s.waiting), MaxUploads: 10, Bytes: 5, MaxBytes: 1000, Oldest: time.Minute, Damaged: 2}, nil
}

// await puts a promised upload into the spool.
func (s *site) await(id string, data []byte) {
	photo, err := car.Decode(data, s.Limits)
	if err != nil {
		s.t.Fatal(err)
	}
	s.set(func(s *site) {
		p := s.prediction(id, photo)
		p.Stored = false
		s.waiting[id], s.objects[id] = p, data
	})
}

// errPanic makes Classify and List panic.
var errPanic = errors.New("panic")

var errDown = errors.New("connection refused by 10.0.0.7")
