package predictions

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to date. Instances that start together take
// turns, so each statement runs once. It waits for its turn until ctx ends.
//
// The lock is taken here and not by goose: goose looks at its version table
// before it locks, and MySQL shows that table a moment before its first row.
func (s *Store) Migrate(ctx context.Context) (err error) {
	provider, err := s.migrations(goMigrations()...)
	if err != nil {
		return err
	}
	// The lock belongs to this one connection: when it breaks, the server
	// frees the lock.
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := lock(ctx, conn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock(context.WithoutCancel(ctx), conn)) }()
	if err := mendVersions(ctx, conn); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// migrations are those in files and those in Go, in goose's order.
func (s *Store) migrations(inGo ...*goose.Migration) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectMySQL, s.db, files, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(inGo...))
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return provider, nil
}

const (
	lockName = "CONCAT('migrate ', LEFT(SHA2(DATABASE(), 256), 40))" // at most 64 characters

	errNoSuchTable = 1146
)

// lock waits in short steps, so that the end of ctx is seen.
func lock(ctx context.Context, conn *sql.Conn) error {
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

func unlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "DO RELEASE_LOCK("+lockName+")"); err != nil {
		return fmt.Errorf("free the migration lock: %w", err)
	}
	return nil
}

// mendVersions writes goose's first row where a crash came between it and its
// table; goose refuses such a table for ever.
func mendVersions(ctx context.Context, conn *sql.Conn) error {
	const first = "INSERT INTO goose_db_version (version_id, is_applied) SELECT 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM goose_db_version)"
	_, err := conn.ExecContext(ctx, first)
	if fault := (*mysql.MySQLError)(nil); errors.As(err, &fault) && fault.Number == errNoSuchTable {
		return nil // nothing was migrated yet
	}
	if err != nil {
		return fmt.Errorf("mend the table of migrations: %w", err)
	}
	return nil
}
