//go:build !unit

package predictions_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/predictions"
)

var (
	alice = strings.Repeat("a", 32)
	bob   = strings.Repeat("b", 32)
)

func of(visitor string, p car.Prediction) car.Prediction {
	p.Visitor = visitor
	return p
}

func deletion(p car.Prediction) car.Deletion {
	return car.Deletion{ID: p.ID, Key: p.Key, Visitor: p.Visitor, At: noon}
}

func TestListOfOneVisitor(t *testing.T) {
	s, _ := fresh(t)
	a := insert(t, s, of(alice, prediction(0)))
	insert(t, s, of(bob, prediction(1)))
	insert(t, s, prediction(2))
	b := insert(t, s, of(alice, prediction(3)))
	if got := pages(t, s, car.Filter{Visitor: alice, Limit: 1}); !slices.Equal(got, []string{b.ID, a.ID}) {
		t.Errorf("got %v", got)
	}
	if kept, err := s.ByID(t.Context(), a.ID); err != nil || kept.Visitor != alice {
		t.Errorf("got %+v, %v", kept, err)
	}
	for _, bad := range []string{"x", strings.Repeat("A", 32), alice + "a"} {
		if _, err := s.Insert(t.Context(), of(bad, prediction(0))); !errors.Is(err, predictions.ErrUnfit) {
			t.Errorf("visitor %q: %v", bad, err)
		}
	}
}

func TestADeletedUploadNeverComesBack(t *testing.T) {
	s, db := fresh(t)
	p := insert(t, s, of(alice, prediction(0)))
	for range 2 { // the second time changes nothing
		if err := s.Delete(t.Context(), deletion(p)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ByID(t.Context(), p.ID); !errors.Is(err, car.ErrDeleted) || !errors.Is(err, car.ErrNotFound) {
		t.Errorf("look-up: %v", err)
	}
	if _, err := s.Insert(t.Context(), p); !errors.Is(err, car.ErrDeleted) {
		t.Errorf("insert: %v", err)
	}
	if n := number(t, db, "SELECT COUNT(*) FROM predictions"); n != 0 {
		t.Errorf("%d rows", n)
	}
	if d, err := s.Deletion(t.Context(), p.ID); err != nil || d.Key != p.Key || d.Visitor != alice || !d.At.Equal(noon) {
		t.Errorf("note: %+v, %v", d, err)
	}
	if err := s.SetFeedback(t.Context(), p.ID, "other", noon); !errors.Is(err, car.ErrNotFound) {
		t.Errorf("feedback: %v", err)
	}
}

func TestUnpurgedAreListedUntilTheyAreGone(t *testing.T) {
	s, _ := fresh(t)
	var ids []string
	for i := range 3 {
		d := deletion(of(alice, prediction(i)))
		d.At = prediction(i).UploadedAt
		if err := s.Delete(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	if err := s.Purged(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	left, err := s.Unpurged(t.Context(), 5)
	if err != nil || len(left) != 2 || left[0].ID != ids[1] || left[1].ID != ids[2] {
		t.Errorf("got %+v, %v", left, err)
	}
	if left, err = s.Unpurged(t.Context(), 1); err != nil || len(left) != 1 {
		t.Errorf("got %+v, %v", left, err)
	}
}

// TestInsertAndDeleteAtOnce: whoever comes first, at the end there is the note
// and no row.
func TestInsertAndDeleteAtOnce(t *testing.T) {
	s, db := fresh(t)
	var wg sync.WaitGroup
	for i := range 40 {
		p := of(alice, prediction(i))
		for range 2 {
			wg.Go(func() {
				if _, err := s.Insert(t.Context(), p); err != nil && !errors.Is(err, car.ErrDeleted) {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := s.Delete(t.Context(), deletion(p)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := number(t, db, "SELECT COUNT(*) FROM deletions"); n != 40 {
		t.Errorf("%d notes, want 40", n)
	}
	if n := number(t, db, "SELECT COUNT(*) FROM predictions"); n != 0 {
		t.Errorf("%d rows came back", n)
	}
}

func TestFeedback(t *testing.T) {
	s, _ := fresh(t)
	p := insert(t, s, of(alice, prediction(0)))
	for _, label := range []string{"other", "Vinfast_Fadil", "Vinfast_Fadil"} {
		if err := s.SetFeedback(t.Context(), p.ID, label, noon); err != nil {
			t.Fatal(err)
		}
		if kept, err := s.ByID(t.Context(), p.ID); err != nil || kept.Feedback != label {
			t.Errorf("got %q, %v, want %q", kept.Feedback, err, label)
		}
	}
	if err := s.SetFeedback(t.Context(), prediction(1).ID, "other", noon); !errors.Is(err, car.ErrNotFound) {
		t.Errorf("no such upload: %v", err)
	}
}
