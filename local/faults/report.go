//go:build linux

package faults

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func (s *system) report(sending, draining time.Duration) Report {
	l := s.ledger
	r := Report{Options: s.options, Statuses: l.statuses, Pictures: len(l.outcomes), Hits: s.plan.hits, Sending: sending, Draining: draining}
	for _, o := range l.outcomes {
		switch o.state() {
		case acknowledged:
			r.Acknowledged++
		case refused:
			r.Refused++
		case unknown:
			if o.kept {
				r.UnknownKept++
			} else {
				r.UnknownLost++
			}
		}
	}
	for _, what := range s.plan.missing() {
		l.complain("no fault %s was injected", what)
	}
	r.Wrong = l.wrong
	return r
}

// Faults is how many faults of all kinds were injected.
func (r Report) Faults() int {
	sum := 0
	for _, hits := range r.Hits {
		for _, n := range hits {
			sum += n
		}
	}
	return sum
}

// most is how many findings are printed.
const most = 20

// Print writes the report for people: the faults by kind and step, what the
// clients were told, and what is wrong.
func (r Report) Print(out io.Writer) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "faults injected\t", strings.Join(stepNames[:], "\t"), "\tall\t\n")
	for _, p := range catalogue {
		sum := 0
		fmt.Fprint(table, p.kind, "\t")
		for step, n := range r.Hits[p.kind] {
			if slices.Contains(p.steps, Step(step)) {
				fmt.Fprint(table, n)
			}
			fmt.Fprint(table, "\t")
			sum += n
		}
		fmt.Fprint(table, sum, "\t\n")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\nseed %d: %d pictures from %d clients, %d faults; sent in %.0f s, the spool empty %.0f s later\n",
		r.Seed, r.Pictures, r.Clients, r.Faults(), r.Sending.Seconds(), r.Draining.Seconds())
	fmt.Fprintf(&b, "%d acknowledged, %d refused, %d without an answer (%d of them kept, %d not)\nanswers by status:",
		r.Acknowledged, r.Refused, r.UnknownKept+r.UnknownLost, r.UnknownKept, r.UnknownLost)
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		fmt.Fprintf(&b, " %d: %d", status, r.Statuses[status])
	}
	b.WriteString("\n")
	for _, line := range r.Wrong[:min(most, len(r.Wrong))] {
		fmt.Fprintf(&b, "WRONG: %s\n", line)
	}
	if len(r.Wrong) > most {
		fmt.Fprintf(&b, "WRONG: and %d more\n", len(r.Wrong)-most)
	}
	if len(r.Wrong) == 0 {
		b.WriteString("Every acknowledged picture has exactly one object and one right row; every refused one has neither.\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}
