package web

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vinfast-classifier/app/car"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// exportPatience is how often an export asks for a page while too many read; each
// time it waits for its turn.
const exportPatience = 10

// nobody is a visitor who has sent nothing.
const nobody = "-"

// filterOf reads the query. own says whose uploads are meant where the query
// does not. All faults are told together.
func filterOf(r *http.Request, limit int, own bool) (car.Filter, error) {
	f := car.Filter{Limit: limit}
	query, err := queryOf(r)
	if err != nil {
		return f, err
	}
	var faults []string
	set := func(name string, parse func(string) error) {
		values := query[name]
		if len(values) > 1 {
			faults = append(faults, name+": give it once")
		} else if len(values) == 1 && values[0] != "" {
			if err := parse(values[0]); err != nil {
				faults = append(faults, fmt.Sprintf("%s: %v", name, err))
			}
		}
	}
	set("label", func(v string) error { return text(v, 100, &f.Label) })
	set("cursor", func(v string) error { return text(v, 200, &f.Cursor) })
	set("since", func(v string) error { return moment(v, 0, &f.Since) })
	set("until", func(v string) error { return moment(v, 1, &f.Until) })
	set("minScore", func(v string) error { return fraction(v, &f.MinScore) })
	set("mine", func(v string) error { return yesNo(v, &own) })
	set("limit", func(v string) error { return count(v, &f.Limit) })
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		faults = append(faults, "since: it must be before until")
	}
	known := []string{"label", "cursor", "since", "until", "minScore", "limit", "mine"}
	for name := range query {
		if !slices.Contains(known, name) {
			faults = append(faults, fmt.Sprintf("%q: no such parameter; there are %s", clip(name), strings.Join(known, ", ")))
		}
	}
	if own {
		f.Visitor = cmp.Or(about(r.Context()).visitor, nobody)
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		say := strings.Join(faults, "; ")
		return f, badRequest("bad-parameters", "Bad parameters", say+".", nil).with("said.bad-filter", say)
	}
	return f, nil
}

// queryOf reads the query. What url.Values would leave out in silence is told:
// a filter that does not count shows what was not asked for.
func queryOf(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("bad-parameters", "Bad parameters",
			"The query cannot be read: a percent sign is written %25, a semicolon %3B.", err).with("said.bad-query")
	}
	return query, nil
}

func text(v string, most int, to *string) error {
	if len(v) > most {
		return fmt.Errorf("at most %d bytes", most)
	}
	if !utf8.ValidString(v) {
		return errors.New("not UTF-8")
	}
	*to = v
	return nil
}

// moment takes RFC 3339 or a date. A date means that midnight in UTC, moved on
// by days: "until" a date includes that day.
func moment(v string, days int, to *time.Time) error {
	t, err := time.Parse(time.RFC3339, plusSign(v))
	if err != nil {
		if t, err = time.Parse(time.DateOnly, v); err != nil {
			return fmt.Errorf("%q is neither a date (2026-01-31) nor a time (2026-01-31T10:00:00Z)", clip(v))
		}
		t = t.AddDate(0, 0, days)
	}
	return inRange(t.UTC(), to)
}

// plusSign gives a time zone back its plus sign, which means a blank in a query
// unless it is written %2B.
func plusSign(v string) string {
	if i := len(v) - len(" 07:00"); i > 0 && v[i] == ' ' {
		return v[:i] + "+" + v[i+1:]
	}
	return v
}

// firstYear and lastYear are what DATETIME holds, with a day to spare for
// "until" and every time zone.
const (
	firstYear = 1000
	lastYear  = 9998
)

func inRange(t time.Time, to *time.Time) error {
	if y := t.Year(); y < firstYear || y > lastYear {
		return fmt.Errorf("give a day from %d-01-01 to %d-12-30, or leave it out", firstYear, lastYear)
	}
	*to = t
	return nil
}

func yesNo(v string, to *bool) error {
	if v != "true" && v != "false" {
		return fmt.Errorf("%q is neither true nor false", clip(v))
	}
	*to = v == "true"
	return nil
}

func fraction(v string, to *float64) error {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= 0 && n <= 1) {
		return fmt.Errorf("%q is not a number from 0 to 1", clip(v))
	}
	*to = n
	return nil
}

func count(v string, to *int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxLimit {
		return fmt.Errorf("%q is not a whole number from 1 to %d", clip(v), maxLimit)
	}
	*to = n
	return nil
}

// historyFault makes a failing database an answer of its own.
func historyFault(err error) error {
	for _, known := range []error{nil, car.ErrNotFound, car.ErrBadCursor, car.ErrBusy, car.ErrTooSlow, car.ErrUnfit} {
		if errors.Is(err, known) {
			return err
		}
	}
	return &fault{status: http.StatusServiceUnavailable, slug: "history-unavailable", title: "The history is not available",
		detail: "The database does not answer. Pictures are still taken and kept; look again in a minute.", retry: 30, cause: err}
}

type predictionList struct {
	Predictions []*prediction `json:"predictions"`
	Next        *string       `json:"next"` // null on the last page
}

