package predictions

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/pressly/goose/v3"
)

// NewestWith is the newest migration if inGo came to those in files.
func NewestWith(connector driver.Connector, inGo *goose.Migration) (version int64, err error) {
	s := Open(connector, "")
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.newest(inGo)
}

// ReadSlowly is a read whose statement would take days.
func (s *Store) ReadSlowly(ctx context.Context) error {
	ctx, done, err := s.reading(ctx)
	if err != nil {
		return err
	}
	defer done()
	rows, err := s.reads.QueryContext(ctx, "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) "+
		"SELECT COUNT(*) FROM n AS a, n AS b, n AS c, n AS d WHERE a.i + b.i + c.i + d.i = 7")
	if err != nil {
		return told(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	return told(rows.Err())
}

// HoldReads takes all turns of reads until it is called.
func (s *Store) HoldReads() (release func()) {
	for range readConnections {
		s.turns <- struct{}{}
	}
	return func() {
		for range readConnections {
			<-s.turns
		}
	}
}
