//go:build !unit

package predictions_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/local/database"
)

// server is the MariaDB or MySQL server of this package's tests.
var server *database.Server

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "predictions")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	server, err = database.Start(context.Background(), database.Options{Dir: dir, TestSchemas: true})
	if err != nil {
		fmt.Println("these tests need a MariaDB or MySQL server:", err)
		return 1
	}
	defer server.Kill()
	return m.Run()
}

// schema makes an empty schema and returns its DSN.
func schema(t *testing.T) string {
	t.Helper()
	dsn, err := server.NewSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// open returns a store over the schema, not migrated.
func open(t *testing.T, dsn string) *predictions.Store {
	t.Helper()
	connector, err := predictions.FromDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	s := predictions.Open(connector, "photos")
	t.Cleanup(func() { s.Close() })
	return s
}

// fresh returns a migrated store over an empty schema, and the plain database.
func fresh(t *testing.T) (*predictions.Store, *sql.DB) {
	t.Helper()
	dsn := schema(t)
	s := open(t, dsn)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, plain(t, dsn)
}

func plain(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// number reads one number from the database.
func number(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	n := 0
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// noon is when the first picture of each test was uploaded.
var noon = time.Date(2024, 2, 29, 12, 0, 0, 123e6, time.UTC)

// prediction returns a valid prediction made i milliseconds after noon.
func prediction(i int) car.Prediction {
	photo := car.Photo{
		Original: []byte("photo"), ContentType: "image/jpeg", Width: 640, Height: 480, SHA256: strings.Repeat("a1", 32),
	}
	return car.Prediction{
		Upload: car.NewUpload(uuid.NewString(), photo, noon.Add(time.Duration(i)*time.Millisecond)),
		Label:  "Vinfast_VF_8",
		Score:  0.75,
		Scores: []car.Score{{Label: "Vinfast_VF_8", Value: 0.75}, {Label: "Vinfast_Fadil", Value: 0.1}},
		Stored: true,
	}
}

func insert(t *testing.T, s *predictions.Store, p car.Prediction) car.Prediction {
	t.Helper()
	kept, err := s.Insert(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}
