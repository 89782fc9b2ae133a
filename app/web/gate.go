package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// Memory that all requests together may take, in bytes, by estimate: bodies,
// what is decoded of them, and pictures being shown. The second is enough for
// 50 megapixels of an ordinary JPEG (3 bytes a pixel) or PNG (8 at most).
const (
	bodyMemory   = 128 << 20
	decodeMemory = 512 << 20
	viewMemory   = 128 << 20
	// Memory is all together, in bytes.
	Memory = bodyMemory + decodeMemory + viewMemory
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
	if g.sem.TryAcquire(n) { // whatever the clock says
		return func() { g.sem.Release(n) }, nil
	}
	waiting, cancel := context.WithTimeout(ctx, g.wait)
	defer cancel()
	if err := g.sem.Acquire(waiting, n); err != nil {
		return nil, &fault{status: http.StatusServiceUnavailable, slug: "busy", title: "Busy", retry: 5, cause: err,
			detail: "Many pictures are being read right now. Send yours again in a few seconds."}
	}
	return func() { g.sem.Release(n) }, nil
}

// DecodeRoom takes memory for a picture that is decoded outside a request.
func (s *Server) DecodeRoom(ctx context.Context, bytes int64) (leave func(), err error) {
	return s.decodes.enter(ctx, bytes)
}

// bodyStep is what a body takes from the gate at a time, in bytes: one that
// arrives slowly, or of unknown length, holds little more than has arrived.
const bodyStep = 256 << 10

// metered is a request's body that takes its memory from a gate as it is read,
// and keeps it until leave.
type metered struct {
	io.ReadCloser
	ctx        context.Context
	gate       *gate
	held, read int64
}

// Read fails with the gate's 503 if there is no memory for what comes next.
func (m *metered) Read(p []byte) (int, error) {
	if m.read == m.held {
		if _, err := m.gate.enter(m.ctx, bodyStep); err != nil {
			return 0, err
		}
		m.held += bodyStep
	}
	n, err := m.ReadCloser.Read(p[:min(int64(len(p)), m.held-m.read)])
	m.read += int64(n)
	return n, err
}

func (m *metered) leave() { m.gate.sem.Release(m.held) }
