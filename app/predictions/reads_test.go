//go:build !unit

package predictions_test

import (
	"errors"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

// TestSlowRead: the server itself ends a read that takes too long, so that none
// works on for a caller that has gone.
func TestSlowRead(t *testing.T) {
	s, db := fresh(t)
	if err := s.ReadSlowly(t.Context()); !errors.Is(err, car.ErrTooSlow) {
		t.Errorf("error %v, want %v", err, car.ErrTooSlow)
	}
	if n := number(t, db, "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'WITH RECURSIVE%'"); n != 0 {
		t.Errorf("%d statements run on", n)
	}
}

// TestReadsDoNotStopUploads: who reads too much waits for other reads only.
func TestReadsDoNotStopUploads(t *testing.T) {
	s, _ := fresh(t)
	release := s.HoldReads()
	kept := insert(t, s, prediction(0))
	if _, err := s.ByID(t.Context(), kept.ID); err != nil {
		t.Errorf("by id: %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if _, err := s.List(t.Context(), car.Filter{}); !errors.Is(err, car.ErrBusy) {
		t.Errorf("list: %v, want %v", err, car.ErrBusy)
	}
	if _, err := s.Stats(t.Context(), car.Span{Since: noon, Until: noon.Add(time.Hour)}); !errors.Is(err, car.ErrBusy) {
		t.Errorf("statistics: %v, want %v", err, car.ErrBusy)
	}
	release()
	if page, err := s.List(t.Context(), car.Filter{}); err != nil || len(page.Predictions) != 1 {
		t.Errorf("afterwards: %+v, %v", page, err)
	}
}

// TestYearsThatNoColumnHolds are refused here and not by the driver, whose error
// would be anybody's.
func TestYearsThatNoColumnHolds(t *testing.T) {
	s, _ := fresh(t)
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, f := range []car.Filter{{Since: far}, {Until: far}} {
		if _, err := s.List(t.Context(), f); !errors.Is(err, car.ErrUnfit) {
			t.Errorf("%+v: %v, want %v", f, err, car.ErrUnfit)
		}
	}
	if _, err := s.Stats(t.Context(), car.Span{Since: noon, Until: far}); !errors.Is(err, car.ErrUnfit) {
		t.Errorf("statistics: %v, want %v", err, car.ErrUnfit)
	}
}

// TestRareScoresUseAnIndex: a list that few rows or none meet does not go through
// all of them.
func TestRareScoresUseAnIndex(t *testing.T) {
	_, db := fresh(t)
	for _, index := range []string{"predictions_score", "predictions_label_score"} {
		n := number(t, db, "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = '"+index+"' AND column_name = 'score'")
		if n != 1 {
			t.Errorf("no index %s", index)
		}
	}
}
