package predictions

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"

	"github.com/pressly/goose/v3"
)

// Examination is what a look at the database found.
type Examination struct {
	Version     string // of the server
	User        string // as the server knows it
	Schema      int64  // version that is in place; 0 for none
	Newest      int64  // version that this program brings
	Rows        int64
	TLS         string            // version of the protocol; empty over a DSN
	Certificate *x509.Certificate // of the server, verified; nil over a DSN
}

// Examine logs in by verified TLS and looks around.
func (a Account) Examine(ctx context.Context) (Examination, error) {
	var mu sync.Mutex
	var last tls.ConnectionState
	a.seen = func(state tls.ConnectionState) error {
		mu.Lock()
		defer mu.Unlock()
		last = state
		return nil
	}
	e, err := examine(ctx, a.Connector())
	if err != nil {
		return Examination{}, err
	}
	mu.Lock()
	defer mu.Unlock()
	e.TLS, e.Certificate = tls.VersionName(last.Version), last.PeerCertificates[0]
	return e, nil
}

// ExamineDSN does the same over a data source name, which tells nothing of
// TLS.
func ExamineDSN(ctx context.Context, dsn string) (Examination, error) {
	connector, err := FromDSN(dsn)
	if err != nil {
		return Examination{}, err
	}
	return examine(ctx, connector)
}

func examine(ctx context.Context, connector driver.Connector) (e Examination, err error) {
	s := Open(connector, "")
	defer func() { err = errors.Join(err, s.Close()) }()
	if e.Newest, err = s.newest(goMigrations()...); err != nil {
		return e, fmt.Errorf("examine database: %w", err)
	}
	if err = s.db.QueryRowContext(ctx, "SELECT VERSION(), CURRENT_USER()").Scan(&e.Version, &e.User); err != nil {
		return e, fmt.Errorf("examine database: %w", err)
	}
	// Without tables there is nothing to count, and that is an answer too.
	err = s.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&e.Schema)
	if is(err, errNoSuchTable) {
		return e, nil
	}
	if err != nil {
		return e, fmt.Errorf("examine database: %w", err)
	}
	if err = s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM predictions").Scan(&e.Rows); err != nil && !is(err, errNoSuchTable) {
		return e, fmt.Errorf("examine database: %w", err)
	}
	return e, nil
}

// newest is the number of the last migration, in a file or in Go.
func (s *Store) newest(inGo ...*goose.Migration) (int64, error) {
	provider, err := s.migrations(inGo...)
	if err != nil {
		return 0, err
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}
