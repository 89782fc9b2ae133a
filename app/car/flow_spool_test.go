package car_test

import (
	"errors"
	"log/slog"
	"testing"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
)

// process is the flow in a world, on the spool that lies in a folder. A second
// one ends the first: that is what a restart is, nothing is held in memory.
func (w *world) process(t *testing.T, folder string) (*car.Classifier, *spool.Spool) {
	t.Helper()
	if w.files != nil {
		if err := w.files.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := spool.Open(folder, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	if w.files == nil {
		t.Cleanup(func() {
			if err := w.files.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	w.files = files
	flow := w.classifier(t)
	flow.Spool = files
	return flow, files
}

func waiting(t *testing.T, files *spool.Spool, want int) {
	t.Helper()
	if state, err := files.State(); state.Uploads != want || err != nil {
		t.Fatalf("%d uploads in the spool (%v), want %d", state.Uploads, err, want)
	}
}

func TestSpooledUploadOutlivesTheProcess(t *testing.T) {
	for _, step := range []string{"look up", "invoke", "put", "insert"} {
		t.Run(step, func(t *testing.T) {
			w, photo, folder := newWorld(), photoOf(t, "orientation8.jpg"), t.TempDir()
			flow, files := w.process(t, folder)
			w.faults[step] = errStore
			p, err := flow.Classify(t.Context(), id, photo)
			switch step {
			case "invoke": // an error: not kept
				if !errors.Is(err, errStore) {
					t.Fatalf("error %v", err)
				}
				waiting(t, files, 0)
				w.nothingKept(t)
				return
			case "look up": // the way does not depend on it
				if err != nil || !p.Stored {
					t.Fatalf("stored %v, error %v", p.Stored, err)
				}
			default: // pending
				if err != nil || p.Stored {
					t.Fatalf("stored %v, error %v", p.Stored, err)
				}
				waiting(t, files, 1)
			}
			w.heal()
			flow, files = w.process(t, folder)
			if _, err := flow.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			waiting(t, files, 0)
			w.kept(t, p, photo)
		})
	}
}

func TestSpooledUploadOfAKilledProcess(t *testing.T) {
	w, photo, folder := newWorld(), photoOf(t, "alpha.png"), t.TempDir()
	_, files := w.process(t, folder)
	if _, err := files.Add(car.NewUpload(id, photo, noon), photo.Original); err != nil {
		t.Fatal(err)
	}
	flow, files := w.process(t, folder)
	if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
		t.Fatalf("Resume: %d, %v", n, err)
	}
	waiting(t, files, 0)
	w.kept(t, w.rows[id], photo)
	if n, err := flow.Resume(t.Context()); n != 0 || err != nil {
		t.Fatalf("Resume once more: %d, %v", n, err)
	}
}

// Two uploads of one id at a time: the second is told to wait, and the first is
// not disturbed.
func TestSpooledUploadIsWorkedOnOnce(t *testing.T) {
	w, photo, folder := newWorld(), photoOf(t, "plain.jpg"), t.TempDir()
	flow, files := w.process(t, folder)
	var second error
	w.onInvoke = func() {
		w.onInvoke = nil
		_, second = flow.Classify(t.Context(), id, photo)
		if n, err := flow.Resume(t.Context()); n != 0 || err != nil {
			t.Errorf("Resume meanwhile: %d, %v", n, err)
		}
	}
	p, err := flow.Classify(t.Context(), id, photo)
	if err != nil || !p.Stored {
		t.Fatalf("stored %v, error %v", p.Stored, err)
	}
	if !errors.Is(second, car.ErrInFlight) {
		t.Errorf("the second is told %v", second)
	}
	waiting(t, files, 0)
	w.kept(t, p, photo)
}
