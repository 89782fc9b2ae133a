// Package doctor checks every path that the web app depends on, each by using
// it, and says of what fails what to look at.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Result of one check.
type Result string

// The results. Skipped is what this machine does not have, which is no fault.
const (
	OK      Result = "ok"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// Report is what "vinfast doctor --json" prints.
type Report struct {
	OK      bool      `json:"ok"` // nothing failed
	Version string    `json:"version"`
	At      time.Time `json:"at"`      // when it began, UTC
	Seconds float64   `json:"seconds"` // in all
	Checks  []Line    `json:"checks"`  // in a fixed order, every name once
}

// Line is the outcome of one check.
type Line struct {
	Name    string  `json:"name"`
	Result  Result  `json:"result"`
	Seconds float64 `json:"seconds"`
	Detail  string  `json:"detail"`           // what was seen, or the error; never a secret
	Advice  string  `json:"advice,omitempty"` // what to do, of a failed check
}

// check is one question. Its limit holds even if a file system hangs.
type check struct {
	name   string
	limit  time.Duration
	advice string // unless the error brings its own
	ask    func(context.Context) (detail string, err error)
}

// skipped is an "error" that says why a check does not apply here.
type skipped string

func (s skipped) Error() string { return string(s) }

// advised is an error that knows better what to do than its check.
type advised struct {
	error
	advice string
}

func (a advised) Unwrap() error { return a.error }

// advise adds what to do to an error.
func advise(advice string, err error) error {
	if err == nil {
		return nil
	}
	return advised{err, advice}
}

// Run asks everything at once and waits for the slowest answer.
func Run(ctx context.Context, s Settings) Report {
	began := time.Now()
	d := &doctor{Settings: s}
	checks := d.checks()
	r := Report{OK: true, Version: s.Version, At: began.UTC(), Checks: make([]Line, len(checks))}
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() { r.Checks[i] = c.line(ctx) })
	}
	all.Wait()
	for i := range r.Checks {
		r.Checks[i].Detail = d.mask(r.Checks[i].Detail)
		r.OK = r.OK && r.Checks[i].Result != Failed
	}
	r.Seconds = seconds(time.Since(began))
	return r
}

// line asks within the limit. A question that hangs is left behind.
func (c check) line(ctx context.Context) Line {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	began := time.Now()
	type answer struct {
		detail string
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		detail, err := c.ask(ctx)
		answers <- answer{detail, err}
	}()
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		// One that keeps to its context has more to say than "too late".
		select {
		case a = <-answers:
		case <-time.After(time.Second):
			a.err = fmt.Errorf("no answer within %s", c.limit)
		}
	}
	l := Line{Name: c.name, Result: OK, Seconds: seconds(time.Since(began)), Detail: a.detail}
	if a.err == nil {
		return l
	}
	l.Detail = oneLine(a.err.Error())
	if errors.As(a.err, new(skipped)) {
		l.Result = Skipped
		return l
	}
	l.Result, l.Advice = Failed, c.advice
	if better := (advised{}); errors.As(a.err, &better) {
		l.Advice = better.advice
	}
	return l
}

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// oneLine keeps a table a table.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 600 {
		text = text[:600] + " ..."
	}
	return text
}

// Fault is the report of an environment that cannot be read: nothing else can
// be asked then.
func Fault(version string, err error) Report {
	return Report{Version: version, At: time.Now().UTC(), Checks: []Line{{
		Name: "environment", Result: Failed, Detail: oneLine(err.Error()),
		Advice: "On an instance: sudo vinfast-doctor, which reads /etc/vinfast. On a laptop: make doctor. \"vinfast help\" lists the variables.",
	}}}
}
