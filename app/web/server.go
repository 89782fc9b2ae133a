// Package web is the part people and programs talk to: the pages, the JSON
// API, health and metrics. It reads and bounds requests, hands photos to the
// flow in package car and turns faults into answers.
package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"vinfast-classifier/app/car"
)

// Classifier takes one photo through the flow; see car.Classifier.Classify.
type Classifier interface {
	Classify(ctx context.Context, id string, photo car.Photo) (car.Prediction, error)
}

// History reads stored predictions.
type History interface {
	// ByID returns one, or car.ErrNotFound.
	ByID(ctx context.Context, id string) (car.Prediction, error)
	// List returns one page; a cursor of another make is car.ErrBadCursor.
	List(ctx context.Context, f car.Filter) (car.Page, error)
	// SetFeedback writes what the sender of an upload says is right; car.ErrNotFound
	// if there is no row.
	SetFeedback(ctx context.Context, id, label string, at time.Time) error
	// Stats counts the uploads of a span.
	Stats(ctx context.Context, span car.Span) (car.Stats, error)
}

// Remover deletes uploads; see car.Remover.Remove.
type Remover interface {
	Remove(ctx context.Context, id, visitor string) error
}

// Photos reads stored pictures.
type Photos interface {
	// Get opens the original bytes under key and tells how many they are, or
	// returns car.ErrNotFound.
	Get(ctx context.Context, key string) (io.ReadCloser, int64, error)
}

// Thumbnails caches what can be made again from the picture.
type Thumbnails interface {
	// Get returns the thumbnail of an upload; fs.ErrNotExist if it is to be made.
	Get(id string) ([]byte, error)
	Put(id string, jpeg []byte) error
	// Delete removes it; a missing one is no error.
	Delete(id string) error
}

// Spool finds uploads that are acknowledged but not stored yet.
type Spool interface {
	// Find returns the promised prediction and its original bytes, which the
	// caller closes; car.ErrNotFound if nothing is promised under id.
	Find(id string) (car.Prediction, io.ReadSeekCloser, error)
	// State tells how full the spool is.
	State() (car.SpoolState, error)
}

// Config is everything a Server is made of. All fields are required, except
// Checks, EndpointBreaker and Metrics.
type Config struct {
	Classifier Classifier
	History    History
	Photos     Photos
	Thumbnails Thumbnails
	Spool      Spool
	Remover    Remover
	Endpoint   car.Endpoint // asked by /readyz, with a tiny picture of ours
	Checks     []Check      // the other dependencies, in the order to show

	EndpointBreaker func() string          // state of the endpoint's circuit breaker; nil for none
	Metrics         []prometheus.Collector // shown at /metrics besides our own; may be empty

	VisitorKey    []byte // signs the visitors' cookies; the same on all instances
	Limits        car.Limits
	RatePerMinute int           // uploads per address
	MinScore      float64       // 0 to 1; below it a page says "not sure"
	BusyWait      time.Duration // for memory, before an upload is refused as one too many
	Now           func() time.Time
	Log           *slog.Logger
}

// Server answers HTTP.
type Server struct {
	Config
	pages      *pages
	assets     *assets
	metrics    *metrics
	health     *health
	rate       *limiter
	forwarders *limiter // the same for peers that forward for others
	visitors   visitors
	changes    *limiter // of what is kept
	views      *gate
	making     singleflight.Group // thumbnails, by id
	bodies     *gate
	decodes    *gate
}

// New builds a Server. It fails only when an embedded file is wrong.
func New(c Config) (*Server, error) {
	assets, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("load static files: %w", err)
	}
	pages, err := parsePages(assets)
	if err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	s := &Server{
		Config:     c,
		assets:     assets,
		pages:      pages,
		metrics:    newMetrics(c.Spool, c.Log, c.Metrics),
		rate:       newLimiter(c.RatePerMinute, c.Now),
		forwarders: newLimiter(forwarderShare*c.RatePerMinute, c.Now),
		visitors:   visitors{c.VisitorKey, c.Now},
		changes:    newLimiter(changesPerPicture*c.RatePerMinute, c.Now),
		views:      newGate(viewMemory, c.BusyWait),
		bodies:     newGate(bodyMemory, c.BusyWait),
		decodes:    newGate(decodeMemory, c.BusyWait),
	}
	s.health = newHealth(append(c.Checks, s.endpointCheck()), c.Now, c.Log)
	return s, nil
}

// route is one line of the table. page says which form its faults take.
type route struct {
	method, path string
	page         bool
	serve        handler
}

func (s *Server) routes() []route {
	return []route{
		{"GET", "/{$}", true, s.uploadPage},
		{"POST", "/{$}", true, s.upload(s.postForm)},
		{"GET", "/predictions/{id}", true, s.resultPage},
		{"GET", "/history", true, s.historyPage},
		{"GET", "/stats", true, s.statsPage},
		{"GET", "/docs", true, s.docsPage},
		{"GET", "/openapi.yaml", false, s.openAPI},
		{"POST", "/predictions/{id}/feedback", true, s.change(s.feedbackForm)},
		{"POST", "/predictions/{id}/delete", true, s.change(s.deleteForm)},

		{"POST", "/api/v1/predictions", false, s.upload(s.postPredictions)},
		{"GET", "/api/v1/predictions", false, s.listPredictions},
		{"GET", "/api/v1/predictions.csv", false, s.listCSV},
		{"GET", "/api/v1/predictions/{id}", false, s.getPrediction},
		{"DELETE", "/api/v1/predictions/{id}", false, s.change(s.deletePrediction)},
		{"POST", "/api/v1/predictions/{id}/feedback", false, s.change(s.postFeedback)},
		{"GET", "/images/{id}", false, s.getImage},
		{"GET", "/thumbnails/{id}", false, s.getThumbnail},

		{"GET", "/healthz", false, s.healthz},
		{"GET", "/readyz", false, s.readyz},
		{"GET", "/metrics", false, s.metrics.serve},
		{"GET", "/static/{file...}", false, s.assets.serve},
	}
}

// Handler is the whole site.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	pages := map[string]bool{}
	for _, rt := range s.routes() {
		mux.Handle(rt.method+" "+rt.path, s.adapt(rt))
		methods[rt.path] = append(methods[rt.path], rt.method)
		pages[rt.path] = rt.page
	}
	for path, allowed := range methods {
		mux.Handle(path, s.adapt(route{path: path, page: pages[path], serve: wrongMethod(allowed)}))
	}
	mux.Handle("/", s.adapt(route{path: "other", serve: noSuchPage}))

	var h http.Handler = mux
	for _, wrap := range []func(http.Handler) http.Handler{
		s.crossOrigin, squeeze, s.recoverPanics, speak, secureHeaders, s.observe, identify,
	} {
		h = wrap(h)
	}
	return h
}
