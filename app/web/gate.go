package web

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// Memory that all requests together may take, in bytes, by estimate. A request
// that needs more than there is waits gateWait, then gets a 503.
const (
	bodyMemory   = 256 << 20
	decodeMemory = 384 << 20
	gateWait     = 10 * time.Second
)

type gate struct {
	sem  *semaphore.Weighted
	size int64
}

func newGate(size int64) *gate { return &gate{semaphore.NewWeighted(size), size} }

// enter takes n bytes, or all there are if n is more, and returns what gives
// them back.
func (g *gate) enter(ctx context.Context, n int64) (leave func(), err error) {
	n = min(n, g.size)
	waiting, cancel := context.WithTimeout(ctx, gateWait)
	defer cancel()
	if err := g.sem.Acquire(waiting, n); err != nil {
		return nil, &fault{status: http.StatusServiceUnavailable, slug: "busy", title: "Busy", retry: 5, cause: err,
			detail: "Many pictures are being read right now. Send yours again in a few seconds."}
	}
	return func() { g.sem.Release(n) }, nil
}
