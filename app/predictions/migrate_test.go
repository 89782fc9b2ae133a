//go:build !unit

package predictions_test

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestMigrateByManyAtOnce(t *testing.T) {
	dsn := schema(t)
	var wg sync.WaitGroup
	for range 6 {
		s := open(t, dsn)
		wg.Go(func() {
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	db := plain(t, dsn)
	if n := number(t, db, "SELECT COUNT(*) FROM goose_db_version WHERE version_id > 0"); n != 4 {
		t.Errorf("%d migrations were run, want 4", n)
	}
	// The lock must be free again.
	if n := number(t, db, "SELECT IS_FREE_LOCK(CONCAT('migrate ', LEFT(SHA2(DATABASE(), 256), 40)))"); n != 1 {
		t.Error("the lock is still held")
	}
}

func TestMigrateAgainAfterACrashBeforeTheVersionWasWritten(t *testing.T) {
	s, db := fresh(t)
	insert(t, s, prediction(0))
	if _, err := db.ExecContext(t.Context(), "DELETE FROM goose_db_version WHERE version_id > 0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
	if n := number(t, db, "SELECT COUNT(*) FROM predictions"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestMigrateAgainAfterACrashBeforeTheFirstVersion(t *testing.T) {
	dsn := schema(t)
	if err := open(t, dsn).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := plain(t, dsn)
	for _, statement := range []string{"DELETE FROM goose_db_version", "DROP TABLE predictions"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, dsn).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, "SELECT COUNT(*) FROM predictions"); n != 0 {
		t.Errorf("%d rows in a new table", n)
	}
}

// TestMigrateKeepsTheRowsFromBefore starts from the table as it was first made.
func TestMigrateKeepsTheRowsFromBefore(t *testing.T) {
	s, db := fresh(t)
	old := insert(t, s, prediction(0))
	for _, statement := range []string{
		"ALTER TABLE predictions DROP KEY predictions_visitor_time, DROP KEY predictions_stats, DROP KEY predictions_score, DROP KEY predictions_label_score, DROP COLUMN visitor, DROP COLUMN feedback, DROP COLUMN feedback_time",
		"DROP TABLE deletions", "DELETE FROM goose_db_version WHERE version_id > 1",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept, err := s.ByID(t.Context(), old.ID)
	if err != nil || kept.Visitor != "" || kept.Feedback != "" || kept.SHA256 != old.SHA256 {
		t.Errorf("got %+v, %v", kept, err)
	}
}

func TestMigrateWaitsForItsTurn(t *testing.T) {
	dsn := schema(t)
	conn, err := plain(t, dsn).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "DO GET_LOCK(CONCAT('migrate ', LEFT(SHA2(DATABASE(), 256), 40)), 0)"); err != nil {
		t.Fatal(err)
	}
	s := open(t, dsn)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- s.Migrate(ctx) }()
	waiting := "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT GET_LOCK%'"
	for number(t, plain(t, dsn), waiting) == 0 {
		select {
		case err := <-done:
			t.Fatalf("Migrate did not wait: %v", err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if n := number(t, plain(t, dsn), "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'predictions'"); n != 0 {
		t.Error("the table was made without the lock")
	}
}

// TestColumns holds what analysts and other programs rely on.
func TestColumns(t *testing.T) {
	_, db := fresh(t)
	for _, column := range []string{"id", "image_url", "prediction", "upload_time", "upload_id"} {
		if n := number(t, db, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'predictions' AND column_name = '"+column+"'"); n != 1 {
			t.Errorf("there is no column %s", column)
		}
	}
}
