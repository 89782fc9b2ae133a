package predictions

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// columnsMigration adds what came with visitors. It is in Go since it may run
// again (a crash can come before goose writes its version) and MySQL has no ADD
// COLUMN IF NOT EXISTS. One ALTER TABLE is whole or not at all.
//
// The last index holds all that the statistics read, so that they touch no row.
func columnsMigration() *goose.Migration {
	return goose.NewGoMigration(2, &goose.GoFunc{RunDB: addColumns}, nil)
}

const alterTable = `ALTER TABLE predictions
ADD COLUMN visitor CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
ADD COLUMN feedback VARCHAR(255) NULL,
ADD COLUMN feedback_time DATETIME(3) NULL,
ADD KEY predictions_visitor_time (visitor, upload_time, id),
ADD KEY predictions_stats (upload_time, prediction, score, feedback)`

func addColumns(ctx context.Context, db *sql.DB) error {
	const there = "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'predictions' AND column_name = 'visitor'"
	n := 0
	if err := db.QueryRowContext(ctx, there).Scan(&n); err != nil {
		return fmt.Errorf("look for column visitor: %w", err)
	}
	if n > 0 {
		return nil
	}
	if _, err := db.ExecContext(ctx, alterTable); err != nil {
		return fmt.Errorf("add column visitor: %w", err)
	}
	return nil
}
