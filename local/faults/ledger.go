//go:build linux

package faults

import (
	"fmt"
	"sync"
	"time"
)

// ack is a 201 for one picture.
type ack struct {
	ID         string
	Label      string
	Score      float64
	Scores     []score
	ImageURL   string
	UploadedAt time.Time
	Stored     string
	Notice     string
}

type score struct {
	Label string
	Score float64
}

// outcome is all that a client knows about one picture.
type outcome struct {
	picture
	key      string // Idempotency-Key; empty for none
	began    time.Time
	acks     []ack
	refused  int  // definite answers that it is not kept
	cut      int  // no answer
	inFlight int  // 409: another try is being worked on
	kept     bool // as found in the end
}

// state is what must be true of a picture in the end.
type state string

const (
	acknowledged state = "acknowledged" // exactly one object and one row
	refused      state = "refused"      // none of either
	unknown      state = "unknown"      // both or none
)

func (o *outcome) state() state {
	switch {
	case len(o.acks) > 0:
		return acknowledged
	case o.cut > 0 || o.inFlight > 0:
		return unknown
	default:
		return refused
	}
}

// ledger is what all clients know. What is wrong already, they note here.
type ledger struct {
	mu       sync.Mutex
	outcomes []*outcome // by number
	statuses map[int]int
	wrong    []string
}

func (l *ledger) complain(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// acknowledge notes a 201, and holds it against the picture.
func (l *ledger) acknowledge(o *outcome, a ack) {
	want := scores(o.number)
	switch {
	case o.bad:
		l.complain("picture %d: cut short, and taken: %+v", o.number, a)
	case a.ID == "" || a.ImageURL != "/images/"+a.ID || a.Stored != "yes" && a.Stored != "pending" || a.Notice != notice:
		l.complain("picture %d: malformed answer %+v", o.number, a)
	case a.Label != want[0].Label || a.Score != want[0].Score || len(a.Scores) != len(want):
		l.complain("picture %d: answered %s %v, the model said %s %v", o.number, a.Label, a.Score, want[0].Label, want[0].Score)
	}
	l.mu.Lock()
	first := a
	if len(o.acks) > 0 {
		first = o.acks[0]
	}
	o.acks = append(o.acks, a)
	l.statuses[201]++
	l.mu.Unlock()
	if first.ID != a.ID {
		l.complain("picture %d: the retry got id %s, the first try %s", o.number, a.ID, first.ID)
	}
}

// refuse notes any other answer.
func (l *ledger) refuse(o *outcome, status int, slug string) {
	l.mu.Lock()
	l.statuses[status]++
	if status == 409 {
		o.inFlight++
	} else {
		o.refused++
	}
	l.mu.Unlock()
	if status < 500 && status != 409 && !o.bad {
		l.complain("picture %d: a good picture was refused with %d %s", o.number, status, slug)
	}
}

func (l *ledger) lose(o *outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.cut++
}

// settled tells whether nothing is to be gained by another try. A picture that
// was cut short is tried as long as others are.
func (l *ledger) settled(outcomes []*outcome) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range outcomes {
		if len(o.acks) == 0 {
			return false
		}
	}
	return true
}
