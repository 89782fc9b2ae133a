// Package objectstore is an S3 server that keeps its objects in one file, for
// the whole system on one machine and for tests.
package objectstore

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3bolt"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrInUse: another running process serves this folder.
var ErrInUse = errors.New("the object store is in use by another process")

// New opens the store in dir (made if missing), with the given buckets in it,
// and returns S3's HTTP interface. It takes any credentials: serve it on
// loopback only. Close the store after the server that uses the handler.
//
// A put is acknowledged when object and metadata are on disk, both or neither,
// so a killed process leaves no half object under a key.
func New(dir string, log *slog.Logger, buckets ...string) (http.Handler, io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("object store: %w", err)
	}
	path := filepath.Join(dir, "objects.db")
	// Without a timeout a second process would wait for ever.
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, nil, fmt.Errorf("open %s: %w", path, ErrInUse)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	backend := s3bolt.New(db)
	for _, bucket := range buckets {
		if err := makeBucket(backend, bucket); err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
	}
	fake := gofakes3.New(backend, gofakes3.WithLogger(logger{log}))
	return fake.Server(), db, nil
}

func makeBucket(backend *s3bolt.Backend, bucket string) error {
	exists, err := backend.BucketExists(bucket)
	if err != nil {
		return fmt.Errorf("look for bucket %q: %w", bucket, err)
	}
	if exists {
		return nil
	}
	if err := gofakes3.ValidateBucketName(bucket); err != nil {
		return fmt.Errorf("bucket name %q: %w", bucket, err)
	}
	if err := backend.CreateBucket(bucket); err != nil {
		return fmt.Errorf("create bucket %q: %w", bucket, err)
	}
	return nil
}

// logger passes on gofakes3's faults; its lines about each request would only
// repeat the app's.
type logger struct{ log *slog.Logger }

func (l logger) Print(level gofakes3.LogLevel, v ...any) {
	if level != gofakes3.LogInfo {
		l.log.Warn("object store", "fault", fmt.Sprint(v...))
	}
}
