package predictions

import (
	"context"
	"fmt"
)

// Rebuild makes the tables where they are missing, also where only the table of
// predictions was dropped and the version table says that all is done. Rows that
// are there stay.
func (s *Store) Rebuild(ctx context.Context) error {
	there, err := s.hasTable(ctx)
	if err != nil {
		return err
	}
	if !there {
		// Each migration may run again: its own rule.
		if _, err := s.db.ExecContext(ctx, "DROP TABLE IF EXISTS goose_db_version"); err != nil {
			return fmt.Errorf("rebuild tables: %w", err)
		}
	}
	return s.Migrate(ctx)
}

// Has tells whether there is a row for an upload. Without a table there is
// none.
func (s *Store) Has(ctx context.Context, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	n := 0
	err := s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM predictions WHERE upload_id = ?", id).Scan(&n)
	if is(err, errNoSuchTable) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for prediction %q: %w", id, err)
	}
	return n > 0, nil
}

func (s *Store) hasTable(ctx context.Context) (bool, error) {
	n := 0
	const query = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'predictions'"
	if err := s.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return false, fmt.Errorf("look for the table of predictions: %w", err)
	}
	return n > 0, nil
}
