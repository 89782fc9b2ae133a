package stack

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Report is the table of what a run did, how long it took and how much memory it held.
type Report struct {
	mutex sync.Mutex
	rows  []row
}

type row struct {
	phase  string
	took   time.Duration
	peak   int64 // bytes, all processes of the phase together; 0 where it is not known
	detail string
}

// Add appends a phase.
func (r *Report) Add(phase string, took time.Duration, peak int64, detail string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.rows = append(r.rows, row{phase, took, peak, detail})
}

// String is the table.
func (r *Report) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var text strings.Builder
	fmt.Fprintf(&text, "%-44s %9s %10s  %s\n", "phase", "seconds", "peak MiB", "result")
	var total time.Duration
	for _, row := range r.rows {
		peak := "-"
		if row.peak > 0 {
			peak = fmt.Sprint(row.peak >> 20)
		}
		fmt.Fprintf(&text, "%-44s %9.1f %10s  %s\n", row.phase, row.took.Seconds(), peak, row.detail)
		total += row.took
	}
	fmt.Fprintf(&text, "%-44s %9.1f\n", "all", total.Seconds())
	return text.String()
}
