// Package predictions keeps the rows of predictions in MySQL (8.4 or newer) or
// MariaDB (10.11 or newer).
package predictions

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"

	"vinfast-classifier/app/car"
)

// Bounds of the pool and of each query. A connection is renewed often, so that
// a database that came back is found again without a restart.
const (
	maxConnections = 16
	idleTime       = 2 * time.Minute
	lifetime       = 10 * time.Minute
	queryTimeout   = 8 * time.Second
)

// Numbers of MySQL's errors.
const (
	duplicateEntry = 1062
	lockTimeout    = 1205
	deadlock       = 1213
	accessDenied   = 1045

	tooManyConnections = 1040
	shuttingDown       = 1053
)

// attempts of one statement, and the most that lies before the second; before
// the third twice as much.
const (
	attempts   = 5
	retryPause = 50 * time.Millisecond
)

// Store implements car.Predictions.
type Store struct {
	db     *sql.DB
	reads  *sql.DB       // for what goes through many rows
	turns  chan struct{} // held by each such read
	bucket string
}

// Open returns a store over connections of the given connector (FromDSN or
// Account.Connector). It makes none yet. The pictures' URLs name bucket.
func Open(connector driver.Connector, bucket string) *Store {
	return &Store{db: pool(connector, maxConnections), reads: pool(timed{connector}, readConnections),
		turns: make(chan struct{}, readConnections), bucket: bucket}
}

func pool(connector driver.Connector, connections int) *sql.DB {
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifetime)
	return db
}

// Close ends all connections.
func (s *Store) Close() error { return errors.Join(s.db.Close(), s.reads.Close()) }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}

const insert = `INSERT INTO predictions
(image_url, prediction, upload_time, upload_id, object_key, score, scores, notice, content_type, width, height, size_bytes, sha256, visitor)
SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULLIF(?, '') FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM deletions WHERE upload_id = ?)`

// Insert adds p and returns the row that then stands under p.ID: p itself, or
// the one that was there before. The unique key decides between runs at the
// same time; what fits no column is refused before it is sent. The error is
// car.ErrDeleted for an upload that was deleted: the note of it is looked for
// in the same statement, under a lock.
func (s *Store) Insert(ctx context.Context, p car.Prediction) (car.Prediction, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	p.UploadedAt = p.UploadedAt.UTC().Truncate(time.Millisecond) // MySQL would round
	if err := s.check(p); err != nil {
		return car.Prediction{}, fmt.Errorf("insert prediction %q: %w", p.ID, err)
	}
	scores, err := json.Marshal(p.Scores)
	if err != nil {
		return car.Prediction{}, fmt.Errorf("insert prediction %q: %w", p.ID, err)
	}
	added, err := s.exec(ctx, insert, s.url(p.Key), p.Label, p.UploadedAt, p.ID, p.Key, p.Score, string(scores),
		p.Notice, p.ContentType, p.Width, p.Height, p.Size, p.SHA256, p.Visitor, p.ID)
	if is(err, duplicateEntry) {
		return s.ByID(ctx, p.ID)
	}
	if err != nil {
		return car.Prediction{}, fmt.Errorf("insert prediction %q: %w", p.ID, told(err))
	}
	if added == 0 {
		return car.Prediction{}, fmt.Errorf("insert prediction %q: %w", p.ID, car.ErrDeleted)
	}
	p.Stored = true
	return p, nil
}

// exec runs a statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	err = again(ctx, func() error {
		result, err := s.db.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// again does something once more after a fault that passes. It must be what may
// be done twice: when a connection breaks, nobody knows whether it was done.
func again(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if try == attempts || !passing(err) || !pause(ctx, try) {
			return err
		}
	}
}

// passing tells whether the next try may do better.
func passing(err error) bool {
	for _, number := range []uint16{deadlock, lockTimeout, tooManyConnections, shuttingDown} {
		if is(err, number) {
			return true
		}
	}
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn)
}

// pause waits a random time before the next try, so that many that failed
// together do not come again together; false when ctx ended.
func pause(ctx context.Context, try int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(rand.Int64N(int64(try) * int64(retryPause)))):
		return true
	}
}

// ByID returns the row of an upload, or car.ErrNotFound; if it was deleted,
// car.ErrDeleted.
func (s *Store) ByID(ctx context.Context, id string) (car.Prediction, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if !uploadID.MatchString(id) {
		return car.Prediction{}, fmt.Errorf("prediction %q: %w", id, car.ErrNotFound)
	}
	r, err := scan(s.db.QueryRowContext(ctx, "SELECT "+columns+" FROM predictions WHERE upload_id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		if _, err = s.Deletion(ctx, id); err == nil {
			err = car.ErrDeleted
		}
	}
	if err != nil {
		return car.Prediction{}, fmt.Errorf("prediction %q: %w", id, told(err))
	}
	return r.Prediction, nil
}

// url is the picture's address for analysts: s3://bucket/key.
func (s *Store) url(key string) string { return "s3://" + s.bucket + "/" + key }

// row is a prediction with the number that orders rows of the same time.
type row struct {
	number int64
	car.Prediction
}

const columns = "id, prediction, upload_time, upload_id, object_key, score, scores, notice, content_type, width, height, size_bytes, sha256, COALESCE(visitor, ''), COALESCE(feedback, '')"

func scan(from interface{ Scan(...any) error }) (row, error) {
	r := row{Prediction: car.Prediction{Stored: true}}
	var scores []byte
	err := from.Scan(&r.number, &r.Label, &r.UploadedAt, &r.ID, &r.Key, &r.Score, &scores, &r.Notice,
		&r.ContentType, &r.Width, &r.Height, &r.Size, &r.SHA256, &r.Visitor, &r.Feedback)
	if err != nil {
		return row{}, err
	}
	if err := json.Unmarshal(scores, &r.Scores); err != nil {
		return row{}, fmt.Errorf("scores of %q: %w", r.ID, err)
	}
	return r, nil
}

func is(err error, number uint16) bool {
	var fault *mysql.MySQLError
	return errors.As(err, &fault) && fault.Number == number
}
