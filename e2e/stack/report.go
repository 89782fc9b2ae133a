package stack

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Report is the table of what a run did, how long it took and how much memory it held. A phase is named "test: phase":
// tests run beside each other, and the table keeps what belongs together.
type Report struct {
	mutex sync.Mutex
	rows  []row
	begun time.Time // of the first phase
}

type row struct {
	phase  string
	took   time.Duration
	peak   int64 // bytes, all processes of the phase together; 0 where it is not known
	detail string
}

func (r row) test() string {
	test, _, several := strings.Cut(r.phase, ": ")
	if !several {
		return "" // what comes before all tests
	}
	return test
}

// Add appends a phase.
func (r *Report) Add(phase string, took time.Duration, peak int64, detail string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(r.rows) == 0 {
		r.begun = time.Now().Add(-took)
	}
	r.rows = append(r.rows, row{phase, took, peak, detail})
}

// String is the table.
func (r *Report) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var text strings.Builder
	fmt.Fprintf(&text, "%-56s %9s %10s  %s\n", "phase", "seconds", "peak MiB", "result")
	rows := slices.Clone(r.rows)
	slices.SortStableFunc(rows, func(a, b row) int { return strings.Compare(a.test(), b.test()) })
	var total time.Duration
	for _, row := range rows {
		peak := "-"
		if row.peak > 0 {
			peak = fmt.Sprint(row.peak >> 20)
		}
		fmt.Fprintf(&text, "%-56s %9.1f %10s  %s\n", row.phase, row.took.Seconds(), peak, row.detail)
		total += row.took
	}
	fmt.Fprintf(&text, "%-56s %9.1f\n", "all phases added up", total.Seconds())
	fmt.Fprintf(&text, "%-56s %9.1f\n", "from the first to now, tests beside each other", time.Since(r.begun).Seconds())
	return text.String()
}
