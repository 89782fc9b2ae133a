package web

import (
	"fmt"
	"math"
	"net/http"
)

// standing tells how many tokens an address has, and in how many seconds it
// has all of them again.
func (l *limiter) standing(address string) (left, full int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.clients[address]
	if c == nil {
		return l.perMinute, 0
	}
	tokens := min(max(c.bucket.TokensAt(l.now()), 0), float64(l.perMinute))
	return int(tokens), int(math.Ceil((float64(l.perMinute) - tokens) * 60 / float64(l.perMinute)))
}

// rateHeaders tell what the sender may do, as the IETF's draft "RateLimit header
// fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10) writes it: q is a
// quota, w its window in seconds, r what is left of it, t the seconds until it
// is whole again.
func (s *Server) rateHeaders(h http.Header, r *http.Request) {
	address := clientAddress(r)
	pictures, picturesFull := s.rate.standing(address)
	changes, changesFull := s.changes.standing(address)
	h.Set("RateLimit-Policy", fmt.Sprintf(`"pictures";q=%d;w=60, "changes";q=%d;w=60`, s.rate.perMinute, s.changes.perMinute))
	h.Set("RateLimit", fmt.Sprintf(`"pictures";r=%d;t=%d, "changes";r=%d;t=%d`, pictures, picturesFull, changes, changesFull))
}

// limitChanges charges the sender for one change of what is kept.
func (s *Server) limitChanges(r *http.Request) error {
	wait := s.changes.take(clientAddress(r), 1)
	if wait == 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	return (&fault{status: http.StatusTooManyRequests, slug: "too-many-changes", title: "Too many changes", retry: seconds,
		detail: fmt.Sprintf("One address may make %d changes a minute. Try again in %d s.", s.changes.perMinute, seconds)}).
		with("problem.too-many-changes", s.changes.perMinute, seconds)
}
