package car

import (
	"errors"
	"time"
)

// ErrBadCursor: Filter.Cursor did not come from a Page.
var ErrBadCursor = errors.New("bad cursor")

// Filter selects predictions for the history. The zero value selects all.
type Filter struct {
	Label    string    // exact model label; empty for all
	Since    time.Time // uploaded at or after; zero for no bound
	Until    time.Time // uploaded before; zero for no bound
	MinScore float64   // 0 to 1
	Visitor  string    // uploads of this visitor only; empty for everybody's
	Limit    int       // rows per page, 1 to 200
	Cursor   string    // Page.Next of the page before; empty for the first
}

// Page is one page of the history, newest upload first.
type Page struct {
	Predictions []Prediction
	Next        string // cursor of the next page; empty on the last
}
