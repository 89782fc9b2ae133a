package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/photostore"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/app/sagemaker"
)

const (
	// tripAfter failures in a row a dependency is not asked for restTime; then
	// one call tries it. Its callers get their answer at once meanwhile.
	tripAfter = 5
	restTime  = 10 * time.Second
)

// breaker gives a dependency that fails a rest.
type breaker struct {
	*gobreaker.CircuitBreaker[any]
	last *atomic.Pointer[error] // what failed last; never nil itself
}

func newBreaker(name string, log *slog.Logger) breaker {
	last := &atomic.Pointer[error]{}
	return breaker{last: last, CircuitBreaker: gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name: name, Timeout: restTime,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsSuccessful: func(err error) bool {
			last.Store(&err)
			return blameless(name, log, err)
		},
		// Who hangs up says nothing about the dependency.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(name string, from, to gobreaker.State) {
			log.Warn("circuit breaker", "name", name, "from", from.String(), "to", to.String())
		},
	})}
}

func (b breaker) state() string { return b.State().String() }

// cause is err, or what led to the rest that err tells of.
func (b breaker) cause(err error) error {
	if last := b.last.Load(); last != nil && errors.Is(err, car.ErrResting) {
		return *last
	}
	return err
}

// answered are the faults of one request, or of one picture: nobody's odd value
// may switch a dependency off for the others. Who has too much to do works.
var answered = []error{car.ErrNotFound, car.ErrBadCursor, car.ErrUnfit, car.ErrIDReused, car.ErrPictureRefused,
	car.ErrEndpointBusy, car.ErrBusy, car.ErrTooSlow}

// blameless tells an answer from a failure of the dependency. What is on neither
// list counts as the dependency's, and the log asks to put it on one.
func blameless(name string, log *slog.Logger, err error) bool {
	if err == nil || slices.ContainsFunc(answered, func(fine error) bool { return errors.Is(err, fine) }) {
		return true
	}
	if !dependencyFault(err) {
		log.Warn("unclassified error counts against a dependency", "name", name, "err", err)
	}
	return false
}

// dependencyFault is the positive list: connections, timeouts, errors of a
// server, and accounts, names and certificates that a deployment got wrong.
func dependencyFault(err error) bool {
	for _, known := range []error{context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, car.ErrEndpointTimeout} {
		if errors.Is(err, known) {
			return true
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return true
	}
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		switch status := answer.HTTPStatusCode(); status {
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout:
			return true
		default:
			return status >= 500 || sagemaker.NoEndpoint(err) || sagemaker.ModelFault(err)
		}
	}
	return predictions.ServerFault(err) || predictions.IsUntrusted(err)
}

// call runs f unless the dependency rests; then the error is down and
// car.ErrResting.
func call[T any](b breaker, down error, f func() (T, error)) (T, error) {
	v, err := b.Execute(func() (any, error) { return f() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		var none T
		return none, fmt.Errorf("%s: %w: %w", b.Name(), down, car.ErrResting)
	}
	result, _ := v.(T) // nil, if T is an interface and f returned none
	return result, err
}

// do is call for what returns an error only.
func do(b breaker, f func() error) error {
	_, err := call(b, car.ErrResting, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// guardedEndpoint, guardedPhotos and guardedRows are the dependencies behind
// their breakers.
type guardedEndpoint struct {
	breaker
	next car.Endpoint
}

func (g guardedEndpoint) Invoke(ctx context.Context, jpeg []byte) (car.Reply, error) {
	return call(g.breaker, car.ErrEndpointUnavailable, func() (car.Reply, error) { return g.next.Invoke(ctx, jpeg) })
}

type guardedPhotos struct {
	breaker
	next *photostore.Store
}

func (g guardedPhotos) Put(ctx context.Context, p car.Prediction, body io.ReadSeeker) error {
	return do(g.breaker, func() error { return g.next.Put(ctx, p, body) })
}

func (g guardedPhotos) Delete(ctx context.Context, key string) error {
	return do(g.breaker, func() error { return g.next.Delete(ctx, key) })
}

func (g guardedPhotos) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	var size int64
	body, err := call(g.breaker, car.ErrResting, func() (body io.ReadCloser, err error) {
		body, size, err = g.next.Get(ctx, key)
		return body, err
	})
	return body, size, err
}

func (g guardedPhotos) Ping(ctx context.Context) error {
	return do(g.breaker, func() error { return g.next.Ping(ctx) })
}

// guardedRows has a breaker of its own for what goes through many rows: it may
// fail without an upload hearing of it.
type guardedRows struct {
	breaker
	reads breaker
	next  *predictions.Store
}

func (g guardedRows) Insert(ctx context.Context, p car.Prediction) (car.Prediction, error) {
	return call(g.breaker, car.ErrResting, func() (car.Prediction, error) { return g.next.Insert(ctx, p) })
}

func (g guardedRows) ByID(ctx context.Context, id string) (car.Prediction, error) {
	return call(g.breaker, car.ErrResting, func() (car.Prediction, error) { return g.next.ByID(ctx, id) })
}

func (g guardedRows) List(ctx context.Context, f car.Filter) (car.Page, error) {
	return call(g.reads, car.ErrResting, func() (car.Page, error) { return g.next.List(ctx, f) })
}

func (g guardedRows) SetFeedback(ctx context.Context, id, label string, at time.Time) error {
	_, err := call(g.breaker, car.ErrResting, func() (struct{}, error) { return struct{}{}, g.next.SetFeedback(ctx, id, label, at) })
	return err
}

func (g guardedRows) Stats(ctx context.Context, span car.Span) (car.Stats, error) {
	return call(g.reads, car.ErrResting, func() (car.Stats, error) { return g.next.Stats(ctx, span) })
}

func (g guardedRows) Ping(ctx context.Context) error {
	return do(g.breaker, func() error { return g.next.Ping(ctx) })
}

// breakerCollector is the metric of the breakers' states.
type breakerCollector []breaker

var breakerMetric = prometheus.NewDesc("vinfast_breaker_state", "0 closed: asked as usual; 1 half-open: one call tries; 2 open: given a rest.", []string{"name"}, nil)

func (c breakerCollector) Describe(to chan<- *prometheus.Desc) { to <- breakerMetric }

func (c breakerCollector) Collect(to chan<- prometheus.Metric) {
	for _, b := range c {
		to <- prometheus.MustNewConstMetric(breakerMetric, prometheus.GaugeValue, float64(b.State()), b.Name())
	}
}
