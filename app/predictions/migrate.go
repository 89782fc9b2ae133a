package predictions

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to date. Instances that start together take
// turns, so each statement runs once. It waits for its turn until ctx ends.
func (s *Store) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectMySQL, s.db, files,
		goose.WithSessionLocker(turn{}), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// turn is a lock of the server under a name for this schema. It belongs to the
// one connection that migrates, so the server frees it when that breaks.
type turn struct{}

const lockName = "CONCAT('migrate ', SHA1(DATABASE()))" // at most 64 characters

// SessionLock waits in short steps, so that the end of ctx is seen.
func (turn) SessionLock(ctx context.Context, conn *sql.Conn) error {
	for {
		var got sql.NullBool
		if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+lockName+", 5)").Scan(&got); err != nil {
			return fmt.Errorf("wait for the migration lock: %w", err)
		}
		if got.Bool {
			return nil
		}
		if !got.Valid {
			return errors.New("wait for the migration lock: the server failed to give it")
		}
	}
}

func (turn) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "DO RELEASE_LOCK("+lockName+")"); err != nil {
		return fmt.Errorf("free the migration lock: %w", err)
	}
	return nil
}
