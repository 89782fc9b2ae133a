package car

import "time"

// Span is a range of upload times.
type Span struct {
	Since time.Time // at or after
	Until time.Time // before
}

// Stats are counts over the uploads of a Span.
type Stats struct {
	Total  int
	Labels []LabelCount // most first, at most StatsLabels
	Days   []DayCount   // days (UTC) with uploads, first to last
	// Confidence counts scores by tenths: the first of 0 up to 0.1, the last of
	// 0.9 up to and with 1.
	Confidence [10]int
}

// StatsLabels is the most labels that Stats names.
const StatsLabels = 50

// LabelCount is about the uploads with one label.
type LabelCount struct {
	Label  string
	Count  int
	Judged int // whose senders said what is right
	Agreed int // of those, the label
}

// DayCount is the uploads of one day.
type DayCount struct {
	Day   time.Time // midnight UTC
	Count int
}
