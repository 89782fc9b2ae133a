package car_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
)

var (
	errDisk  = errors.New("disk full")
	errStore = errors.New("store is down")
	noon     = time.Date(2026, 3, 14, 12, 0, 0, 123_456_789, time.UTC)
)

// world is everything around the flow, kept in memory: it notes each call in
// steps and fails the calls named in faults.
type world struct {
	mu       sync.Mutex
	steps    []string
	faults   map[string]error
	reply    car.Reply
	onInvoke func() // runs while the endpoint works
	onPut    func(context.Context) error
	objects  map[string][]byte
	rows     map[string]car.Prediction
	entries  map[string]*entry
	now      time.Time
	held     int64        // memory for decoding, in bytes
	lent     int64        // of it, in all
	files    *spool.Spool // of the last process; nil for none
}

func newWorld() *world {
	return &world{
		faults:  map[string]error{},
		reply:   car.Reply{Scores: []car.Score{{Label: "Vinfast_VF_8", Value: 0.9}, {Label: "Vinfast_Fadil", Value: 0.1}}, Notice: "demo"},
		objects: map[string][]byte{},
		rows:    map[string]car.Prediction{},
		entries: map[string]*entry{},
		now:     noon,
	}
}

func (w *world) classifier(t *testing.T) *car.Classifier {
	return &car.Classifier{
		Endpoint: (*endpoint)(w), Photos: (*photos)(w), Predictions: (*predictions)(w), Spool: (*memorySpool)(w),
		Limits: limits, Now: func() time.Time { return w.now }, StoreTimeout: time.Minute,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Room: w.room,
	}
}

// room gives any memory, and counts what is held.
func (w *world) room(_ context.Context, bytes int64) (leave func(), err error) {
	if err := w.step("room"); err != nil {
		return nil, err
	}
	w.held, w.lent = w.held+bytes, w.lent+bytes
	return func() { w.held -= bytes }, nil
}

// step notes a call and tells whether it is to fail.
func (w *world) step(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, name)
	return w.faults[name]
}

func (w *world) count(name string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.steps {
		if s == name {
			n++
		}
	}
	return n
}

// heal lets everything work from here on.
func (w *world) heal() { w.faults, w.onPut, w.onInvoke = map[string]error{}, nil, nil }

type endpoint world

func (e *endpoint) Invoke(ctx context.Context, jpeg []byte) (car.Reply, error) {
	w := (*world)(e)
	if err := w.step("invoke"); err != nil {
		return car.Reply{}, err
	}
	if !bytes.HasPrefix(jpeg, []byte("\xff\xd8")) {
		return car.Reply{}, errors.New("the endpoint got no JPEG")
	}
	if w.onInvoke != nil {
		w.onInvoke()
	}
	return w.reply, nil
}

type photos world

func (p *photos) Put(ctx context.Context, pr car.Prediction, body io.ReadSeeker) error {
	w := (*world)(p)
	if err := w.step("put"); err != nil {
		return err
	}
	if w.onPut != nil {
		if err := w.onPut(ctx); err != nil {
			return err
		}
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, there := w.objects[pr.Key]; !there {
		w.objects[pr.Key] = data
	}
	return nil
}

func (p *photos) Delete(_ context.Context, key string) error {
	w := (*world)(p)
	err := w.step("delete")
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		delete(w.objects, key)
	}
	return err
}

type predictions world

func (p *predictions) Insert(_ context.Context, pr car.Prediction) (car.Prediction, error) {
	w := (*world)(p)
	if err := w.step("insert"); err != nil {
		return car.Prediction{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if kept, there := w.rows[pr.ID]; there {
		return kept, nil
	}
	w.rows[pr.ID] = pr
	return pr, nil
}

func (p *predictions) ByID(_ context.Context, id string) (car.Prediction, error) {
	w := (*world)(p)
	if err := w.step("look up"); err != nil {
		return car.Prediction{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if row, there := w.rows[id]; there {
		return row, nil
	}
	return car.Prediction{}, car.ErrNotFound
}

type memorySpool world

// entry is one spooled upload and its ticket.
type entry struct {
	w        *world
	upload   car.Upload
	original []byte
	promised *car.Prediction
	held     bool
}

func (s *memorySpool) Add(u car.Upload, original []byte) (car.Ticket, error) {
	w := (*world)(s)
	if err := w.step("add"); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.entries[u.ID] != nil {
		return nil, car.ErrInFlight
	}
	e := &entry{w: w, upload: u, original: bytes.Clone(original), held: true}
	w.entries[u.ID] = e
	return e, nil
}

func (s *memorySpool) Waiting() ([]string, error) {
	w := (*world)(s)
	if err := w.step("waiting"); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(w.entries)) {
		if !w.entries[id].held {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *memorySpool) Claim(id string) (car.Ticket, error) {
	w := (*world)(s)
	if err := w.step("claim"); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.entries[id]
	if e == nil {
		return nil, car.ErrNotFound
	}
	if e.held {
		return nil, car.ErrInFlight
	}
	e.held = true
	return e, nil
}

func (s *memorySpool) Find(id string) (car.Prediction, io.ReadSeekCloser, error) {
	w := (*world)(s)
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.entries[id]
	if e == nil {
		return car.Prediction{}, nil, car.ErrNotFound
	}
	if e.promised == nil {
		return car.Prediction{}, nil, fmt.Errorf("%w: %w", car.ErrInFlight, car.ErrNotFound)
	}
	return *e.promised, spoolFile{bytes.NewReader(e.original), w}, nil
}

func (e *entry) Upload() car.Upload { return e.upload }

func (e *entry) Open() (io.ReadSeekCloser, error) {
	if err := e.w.step("open"); err != nil {
		return nil, err
	}
	return spoolFile{bytes.NewReader(e.original), e.w}, nil
}

func (e *entry) Promise(p car.Prediction) error {
	err := e.w.step("promise")
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	if err == nil {
		e.promised = &p
	}
	return err
}

func (e *entry) Promised() (car.Prediction, bool) {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	if e.promised == nil {
		return car.Prediction{}, false
	}
	return *e.promised, true
}

func (e *entry) Release() {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.held = false
}

func (e *entry) Remove() error {
	err := e.w.step("remove")
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.held = false
	if err == nil {
		delete(e.w.entries, e.upload.ID)
	}
	return err
}

func (e *entry) SetAside(error) error {
	err := e.w.step("set aside")
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.held = false
	if err == nil {
		delete(e.w.entries, e.upload.ID)
	}
	return err
}

type spoolFile struct {
	*bytes.Reader
	w *world
}

func (f spoolFile) Close() error { return f.w.step("close") }
