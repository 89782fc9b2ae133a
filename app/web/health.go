package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"vinfast-classifier/app/car"
)

// Check asks one dependency whether it works.
type Check struct {
	Name string
	// Ask returns nil if it works. It is cancelled after checkTime; if it runs
	// on all the same, as a file system that hangs makes it, that is an answer too.
	Ask func(ctx context.Context) error
	// Fresh is how long a good answer counts. A bad one counts for a twelfth of
	// it: somebody waits for that part to come up.
	Fresh time.Duration
	// Down is what people read when Ask fails: what that means and what to do.
	Down string
	// Tell, if set, puts a sentence for this error (nil if it works) in the place
	// of Down or "It answers."; empty for the usual one.
	Tell func(error) string
	// Breaker, if set, is the state of its circuit breaker: closed, half-open or
	// open.
	Breaker func() string
}

// checkTime bounds one question.
const checkTime = 5 * time.Second

// State is what /readyz says of one dependency.
type State struct {
	Name   string `json:"name"`
	State  string `json:"state"` // up or down
	Detail string `json:"detail"`
	// Breaker is open while it is given a rest after many failures.
	Breaker string `json:"breaker,omitempty"`
}

// health remembers what the checks said.
type health struct {
	checks []*cachedCheck
	now    func() time.Time
	log    *slog.Logger
	last   atomic.Pointer[[]State]
	mu     sync.Mutex
	notice string
}

type cachedCheck struct {
	Check
	mu      sync.Mutex
	asked   time.Time // when the last answer came
	err     error
	running chan struct{} // closed when the question under way is answered; nil for none
}

func newHealth(checks []Check, now func() time.Time, log *slog.Logger) *health {
	h := &health{now: now, log: log}
	for _, c := range checks {
		h.checks = append(h.checks, &cachedCheck{Check: c})
	}
	return h
}

// heard remembers what the model says about itself.
func (h *health) heard(notice string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notice = notice
}

// modelNotice is what the model said last; empty for none.
func (h *health) modelNotice() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notice
}

// states asks every dependency whose last answer is too old, all at once.
func (h *health) states(ctx context.Context) (all []State, up bool) {
	all = make([]State, len(h.checks))
	var wg sync.WaitGroup
	for i, c := range h.checks {
		wg.Go(func() { all[i] = c.state(ctx, h.now, h.log) })
	}
	wg.Wait()
	up = true
	for _, s := range all {
		up = up && s.State == "up"
	}
	h.last.Store(&all)
	return all, up
}

// glancePatience is how long a page waits to know what works.
const glancePatience = 500 * time.Millisecond

// glance returns the states without making a page wait for a part that hangs:
// then it is what was known before.
func (h *health) glance() []State {
	fresh := make(chan []State, 1)
	go func() {
		all, _ := h.states(context.Background())
		fresh <- all
	}()
	select {
	case all := <-fresh:
		return all
	case <-time.After(glancePatience):
	}
	if last := h.last.Load(); last != nil {
		return *last
	}
	return nil
}

func (c *cachedCheck) state(ctx context.Context, now func() time.Time, log *slog.Logger) State {
	if running := c.refresh(ctx, now, log); running != nil {
		select {
		case <-running:
		case <-time.After(checkTime + time.Second):
			return State{Name: c.Name, State: "down", Detail: c.Down}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	state := State{Name: c.Name, State: "up", Detail: "It answers."}
	if c.err != nil || c.resting() {
		state = State{Name: c.Name, State: "down", Detail: c.Down}
	}
	if c.Tell != nil {
		state.Detail = cmp.Or(c.Tell(c.err), state.Detail)
	}
	if c.Breaker != nil {
		state.Breaker = c.Breaker()
	}
	return state
}

// resting: uploads have found out that it does not work, whatever the last
// question said.
func (c *cachedCheck) resting() bool { return c.Breaker != nil && c.Breaker() != "closed" }

// refresh asks, unless the last answer still counts or somebody asks already.
// It returns what to wait for, if anything.
func (c *cachedCheck) refresh(ctx context.Context, now func() time.Time, log *slog.Logger) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.Fresh
	if c.err != nil || c.resting() {
		fresh /= 12
	}
	if c.running != nil || !c.asked.IsZero() && now().Sub(c.asked) < fresh {
		return c.running
	}
	running := make(chan struct{})
	c.running = running
	go func() {
		defer close(running)
		// Not the caller's patience: the next one reads this answer too.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTime)
		defer cancel()
		c.answered(ctx, c.Ask(ctx), now(), log)
	}()
	return running
}

// answered logs a change, not each answer: somebody may ask every second.
func (c *cachedCheck) answered(ctx context.Context, err error, now time.Time, log *slog.Logger) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.err == nil {
		log.WarnContext(ctx, "dependency is down", "name", c.Name, "err", err)
	} else if err == nil && c.err != nil {
		log.InfoContext(ctx, "dependency is up again", "name", c.Name)
	}
	c.err, c.asked, c.running = err, now, nil
}

// healthz says that the process runs, and nothing else.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	s.writeJSON(w, r, http.StatusOK, "application/json", map[string]string{"status": "ok"})
	return nil
}

// readiness is the body of /readyz.
type readiness struct {
	Status       string  `json:"status"` // ready or not ready
	Dependencies []State `json:"dependencies"`
}

// readyz answers 503 while any dependency is down, since each is needed for
// the whole service.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	states, up := s.health.states(r.Context())
	if !up {
		w.Header().Set("Retry-After", "5")
		s.writeJSON(w, r, http.StatusServiceUnavailable, "application/json", readiness{"not ready", states})
		return nil
	}
	s.writeJSON(w, r, http.StatusOK, "application/json", readiness{"ready", states})
	return nil
}

// endpointCheck asks the model about a sample: an instance may call the
// endpoint, but not describe it. Each question is a paid call, hence the minute.
func (s *Server) endpointCheck() Check {
	return Check{
		Name:    "endpoint",
		Fresh:   time.Minute,
		Breaker: s.EndpointBreaker,
		Down:    "The model does not answer: it is switched off, starting or busy. Pictures are refused until it does.",
		Ask: func(ctx context.Context) error {
			reply, err := s.Endpoint.Invoke(ctx, s.assets.probe)
			if errors.Is(err, car.ErrEndpointBusy) {
				return nil // it works, and has more to do than it can
			}
			if err != nil {
				return err
			}
			s.health.heard(reply.Notice)
			return nil
		},
	}
}
