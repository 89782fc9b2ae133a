//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Step is a point on an upload's way at which a fault can hit it.
type Step int

// The steps, in the order in which an upload meets them.
const (
	BeforeSpool Step = iota // the picture is being sent
	Spool                   // it is being made durable
	Endpoint                // the model was asked
	S3Before                // the put has arrived and is not executed
	S3After                 // it is executed and not answered
	SQLBefore               // the insert has arrived and is not executed
	SQLAfter                // it is executed and not answered
	Answer                  // the answer is on its way
	steps
)

var stepNames = [steps]string{"sending", "spool", "endpoint", "S3 before", "S3 after", "MySQL before", "MySQL after", "answer"}

func (s Step) String() string { return stepNames[s] }

// Kind is what goes wrong.
type Kind string

// The kinds of faults.
const (
	ClientGone       Kind = "client hangs up"
	InstanceKilled   Kind = "instance killed -9"
	InstanceStalled  Kind = "instance stalls"
	FolderHangs      Kind = "shared folder hangs"
	DiskFull         Kind = "disk full"
	EndpointThrottle Kind = "endpoint throttles"
	EndpointTimeout  Kind = "endpoint times out"
	EndpointSlow     Kind = "endpoint slow"
	EndpointRubbish  Kind = "endpoint rubbish"
	EndpointFails    Kind = "endpoint 5xx"
	EndpointCut      Kind = "endpoint cut"
	S3Fails          Kind = "S3 500"
	S3Busy           Kind = "S3 503"
	S3Slow           Kind = "S3 slow"
	S3Cut            Kind = "S3 cut"
	SQLCut           Kind = "MySQL cut"
	SQLKilled        Kind = "MySQL killed -9"
)

// plan is one line of the catalogue: a kind, where it can hit, how often it
// does at each step in a thousand pictures (once at least), how many tries of
// the same picture it hits, and how long it lasts.
type plan struct {
	kind       Kind
	steps      []Step
	each       int
	tries      int // 1 to this
	least, top time.Duration
}

// Retries of the SDKs end after three tries, so a fault that hits up to five
// outlasts them about half of the time.
var catalogue = []plan{
	{ClientGone, []Step{BeforeSpool, Endpoint, S3Before, SQLBefore, Answer}, 5, 1, 0, 0},
	{InstanceKilled, []Step{BeforeSpool, Spool, Endpoint, S3Before, S3After, SQLBefore, SQLAfter, Answer}, 1, 1, 100 * time.Millisecond, 2 * time.Second},
	{InstanceStalled, []Step{Endpoint, S3Before, SQLBefore}, 1, 1, 500 * time.Millisecond, 3 * time.Second},
	{FolderHangs, []Step{Spool}, 2, 1, 200 * time.Millisecond, 1500 * time.Millisecond},
	{DiskFull, []Step{Spool}, 2, 1, 300 * time.Millisecond, 2 * time.Second},
	{EndpointThrottle, []Step{Endpoint}, 6, 5, 0, 0},
	{EndpointTimeout, []Step{Endpoint}, 30, 1, 0, 0},
	{EndpointSlow, []Step{Endpoint}, 6, 1, 500 * time.Millisecond, 3 * time.Second},
	{EndpointRubbish, []Step{Endpoint}, 6, 1, 0, 0},
	{EndpointFails, []Step{Endpoint}, 6, 5, 0, 0},
	{EndpointCut, []Step{Endpoint}, 6, 5, 0, 0},
	{S3Fails, []Step{S3Before, S3After}, 6, 5, 0, 0},
	{S3Busy, []Step{S3Before}, 6, 5, 0, 0},
	{S3Slow, []Step{S3Before, S3After}, 3, 1, 500 * time.Millisecond, 4 * time.Second},
	{S3Cut, []Step{S3Before, S3After}, 6, 5, 0, 0},
	{SQLCut, []Step{SQLBefore, SQLAfter}, 8, 3, 0, 0},
	{SQLKilled, []Step{SQLBefore, SQLAfter}, 2, 1, 100 * time.Millisecond, 2 * time.Second},
}

// fault is one planned fault. It waits until so many pictures are on their way
// and then hits the next one that comes to its step, and that one's next tries.
type fault struct {
	Kind    Kind
	Step    Step
	From    int           // pictures begun
	Tries   int           // tries of the same picture it hits
	Last    time.Duration // how long the outage or slowness lasts
	Variant int           // 0 to 999, picks among forms of the fault
	picture int           // whom it hits; -1 for nobody yet
}

// schedule hands out the faults of one run.
type schedule struct {
	mu      sync.Mutex
	waiting [steps][]*fault
	begun   int
	over    bool
	hits    map[Kind]*[steps]int
}

// longStall is more than the 30 seconds after which the instances take a silent
// one for dead. A run of longRun pictures or more has one at each step that an
// instance can stall at.
const (
	longStall = 33 * time.Second
	longRun   = 1000
)

// newSchedule draws the faults for a run of so many pictures. The same seed
// draws the same faults.
func newSchedule(random *rand.Rand, pictures int) *schedule {
	s := &schedule{hits: map[Kind]*[steps]int{}}
	for _, p := range catalogue {
		s.hits[p.kind] = new([steps]int)
		for _, step := range p.steps {
			for i := range max(1, p.each*pictures/1000) {
				f := p.draw(random, step, pictures)
				if p.kind == InstanceStalled && i == 0 && pictures >= longRun {
					f.Last = longStall
				}
				s.waiting[step] = append(s.waiting[step], f)
			}
		}
	}
	for _, list := range s.waiting {
		slices.SortStableFunc(list, func(a, b *fault) int { return a.From - b.From })
	}
	return s
}

func (p plan) draw(random *rand.Rand, step Step, pictures int) *fault {
	return &fault{
		Kind: p.kind, Step: step, picture: -1,
		// Not at the very end, where too few pictures are left to hit.
		From:    random.IntN(max(1, pictures*4/5)),
		Tries:   1 + random.IntN(p.tries),
		Last:    p.least + time.Duration(random.Int64N(int64(p.top-p.least)+1)),
		Variant: random.IntN(1000),
	}
}

// begin says that one more picture is on its way.
func (s *schedule) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
}

// take returns the fault that hits a picture at a step, if any.
func (s *schedule) take(step Step, picture int) (fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return fault{}, false
	}
	list := s.waiting[step]
	i := slices.IndexFunc(list, func(f *fault) bool { return f.picture == picture })
	if i < 0 {
		i = slices.IndexFunc(list, func(f *fault) bool { return f.picture < 0 && f.From < s.begun })
	}
	if i < 0 {
		return fault{}, false
	}
	f := list[i]
	f.picture = picture
	if f.Tries--; f.Tries == 0 {
		s.waiting[step] = slices.Delete(list, i, i+1)
	}
	return *f, true
}

// back returns a fault that found nothing to hit: what it was to break was
// broken already.
func (s *schedule) back(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.picture, f.Tries = -1, 1
	s.waiting[f.Step] = append(s.waiting[f.Step], &f)
}

// missing lists what was not injected yet.
func (s *schedule) missing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, p := range catalogue {
		for _, step := range p.steps {
			if s.hits[p.kind][step] == 0 {
				list = append(list, fmt.Sprintf("%q at the step %q", p.kind, step))
			}
		}
	}
	return list
}

// hit counts a fault that was injected.
func (s *schedule) hit(kind Kind, step Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits[kind][step]++
}

// count tells how often a fault was injected so far.
func (s *schedule) count(kind Kind, step Step) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[kind][step]
}

// end lets everything pass from here on.
func (s *schedule) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}
