package predictions

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vinfast-classifier/app/car"
)

// Delete takes the row of d away, if there is one, and writes the note, in one
// transaction. A note that is there already stays.
func (s *Store) Delete(ctx context.Context, d car.Deletion) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if !uploadID.MatchString(d.ID) || !visitorID.MatchString(d.Visitor) {
		return fmt.Errorf("delete prediction %q of visitor %q: %w", d.ID, d.Visitor, ErrUnfit)
	}
	err := again(ctx, func() error { return s.delete(ctx, d) })
	if err != nil {
		return fmt.Errorf("delete prediction %q: %w", d.ID, err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, d car.Deletion) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	// The note first: Insert looks for it under a lock, in the same order.
	const note = "INSERT INTO deletions (upload_id, object_key, visitor, deleted_at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE upload_id = upload_id"
	if _, err := tx.ExecContext(ctx, note, d.ID, d.Key, d.Visitor, d.At.UTC().Truncate(time.Millisecond)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM predictions WHERE upload_id = ?", d.ID); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

const deletionColumns = "upload_id, object_key, visitor, deleted_at"

// Deletion returns the note of a deleted upload, or car.ErrNotFound.
func (s *Store) Deletion(ctx context.Context, id string) (car.Deletion, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	var d car.Deletion
	err := s.db.QueryRowContext(ctx, "SELECT "+deletionColumns+" FROM deletions WHERE upload_id = ?", id).Scan(&d.ID, &d.Key, &d.Visitor, &d.At)
	if errors.Is(err, sql.ErrNoRows) {
		err = car.ErrNotFound
	}
	if err != nil {
		return car.Deletion{}, fmt.Errorf("deletion of %q: %w", id, err)
	}
	return d, nil
}

// Unpurged returns up to limit notes whose object may still be there, oldest
// first.
func (s *Store) Unpurged(ctx context.Context, limit int) ([]car.Deletion, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := s.db.QueryContext(ctx, "SELECT "+deletionColumns+" FROM deletions WHERE purged_at IS NULL ORDER BY deleted_at LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("list deletions: %w", err)
	}
	defer rows.Close()
	var found []car.Deletion
	for rows.Next() {
		var d car.Deletion
		if err := rows.Scan(&d.ID, &d.Key, &d.Visitor, &d.At); err != nil {
			return nil, fmt.Errorf("list deletions: %w", err)
		}
		found = append(found, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list deletions: %w", err)
	}
	return found, nil
}

// Purged notes that the object of a deleted upload is gone.
func (s *Store) Purged(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	_, err := s.exec(ctx, "UPDATE deletions SET purged_at = UTC_TIMESTAMP(3) WHERE upload_id = ? AND purged_at IS NULL", id)
	if err != nil {
		return fmt.Errorf("note that %q is purged: %w", id, err)
	}
	return nil
}

// SetFeedback writes what the sender says is right; the last word counts. An
// upload without a row is car.ErrNotFound.
func (s *Store) SetFeedback(ctx context.Context, id, label string, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	_, err := s.exec(ctx, "UPDATE predictions SET feedback = ?, feedback_time = ? WHERE upload_id = ?", label, at.UTC().Truncate(time.Millisecond), id)
	if err != nil {
		return fmt.Errorf("set feedback of %q: %w", id, told(err))
	}
	// MySQL counts changed rows, and the same word twice changes none.
	_, err = s.ByID(ctx, id)
	return err
}
