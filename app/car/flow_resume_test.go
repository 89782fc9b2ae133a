package car_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

// left puts photo into the spool as a process killed before its answer leaves
// it: without a promise, held by nobody.
func (w *world) left(t *testing.T, id string, photo car.Photo) {
	t.Helper()
	ticket, err := (*memorySpool)(w).Add(car.NewUpload(id, photo, w.now), photo.Original)
	if err != nil {
		t.Fatal(err)
	}
	ticket.Release()
}

func TestResumeFinishesTheUnpromised(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "orientation6.png")
	w.left(t, id, photo)
	if n, err := w.classifier(t).Resume(t.Context()); n != 1 || err != nil {
		t.Fatalf("Resume: %d, %v", n, err)
	}
	row := w.rows[id]
	if row.Label != "Vinfast_VF_8" || row.Width != 32 || row.Height != 48 || row.Key != "images/2026/03/14/"+id+".png" {
		t.Errorf("row %+v", row)
	}
	w.kept(t, row, photo)
	if want := car.DecodeCost(photo.Original, limits); w.held != 0 || w.lent != want {
		t.Errorf("it took %d bytes to decode and gave back all but %d, want %d and 0", w.lent, w.held, want)
	}
}

func TestResumeKeepsWhatItCannotFinish(t *testing.T) {
	for _, step := range []string{"open", "room", "invoke", "promise", "put", "insert", "remove"} {
		t.Run(step, func(t *testing.T) {
			w, photo := newWorld(), photoOf(t, "plain.jpg")
			w.left(t, id, photo)
			w.faults[step] = errStore
			flow := w.classifier(t)
			n, err := flow.Resume(t.Context())
			if n != 0 || !errors.Is(err, errStore) || !strings.Contains(err.Error(), id) {
				t.Errorf("Resume: %d, %v", n, err)
			}
			w.heal()
			if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
				t.Fatalf("Resume after the fault: %d, %v", n, err)
			}
			w.kept(t, w.rows[id], photo)
		})
	}
}

// An upload nobody was promised and that does not decode (any more) would come
// back for ever; and what lies behind it must be finished all the same.
func TestResumeDropsWhatNeverDecodes(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	bad := photo
	bad.Original = []byte("not a picture any more")
	w.left(t, "1", bad)
	w.left(t, "2", photo)
	if n, err := w.classifier(t).Resume(t.Context()); n != 2 || err != nil {
		t.Errorf("Resume: %d, %v", n, err)
	}
	w.kept(t, w.rows["2"], photo)
}

func TestResumeGoesOnBehindAFault(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	w.left(t, "1", photo)
	w.left(t, "2", photo)
	calls := 0
	w.onPut = func(context.Context) error {
		if calls++; calls == 1 {
			return errStore
		}
		return nil
	}
	if n, err := w.classifier(t).Resume(t.Context()); n != 1 || !errors.Is(err, errStore) {
		t.Errorf("Resume: %d, %v", n, err)
	}
	if w.rows["2"].ID == "" || w.entries["1"] == nil {
		t.Error("the upload behind the fault is not stored, or the other is lost")
	}
}

// With MySQL away a second photo under the same id cannot be told from a new
// one; it is acknowledged as pending and must not touch the first.
func TestResumeLeavesTheFirstOfAReusedID(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	flow := w.classifier(t)
	first, err := flow.Classify(t.Context(), id, photo)
	if err != nil {
		t.Fatal(err)
	}
	w.faults["look up"], w.faults["insert"] = errStore, errStore
	if _, err := flow.Classify(t.Context(), id, photoOf(t, "rgb8.png")); err != nil {
		t.Fatal(err)
	}
	w.heal()
	if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
		t.Errorf("Resume: %d, %v", n, err)
	}
	w.kept(t, first, photo)
}

