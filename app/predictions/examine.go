package predictions

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
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
	if e.Newest, err = newest(); err != nil {
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

// newest is the number of the last migration.
func newest() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		return 0, errors.Join(errors.New("no migrations"), err)
	}
	number, _, _ := strings.Cut(path.Base(files[len(files)-1]), "_") // Glob sorts
	last, err := strconv.ParseInt(number, 10, 64)
	for _, m := range goMigrations() {
		last = max(last, m.Version)
	}
	return last, err
}
