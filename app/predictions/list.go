package predictions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"vinfast-classifier/app/car"
)

// MaxPage is the largest page of List, in rows.
const MaxPage = 200

// position is where a page ends; it is the content of a cursor.
type position struct {
	Time   int64 `json:"t"` // upload_time in milliseconds since 1970
	Number int64 `json:"n"` // id
}

// List returns a page of predictions, newest upload first. A Limit outside 1
// to MaxPage is taken as MaxPage. The error is car.ErrBadCursor if f.Cursor is
// not one of ours, car.ErrUnfit if the server cannot take a value of f,
// car.ErrTooSlow if it took too long, car.ErrBusy if too many read.
func (s *Store) List(ctx context.Context, f car.Filter) (car.Page, error) {
	if f.Limit < 1 || f.Limit > MaxPage {
		f.Limit = MaxPage
	}
	where, args, err := conditions(f)
	if err != nil {
		return car.Page{}, err
	}
	ctx, done, err := s.reading(ctx)
	if err != nil {
		return car.Page{}, fmt.Errorf("list predictions: %w", err)
	}
	defer done()
	// One row more than asked for tells whether there is a next page.
	query := "SELECT " + columns + " FROM predictions" + where + " ORDER BY upload_time DESC, id DESC LIMIT ?"
	rows, err := s.query(ctx, query, append(args, f.Limit+1)...)
	if err != nil {
		return car.Page{}, fmt.Errorf("list predictions: %w", told(err))
	}
	page := car.Page{}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[f.Limit-1]
		page.Next, err = position{last.UploadedAt.UnixMilli(), last.number}.cursor()
		if err != nil {
			return car.Page{}, fmt.Errorf("list predictions: %w", err)
		}
	}
	for _, r := range rows {
		page.Predictions = append(page.Predictions, r.Prediction)
	}
	return page, nil
}

// Each goes through all predictions of the filter, newest upload first,
// whatever f.Limit; an error is the last thing it yields. It reads page by
// page, so a slow reader holds neither memory nor a connection.
func (s *Store) Each(ctx context.Context, f car.Filter) iter.Seq2[car.Prediction, error] {
	return func(yield func(car.Prediction, error) bool) {
		f.Limit = MaxPage
		for {
			page, err := s.List(ctx, f)
			if err != nil {
				yield(car.Prediction{}, err)
				return
			}
			for _, p := range page.Predictions {
				if !yield(p, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			f.Cursor = page.Next
		}
	}
}

func (s *Store) query(ctx context.Context, query string, args ...any) ([]row, error) {
	result, err := s.reads.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	var rows []row
	for result.Next() {
		r, err := scan(result)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, result.Err()
}

// conditions turns a filter into a WHERE clause and its arguments.
func conditions(f car.Filter) (string, []any, error) {
	if !storable(f.Since) || !storable(f.Until) {
		return "", nil, fmt.Errorf("from %v to %v: %w", f.Since, f.Until, ErrUnfit)
	}
	var parts []string
	var args []any
	add := func(part string, values ...any) {
		parts = append(parts, part)
		args = append(args, values...)
	}
	if f.Label != "" {
		add("prediction = ?", f.Label)
	}
	if f.Visitor != "" {
		add("visitor = ?", f.Visitor)
	}
	if !f.Since.IsZero() {
		add("upload_time >= ?", f.Since.UTC())
	}
	if !f.Until.IsZero() {
		add("upload_time < ?", f.Until.UTC())
	}
	if f.MinScore > 0 {
		add("score >= ?", f.MinScore)
	}
	if f.Cursor != "" {
		after, err := parseCursor(f.Cursor)
		if err != nil {
			return "", nil, err
		}
		// The first condition is what the index is searched by.
		t := time.UnixMilli(after.Time).UTC()
		add("upload_time <= ? AND (upload_time < ? OR id < ?)", t, t, after.Number)
	}
	if len(parts) == 0 {
		return "", nil, nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args, nil
}

func (p position) cursor() (string, error) {
	data, err := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(data), err
}

func parseCursor(cursor string) (position, error) {
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return position{}, car.ErrBadCursor
	}
	var p position
	if err := json.Unmarshal(data, &p); err != nil {
		return position{}, car.ErrBadCursor
	}
	if p.Number < 1 || !storable(time.UnixMilli(p.Time)) {
		return position{}, car.ErrBadCursor
	}
	return p, nil
}