func TestResumeLeavesTheHeldAlone(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	if _, err := (*memorySpool)(w).Add(car.NewUpload(id, photo, w.now), photo.Original); err != nil {
		t.Fatal(err)
	}
	if n, err := w.classifier(t).Resume(t.Context()); n != 0 || err != nil {
		t.Errorf("Resume: %d, %v", n, err)
	}
	if len(w.rows) != 0 || len(w.entries) != 1 {
		t.Errorf("%d rows, %d spooled", len(w.rows), len(w.entries))
	}
}

func TestResumeStopsWithItsContext(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	w.left(t, id, photo)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if n, err := w.classifier(t).Resume(ctx); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Resume: %d, %v", n, err)
	}
	if w.count("invoke") != 0 || w.entries[id].held {
		t.Error("a stopped Resume works on, or holds what it did not finish")
	}
}

func TestResumeTellsThatTheSpoolIsGone(t *testing.T) {
	w := newWorld()
	w.faults["waiting"] = errDisk
	if n, err := w.classifier(t).Resume(t.Context()); n != 0 || !errors.Is(err, errDisk) {
		t.Errorf("Resume: %d, %v", n, err)
	}
}

// With the database away no photo is sent: it would be sent again next time.
func TestResumeSendsNothingWithoutTheDatabase(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	flow := w.classifier(t)
	w.faults["insert"] = errStore
	if _, err := flow.Classify(t.Context(), id, photo); err != nil {
		t.Fatal(err)
	}
	w.faults["look up"] = errStore
	puts := w.count("put")
	if n, err := flow.Resume(t.Context()); n != 0 || !errors.Is(err, errStore) {
		t.Errorf("Resume: %d, %v", n, err)
	}
	if w.count("put") != puts {
		t.Error("the photo was sent once more")
	}
	w.heal()
	if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
		t.Errorf("Resume: %d, %v", n, err)
	}
	w.kept(t, w.rows[id], photo)
}

// Each upload comes to an end; one that was acknowledged is never dropped.
func TestResumeSetsAsideWhatNeverFits(t *testing.T) {
	for name, c := range map[string]struct {
		fault    string
		err      error
		promised bool
		age      time.Duration
		aside    int
	}{
		"refused by the model, young":    {"invoke", car.ErrEndpointUnavailable, false, 59 * time.Minute, 0},
		"refused by the model, old":      {"invoke", car.ErrEndpointUnavailable, false, 61 * time.Minute, 1},
		"promised, no row will take it":  {"insert", car.ErrUnfit, true, 0, 1},
		"promised, the database is away": {"insert", errStore, true, 1000 * time.Hour, 0},
		"promised, S3 is away":           {"put", errStore, true, 1000 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w, photo := newWorld(), photoOf(t, "plain.jpg")
			flow := w.classifier(t)
			w.faults[c.fault] = c.err
			if c.promised {
				if p, err := flow.Classify(t.Context(), id, photo); err != nil || p.Stored {
					t.Fatalf("stored %v, %v", p.Stored, err)
				}
			} else {
				w.left(t, id, photo)
			}
			w.now = w.now.Add(c.age)
			n, err := flow.Resume(t.Context())
			if n != c.aside || (err == nil) != (c.aside == 1) || w.count("set aside") != c.aside || len(w.entries) != 1-c.aside {
				t.Errorf("Resume: %d, %v; set aside %d, %d left", n, err, w.count("set aside"), len(w.entries))
			}
		})
	}
}

// A dependency that is down is not asked for each of many uploads.
func TestResumeStopsWhenAllFails(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		most int
	}{"fails": {errStore, 20}, "rests": {car.ErrResting, 1}} {
		t.Run(name, func(t *testing.T) {
			w, photo := newWorld(), photoOf(t, "plain.jpg")
			for i := range 100 {
				w.left(t, strconv.Itoa(i), photo)
			}
			w.faults["invoke"] = c.err
			if n, err := w.classifier(t).Resume(t.Context()); n != 0 || !errors.Is(err, c.err) {
				t.Errorf("Resume: %d, %v", n, err)
			}
			if n := w.count("invoke"); n != c.most {
				t.Errorf("the endpoint was asked %d times, want %d", n, c.most)
			}
		})
	}
}
