//go:build !unit

package reindex_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	_ "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/photostore"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/app/reindex"
	"vinfast-classifier/local/database"
	"vinfast-classifier/local/objectstore"
)

const bucket = "photos"

// server is the MariaDB or MySQL server of this package's tests.
var server *database.Server

func TestMain(m *testing.M) { os.Exit(setUp(m)) }

func setUp(m *testing.M) int {
	dir, err := os.MkdirTemp("", "reindex")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	if server, err = database.Start(context.Background(), database.Options{Dir: dir, TestSchemas: true}); err != nil {
		fmt.Println("these tests need a MariaDB or MySQL server:", err)
		return 1
	}
	defer server.Kill()
	return m.Run()
}

// system is a bucket and a schema.
type system struct {
	t      *testing.T
	photos *photostore.Store
	rows   *predictions.Store
	db     *sql.DB
	s3     *s3.Client
	heads  atomic.Int64 // HEAD requests of objects that S3 still answers; below zero it fails
	said   bytes.Buffer
}

func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{t: t}
	s.heads.Store(1 << 40)
	handler, store, err := objectstore.New(t.TempDir(), slog.New(slog.DiscardHandler), bucket)
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && s.heads.Add(-1) < 0 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &web.URL, Credentials: credentials.NewStaticCredentialsProvider("any", "any", "")}
	dsn, err := server.NewSchema(t.Context())
	must(t, err)
	s.db, err = sql.Open("mysql", dsn)
	must(t, err)
	t.Cleanup(func() { must(t, s.db.Close()) })
	connector, err := predictions.FromDSN(dsn)
	must(t, err)
	s.rows = predictions.Open(connector, bucket)
	t.Cleanup(func() { must(t, s.rows.Close()) })
	must(t, s.rows.Migrate(t.Context()))
	s.photos = photostore.New(config, bucket)
	s.s3 = s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	return s
}

// keep stores n uploads as the app does, over three days.
func (s *system) keep(n int) {
	s.t.Helper()
	var group errgroup.Group
	group.SetLimit(8)
	for i := range n {
		photo := car.Photo{Original: fmt.Append(nil, "photo ", i), ContentType: []string{"image/jpeg", "image/png", "image/webp"}[i%3],
			Width: 100 + i, Height: 200 + i, SHA256: fmt.Sprintf("%064x", i)}
		p := car.Prediction{
			Upload: car.NewUpload(uuid.NewString(), photo, time.Date(2024, 2, 28+i%3, 12, 0, 0, i*1e6, time.UTC)),
			Label:  "Vinfast_VF_8", Score: 1 / float64(i+1), Scores: []car.Score{{Label: "Vinfast_VF_8", Value: 1 / float64(i+1)}, {Label: "VF é\"%", Value: 0.1}},
		}
		if i%2 == 0 {
			p.Notice = "demo model, không phải ảnh thật"
		}
		group.Go(func() error {
			if err := s.photos.Put(s.t.Context(), p, bytes.NewReader(photo.Original)); err != nil {
				return err
			}
			_, err := s.rows.Insert(s.t.Context(), p)
			return err
		})
	}
	must(s.t, group.Wait())
}

// table is every row but for its number.
func (s *system) table() []string {
	s.t.Helper()
	rows, err := s.db.QueryContext(s.t.Context(), `SELECT CONCAT_WS('|', image_url, prediction, upload_time, upload_id, object_key, score, scores,
		notice, content_type, width, height, size_bytes, sha256) FROM predictions ORDER BY upload_id`)
	must(s.t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		must(s.t, rows.Scan(&line))
		all = append(all, line)
	}
	must(s.t, rows.Err())
	return all
}

func (s *system) exec(query string) {
	s.t.Helper()
	_, err := s.db.ExecContext(s.t.Context(), query)
	must(s.t, err)
}

