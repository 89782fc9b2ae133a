package web

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// Memory that all requests together may take, in bytes, by estimate: bodies and
// what is decoded of them. The second is enough for 50 megapixels of an
// ordinary JPEG (3 bytes a pixel) or PNG (8 at most).
const (
	bodyMemory   = 256 << 20
	decodeMemory = 512 << 20
	// Memory is both together, in bytes.
	Memory = bodyMemory + decodeMemory
)

// gate lets in what fits; who does not fit waits for a while, then gets a 503.
type gate struct {
	sem  *semaphore.Weighted
	size int64
	wait time.Duration
}

func newGate(size int64, wait time.Duration) *gate {
	return &gate{semaphore.NewWeighted(size), size, wait}
}

// enter takes n bytes, or all there are if n is more, and returns what gives
// them back.
func (g *gate) enter(ctx context.Context, n int64) (leave func(), err error) {
	n = min(n, g.size)
	waiting, cancel := context.WithTimeout(ctx, g.wait)
	defer cancel()
	if err := g.sem.Acquire(waiting, n); err != nil {
		return nil, &fault{status: http.StatusServiceUnavailable, slug: "busy", title: "Busy", retry: 5, cause: err,
			detail: "Many pictures are being read right now. Send yours again in a few seconds."}
	}
	return func() { g.sem.Release(n) }, nil
}
