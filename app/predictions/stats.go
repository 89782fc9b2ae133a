package predictions

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"vinfast-classifier/app/car"
)

// The statistics read the index predictions_stats only; what they cost grows
// with the rows of the span, their answers do not.
const (
	statsWhere  = " FROM predictions WHERE upload_time >= ? AND upload_time < ?"
	countLabels = "SELECT prediction, COUNT(*), COUNT(feedback), COUNT(CASE WHEN feedback = prediction THEN 1 END)" + statsWhere +
		" GROUP BY prediction ORDER BY COUNT(*) DESC, prediction LIMIT ?"
	countDays   = "SELECT DATE(upload_time), COUNT(*)" + statsWhere + " GROUP BY DATE(upload_time) ORDER BY DATE(upload_time)"
	countScores = "SELECT LEAST(GREATEST(FLOOR(score * 10 + 1e-9), 0), 9), COUNT(*)" + statsWhere + " GROUP BY 1"
)

// Stats counts the uploads of a span, all of one moment. Its errors are those of
// List.
func (s *Store) Stats(ctx context.Context, span car.Span) (car.Stats, error) {
	if !storable(span.Since) || !storable(span.Until) {
		return car.Stats{}, fmt.Errorf("statistics from %v to %v: %w", span.Since, span.Until, ErrUnfit)
	}
	ctx, done, err := s.reading(ctx)
	if err != nil {
		return car.Stats{}, fmt.Errorf("statistics: %w", err)
	}
	defer done()
	var stats car.Stats
	tx, err := s.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err == nil {
		err = errors.Join(readStats(ctx, tx, span, &stats), tx.Rollback())
	}
	if err != nil {
		return car.Stats{}, fmt.Errorf("statistics from %v to %v: %w", span.Since, span.Until, told(err))
	}
	return stats, nil
}

func readStats(ctx context.Context, tx *sql.Tx, span car.Span, stats *car.Stats) error {
	since, until := span.Since.UTC(), span.Until.UTC()
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var c car.LabelCount
		err := rows.Scan(&c.Label, &c.Count, &c.Judged, &c.Agreed)
		stats.Labels = append(stats.Labels, c)
		return err
	}, countLabels, since, until, car.StatsLabels)
	if err != nil {
		return err
	}
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var c car.DayCount
		err := rows.Scan(&c.Day, &c.Count)
		stats.Days = append(stats.Days, c)
		stats.Total += c.Count
		return err
	}, countDays, since, until)
	if err != nil {
		return err
	}
	return each(ctx, tx, func(rows *sql.Rows) error {
		var tenth float64
		count := 0
		err := rows.Scan(&tenth, &count)
		stats.Confidence[int(tenth)] += count
		return err
	}, countScores, since, until)
}

func each(ctx context.Context, tx *sql.Tx, take func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