func (s *system) run(r *reindex.Run) (reindex.Counts, error) {
	s.said.Reset()
	r.Photos, r.Rows, r.Out = s.photos, s.rows, &s.said
	return r.Do(s.t.Context())
}

func (s *system) want(r *reindex.Run, want reindex.Counts) {
	s.t.Helper()
	got, err := s.run(r)
	must(s.t, err)
	if got != want {
		s.t.Errorf("counted %+v, want %+v; it said:\n%s", got, want, &s.said)
	}
}

func TestEveryRowComesBack(t *testing.T) { everyRowComesBack(t, 40) }

// everyRowComesBack loses the rows of n objects in several ways.
func everyRowComesBack(t *testing.T, n int) {
	t.Helper()
	s := newSystem(t)
	s.keep(n)
	before := s.table()
	for _, loss := range []string{"DROP TABLE predictions", "DROP TABLE predictions, goose_db_version", "DELETE FROM predictions WHERE width % 7 = 0"} {
		s.exec(loss)
		lost := n
		if strings.HasPrefix(loss, "DELETE") {
			lost = n - len(s.table())
			s.want(&reindex.Run{DryRun: true}, reindex.Counts{Objects: n, Added: lost, There: n - lost})
		}
		s.want(&reindex.Run{}, reindex.Counts{Objects: n, Added: lost, There: n - lost})
		if after := s.table(); !slices.Equal(after, before) {
			t.Errorf("after %s: %d rows, %d before; the first: %q, before: %q", loss, len(after), len(before), after[:1], before[:1])
		}
		if n > 2000 && (!strings.Contains(s.said.String(), "2000 objects") || !strings.Contains(s.said.String(), "/s; done up to images/2024/")) {
			t.Errorf("progress is %q", &s.said)
		}
	}
	s.want(&reindex.Run{}, reindex.Counts{Objects: n, There: n})
	if after := s.table(); !slices.Equal(after, before) {
		t.Error("a second run changed something")
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	s := newSystem(t)
	s.keep(3)
	s.exec("DROP TABLE predictions")
	s.want(&reindex.Run{DryRun: true}, reindex.Counts{Objects: 3, Added: 3})
	if n := 0; s.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM predictions").Scan(&n) == nil {
		t.Error("the table was made")
	}
}

// What is not the app's is named and counted, and keeps nothing else away.
func TestForeignObjects(t *testing.T) {
	s := newSystem(t)
	s.keep(2)
	id := strings.Split(s.table()[0], "|")[3]
	object := func(key string, metadata map[string]string) {
		_, err := s.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader("x"), Metadata: metadata})
		must(t, err)
	}
	whole := map[string]string{"upload-id": id, "label": "VF_8", "score": "0.5", "uploaded-at": "2024-02-29T12:00:00.000Z",
		"sha256": strings.Repeat("a", 64), "width": "1", "height": "1", "size": "1", "scores": "[]"}
	other := func(name, value string) map[string]string {
		m := maps.Clone(whole)
		m[name] = value
		return m
	}
	object("images/2024/02/29/holiday.jpg", nil)
	object("images/2024/02/29/copy-of-another.jpg", whole)
	for name, value := range map[string]string{"score": "high", "size": "2", "label": "", "sha256": "abc", "width": "wide"} {
		m := other(name, value)
		m["upload-id"] = uuid.NewString()
		object("images/2024/02/29/"+m["upload-id"]+".jpg", m)
	}
	object("images/doctor/"+uuid.NewString(), nil)  // a probe that was left behind
	object("dumps/2024/02/29/183000.sql.gz", whole) // outside the pictures
	before := s.table()
	s.want(&reindex.Run{}, reindex.Counts{Objects: 9, There: 2, Faults: 7})
	if after := s.table(); !slices.Equal(after, before) {
		t.Errorf("rows are %q", after)
	}
	if n := strings.Count(s.said.String(), "no row for "); n != 7 || !strings.Contains(s.said.String(), "holiday.jpg") {
		t.Errorf("it said:\n%s", &s.said)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
