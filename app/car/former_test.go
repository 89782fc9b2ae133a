package car_test

import (
	"errors"
	"testing"

	"vinfast-classifier/app/car"
)

// TestClassifyFormerID: what an instance of the release before took under its own
// id is not taken again, be it stored, waiting or at the model.
func TestClassifyFormerID(t *testing.T) {
	const former = "11111111-1111-8111-8111-111111111111"
	photo := photoOf(t, "plain.jpg")
	same, other := photo, photoOf(t, "rgb8.png")
	same.FormerID, other.FormerID = former, former
	for name, c := range map[string]struct {
		store  error // of S3, when the release before was at it
		stored bool
	}{"stored": {nil, true}, "waiting": {errStore, false}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			flow := w.classifier(t)
			w.faults["put"] = c.store
			first, err := flow.Classify(t.Context(), former, photo)
			if err != nil || first.Stored != c.stored {
				t.Fatalf("%+v, %v", first, err)
			}
			again, err := flow.Classify(t.Context(), id, same)
			if err != nil || again.ID != former || again.Label != first.Label || again.Stored != c.stored {
				t.Errorf("the same bytes: %+v, %v, want %+v", again, err, first)
			}
			if p, err := flow.Classify(t.Context(), id, other); err != nil || p.ID != id {
				t.Errorf("other bytes: %+v, %v", p, err)
			}
		})
	}
	t.Run("at the model", func(t *testing.T) {
		w := newWorld()
		ticket, err := (*memorySpool)(w).Add(car.NewUpload(former, photo, noon), photo.Original)
		if err != nil {
			t.Fatal(err)
		}
		defer ticket.Release()
		if _, err := w.classifier(t).Classify(t.Context(), id, same); !errors.Is(err, car.ErrInFlight) {
			t.Errorf("error %v, want %v", err, car.ErrInFlight)
		}
	})
}
