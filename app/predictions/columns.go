package predictions

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// goMigrations are those that cannot be a file of SQL: each may run again (a
// crash can come before goose writes its version), and MySQL has neither ADD
// COLUMN nor ADD KEY with IF NOT EXISTS. One ALTER TABLE is whole or not at all.
func goMigrations() []*goose.Migration {
	return []*goose.Migration{
		// What came with visitors. The last index holds all that the statistics
		// read, so that they touch no row.
		alteration(2, "columns", "column_name", "visitor", `ALTER TABLE predictions
ADD COLUMN visitor CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
ADD COLUMN feedback VARCHAR(255) NULL,
ADD COLUMN feedback_time DATETIME(3) NULL,
ADD KEY predictions_visitor_time (visitor, upload_time, id),
ADD KEY predictions_stats (upload_time, prediction, score, feedback)`),
		// A list by minScore that few rows or none meet went through all of them.
		alteration(4, "statistics", "index_name", "predictions_score", `ALTER TABLE predictions
ADD KEY predictions_score (score),
ADD KEY predictions_label_score (prediction, score)`),
	}
}

// alteration runs a statement unless information_schema knows its outcome.
func alteration(version int64, table, column, name, statement string) *goose.Migration {
	up := func(ctx context.Context, db *sql.DB) error {
		there := "SELECT COUNT(*) FROM information_schema." + table +
			" WHERE table_schema = DATABASE() AND table_name = 'predictions' AND " + column + " = ?"
		n := 0
		if err := db.QueryRowContext(ctx, there, name).Scan(&n); err != nil {
			return fmt.Errorf("look for %s: %w", name, err)
		}
		if n > 0 {
			return nil
		}
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("add %s: %w", name, err)
		}
		return nil
	}
	return goose.NewGoMigration(version, &goose.GoFunc{RunDB: up}, nil)
}
