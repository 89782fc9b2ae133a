//go:build !unit

package predictions_test

import (
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"vinfast-classifier/app/predictions"
	"vinfast-classifier/local/database"
)

func TestExamine(t *testing.T) {
	dsn := schema(t)
	empty, err := predictions.ExamineDSN(t.Context(), dsn)
	if err != nil || empty.Schema != 0 || empty.Newest < 1 || empty.Rows != 0 {
		t.Errorf("without tables: %+v, %v", empty, err)
	}
	s := open(t, dsn)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert(t, s, prediction(0))
	insert(t, s, prediction(1))
	full, err := predictions.ExamineDSN(t.Context(), dsn)
	if err != nil || full.Schema != full.Newest || full.Rows != 2 || full.Version == "" || full.User == "" || full.Certificate != nil {
		t.Errorf("with two rows: %+v, %v", full, err)
	}
}

// The newest migration may be one in Go, of which there is no file.
func TestNewestMigrationInGo(t *testing.T) {
	connector, err := predictions.FromDSN("any:any@tcp(127.0.0.1:1)/any") // nothing is asked
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []int64{2, 9} {
		got, err := predictions.NewestWith(connector, goose.NewGoMigration(version, nil, nil))
		if want := max(version, 3); err != nil || got != want {
			t.Errorf("with number %d in Go: %d, %v, want %d", version, got, err, want)
		}
	}
}

func TestExamineShowsTheCertificate(t *testing.T) {
	s := startSecured(t, "127.0.0.1")
	account, _ := s.account(s.right())
	e, err := account.Examine(t.Context())
	if err != nil || e.Certificate == nil || e.Certificate.NotAfter.Before(time.Now()) || e.TLS == "" || e.User != database.User+"@%" && e.User != database.User+"@127.0.0.1" {
		t.Errorf("%+v, %v", e, err)
	}
	account.Read = (&secrets{list: []predictions.Credentials{{Password: "x", CA: s.ca.pem}}}).read
	if _, err := account.Examine(t.Context()); !predictions.IsAccessDenied(err) || predictions.IsUntrusted(err) {
		t.Errorf("with a wrong password: %v", err)
	}
}
