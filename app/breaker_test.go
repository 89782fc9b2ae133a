//go:build !unit

package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ready is what /readyz says of each part.
func (a *process) ready(t *testing.T) map[string]struct{ State, Detail, Breaker string } {
	t.Helper()
	resp, err := http.Get(a.url + "/readyz")
	must(t, err)
	defer resp.Body.Close()
	var said struct {
		Dependencies []struct{ Name, State, Detail, Breaker string }
	}
	must(t, json.NewDecoder(resp.Body).Decode(&said))
	all := map[string]struct{ State, Detail, Breaker string }{}
	for _, d := range said.Dependencies {
		all[d.Name] = struct{ State, Detail, Breaker string }{d.State, d.Detail, d.Breaker}
	}
	return all
}

func (a *process) metrics(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(a.url + "/metrics")
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(text)
}

// A dependency that fails again and again is left alone: its callers get their
// answer without it, and it is found again when it is back.
func TestBreakers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		part   func(*system) *gated
		status int
	}{
		"endpoint": {func(s *system) *gated { return s.model }, http.StatusServiceUnavailable},
		"bucket":   {func(s *system) *gated { return s.objects }, http.StatusCreated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, fixed)
			a := s.start()
			part := c.part(s)
			part.refuse.Store(http.StatusBadRequest) // no retries within a call
			open := "vinfast_breaker_state{name=\"" + name + "\"} 2"
			n := 0
			s.await("the breaker opens", func() bool {
				status, got, err := a.post(t.Context(), picture(n), "")
				must(t, err)
				if status != c.status || status == http.StatusCreated && got.Predictions[0].Stored != "pending" {
					t.Fatalf("status %d, %+v", status, got)
				}
				n++
				return strings.Contains(a.metrics(t), open)
			})
			asked := part.calls.Load()
			resp, err := http.Post(a.url+"/api/v1/predictions", "image/jpeg", bytes.NewReader(picture(n)))
			must(t, err)
			must(t, resp.Body.Close())
			if resp.StatusCode != c.status || c.status != http.StatusCreated && resp.Header.Get("Retry-After") == "" {
				t.Errorf("with the breaker open: %d, %v", resp.StatusCode, resp.Header)
			}
			if got := part.calls.Load(); got != asked && strings.Contains(a.metrics(t), open) {
				t.Errorf("it was asked %d times while it rests", got-asked)
			}
			s.await("readyz tells", func() bool { d := a.ready(t)[name]; return d.State == "down" && d.Breaker != "closed" })
			part.refuse.Store(0)
			s.await("it is found again", func() bool {
				status, got, err := a.post(t.Context(), picture(n), "")
				must(t, err)
				n++
				return status == http.StatusCreated && got.Predictions[0].Stored == "yes"
			})
			s.await("readyz is well", func() bool { return get(a.url+"/readyz") == http.StatusOK })
			s.await("everything is stored", func() bool { return s.waiting() == 0 })
			if len(s.rows()) != len(s.keys()) {
				t.Errorf("%d rows, %d objects", len(s.rows()), len(s.keys()))
			}
		})
	}
}