func (s *Server) listPredictions(w http.ResponseWriter, r *http.Request) error {
	if prefersCSV(r) {
		return s.listCSV(w, r)
	}
	f, err := filterOf(r, defaultLimit, false)
	if err != nil {
		return err
	}
	page, err := s.History.List(r.Context(), f)
	if err != nil {
		return historyFault(err)
	}
	list := predictionList{Predictions: make([]*prediction, 0, len(page.Predictions))}
	for _, p := range page.Predictions {
		p.Stored = true
		list.Predictions = append(list.Predictions, jsonOf(r, p))
	}
	if page.Next != "" {
		list.Next = &page.Next
	}
	w.Header().Set("Vary", "Accept")
	s.writeJSON(w, r, http.StatusOK, "application/json", list)
	return nil
}

// prefersCSV is true for a client that names text/csv and wants JSON less, or as
// much and names it later.
func prefersCSV(r *http.Request) bool {
	csv, json := 0.0, 0.0
	for _, entry := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		mediaType, parameters, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		weight, err := strconv.ParseFloat(cmp.Or(parameters["q"], "1"), 64)
		switch {
		case err != nil:
		case mediaType == "text/csv" && weight > json:
			csv = weight
		case mediaType == "application/json" && weight > csv:
			json = weight
		}
	}
	return csv > json
}

func (s *Server) getPrediction(w http.ResponseWriter, r *http.Request) error {
	p, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.writeJSON(w, r, http.StatusOK, "application/json", jsonOf(r, p))
	return nil
}

// find looks in the database, then in the spool: an upload may wait there, and
// the database may be down.
func (s *Server) find(ctx context.Context, id string) (car.Prediction, error) {
	if !goodID(id) {
		return car.Prediction{}, fmt.Errorf("%w: %q is no id", car.ErrNotFound, clip(id))
	}
	id = strings.ToLower(id)
	p, err := s.History.ByID(ctx, id)
	if err == nil {
		p.Stored = true
		return p, nil
	}
	if errors.Is(err, car.ErrDeleted) {
		return p, fmt.Errorf("%w: deleted by its sender", car.ErrNotFound)
	}
	waiting, body, findErr := s.Spool.Find(id)
	if findErr == nil {
		return waiting, body.Close()
	}
	if !errors.Is(findErr, car.ErrNotFound) {
		return p, errors.Join(historyFault(err), findErr)
	}
	return p, historyFault(err)
}

const byteOrderMark = "\ufeff"

// csvHeader names the columns.
var csvHeader = []string{"id", "label", "score", "uploadedAt", "imageUrl", "contentType", "width", "height", "bytes", "sha256", "feedback"}

// listCSV streams every row the query selects, or as many as its limit says.
func (s *Server) listCSV(w http.ResponseWriter, r *http.Request) error {
	f, err := filterOf(r, maxLimit, false)
	if err != nil {
		return err
	}
	limited := r.URL.Query().Get("limit") != ""
	page, err := s.History.List(r.Context(), f)
	if err != nil {
		return historyFault(err)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="predictions.csv"`)
	w.Header().Set("Vary", "Accept")
	out := csv.NewWriter(w)
	deadline := http.NewResponseController(w)
	rows := [][]string{csvHeader}
	if strings.HasSuffix(r.URL.Path, ".csv") {
		// Spreadsheets take a file without it for one in the computer's old alphabet.
		if _, err := io.WriteString(w, byteOrderMark); err != nil {
			s.cutOff(r, err)
		}
	}
	for {
		for _, p := range page.Predictions {
			rows = append(rows, csvRow(p))
		}
		if err := errors.Join(deadline.SetWriteDeadline(time.Now().Add(time.Minute)), out.WriteAll(rows)); err != nil {
			s.cutOff(r, err)
		}
		if page.Next == "" || limited {
			return nil
		}
		f.Cursor, rows = page.Next, nil
		if page, err = s.nextPage(r.Context(), f); err != nil {
			s.cutOff(r, err)
		}
	}
}

// nextPage has more patience than a first page: what was sent would be lost.
func (s *Server) nextPage(ctx context.Context, f car.Filter) (page car.Page, err error) {
	for range exportPatience {
		if page, err = s.History.List(ctx, f); !errors.Is(err, car.ErrBusy) {
			break
		}
	}
	return page, err
}

// cutOff ends an answer that has begun so that nobody takes it for whole.
func (s *Server) cutOff(r *http.Request, err error) {
	s.Log.ErrorContext(r.Context(), "answer cut off", "err", err)
	panic(http.ErrAbortHandler)
}

func csvRow(p car.Prediction) []string {
	return []string{
		p.ID, harmless(p.Label), strconv.FormatFloat(p.Score, 'f', -1, 64), p.UploadedAt.UTC().Format(time.RFC3339Nano),
		imageURL(p.ID), harmless(p.ContentType), strconv.Itoa(p.Width), strconv.Itoa(p.Height), strconv.FormatInt(p.Size, 10), p.SHA256, harmless(p.Feedback),
	}
}

// harmless keeps a spreadsheet from running a cell as a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
