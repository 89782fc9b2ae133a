package car_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

const id = "11111111-2222-4333-8444-555555555555"

func photoOf(t testing.TB, name string) car.Photo {
	t.Helper()
	photo, err := car.Decode(fixture(t, name), limits)
	if err != nil {
		t.Fatal(err)
	}
	return photo
}

// kept holds the world to the promise of a stored upload: one object with the
// bytes as they were sent, one row, nothing in the spool.
func (w *world) kept(t *testing.T, want car.Prediction, photo car.Photo) {
	t.Helper()
	if len(w.entries) != 0 || len(w.objects) != 1 || len(w.rows) != 1 {
		t.Fatalf("%d spooled, %d objects, %d rows; want 0, 1, 1", len(w.entries), len(w.objects), len(w.rows))
	}
	if !bytes.Equal(w.objects[want.Key], photo.Original) {
		t.Errorf("object %q is not the original", want.Key)
	}
	row := w.rows[want.ID]
	if row.Upload != want.Upload || row.Label != want.Label || row.Score != want.Score || row.Notice != want.Notice || !slices.Equal(row.Scores, want.Scores) {
		t.Errorf("row %+v, answered %+v", row, want)
	}
}

// nothingKept holds the world to the promise of an error.
func (w *world) nothingKept(t *testing.T) {
	t.Helper()
	if len(w.entries)+len(w.objects)+len(w.rows) != 0 {
		t.Fatalf("%d spooled, %d objects, %d rows after an error", len(w.entries), len(w.objects), len(w.rows))
	}
}

func TestClassifyGoesStepByStep(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "orientation6.jpg")
	p, err := w.classifier(t).Classify(t.Context(), id, photo)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"look up", "add", "invoke", "promise", "open", "put", "close", "insert", "remove"}; !slices.Equal(w.steps, want) {
		t.Errorf("steps %q, want %q", w.steps, want)
	}
	want := car.Upload{
		ID: id, Key: "images/2026/03/14/" + id + ".jpg", ContentType: "image/jpeg", Width: 32, Height: 48,
		Size: int64(len(photo.Original)), SHA256: photo.SHA256, UploadedAt: noon.Truncate(time.Millisecond),
	}
	if p.Upload != want {
		t.Errorf("upload %+v, want %+v", p.Upload, want)
	}
	if p.Label != "Vinfast_VF_8" || p.Score != 0.9 || len(p.Scores) != 2 || p.Notice != "demo" || !p.Stored {
		t.Errorf("prediction %+v", p)
	}
	w.kept(t, p, photo)
}

// An error means: not kept, and the way is free for another try.
func TestClassifyErrorKeepsNothing(t *testing.T) {
	for _, c := range []struct {
		step        string
		fault, want error
	}{
		{"add", errDisk, car.ErrSpoolUnavailable},
		{"add", car.ErrInFlight, car.ErrInFlight},
		{"invoke", car.ErrEndpointUnavailable, car.ErrEndpointUnavailable},
		{"invoke", car.ErrEndpointTimeout, car.ErrEndpointTimeout},
		{"invoke", context.Canceled, context.Canceled},
		{"promise", errDisk, car.ErrSpoolUnavailable},
	} {
		t.Run(c.step+": "+c.fault.Error(), func(t *testing.T) {
			w, photo := newWorld(), photoOf(t, "plain.jpg")
			w.faults[c.step] = c.fault
			flow := w.classifier(t)
			if _, err := flow.Classify(t.Context(), id, photo); !errors.Is(err, c.want) || !errors.Is(err, c.fault) {
				t.Fatalf("error %v, want %v for %v", err, c.want, c.fault)
			}
			w.nothingKept(t)
			w.heal()
			if n, err := flow.Resume(t.Context()); n != 0 || err != nil {
				t.Errorf("Resume finishes %d, %v of an upload that was refused", n, err)
			}
			p, err := flow.Classify(t.Context(), id, photo)
			if err != nil || !p.Stored {
				t.Fatalf("another try: %+v, %v", p, err)
			}
			w.kept(t, p, photo)
		})
	}
}

// When the spool entry of a refused upload cannot be removed, both faults are
// told: the upload may come back.
func TestClassifyTellsThatItCannotRemove(t *testing.T) {
	w := newWorld()
	w.faults["invoke"], w.faults["remove"] = car.ErrEndpointTimeout, errDisk
	_, err := w.classifier(t).Classify(t.Context(), id, photoOf(t, "plain.jpg"))
	if !errors.Is(err, car.ErrEndpointTimeout) || !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
	if w.entries[id].held {
		t.Error("the id stays in flight for ever")
	}
}

// Whatever fails behind the promise, the upload is acknowledged as pending and
// Resume finishes it as the same prediction, without asking the model again.
func TestClassifyStoresLater(t *testing.T) {
	for _, step := range []string{"open", "put", "insert", "remove"} {
		t.Run(step, func(t *testing.T) {
			w, photo := newWorld(), photoOf(t, "plain.jpg")
			w.faults[step] = errStore
			flow := w.classifier(t)
			p, err := flow.Classify(t.Context(), id, photo)
			if err != nil || p.Stored {
				t.Fatalf("stored %v, error %v; want pending", p.Stored, err)
			}
			if n, err := flow.Resume(t.Context()); n != 0 || !errors.Is(err, errStore) {
				t.Errorf("Resume with the store still down: %d, %v", n, err)
			}
			w.heal()
			w.now, w.reply = noon.AddDate(0, 0, 1), car.Reply{Scores: []car.Score{{Label: "Vinfast_Fadil", Value: 1}}}
			if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
				t.Fatalf("Resume: %d, %v", n, err)
			}
			w.kept(t, p, photo)
			if n := w.count("invoke"); n != 1 {
				t.Errorf("the endpoint was asked %d times", n)
			}
			if n, err := flow.Resume(t.Context()); n != 0 || err != nil {
				t.Errorf("Resume once more: %d, %v", n, err)
			}
		})
	}
}

func TestClassifyBoundsTheStore(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	w.onPut = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	flow := w.classifier(t)
	flow.StoreTimeout = time.Millisecond
	p, err := flow.Classify(t.Context(), id, photo)
	if err != nil || p.Stored {
		t.Fatalf("stored %v, error %v; want pending", p.Stored, err)
	}
	w.heal()
	flow.StoreTimeout = time.Minute
	if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
		t.Fatalf("Resume: %d, %v", n, err)
	}
	w.kept(t, p, photo)
}

func TestClassifyStoresWhenTheCallerHasGone(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	ctx, hangUp := context.WithCancel(t.Context())
	w.onInvoke = hangUp
	w.onPut = func(ctx context.Context) error { return ctx.Err() }
	p, err := w.classifier(t).Classify(ctx, id, photo)
	if err != nil || !p.Stored {
		t.Fatalf("stored %v, error %v", p.Stored, err)
	}
	w.kept(t, p, photo)
}

func TestClassifySameIDTwice(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	flow := w.classifier(t)
	first, err := flow.Classify(t.Context(), id, photo)
	if err != nil {
		t.Fatal(err)
	}
	w.now, w.reply = noon.AddDate(0, 0, 1), car.Reply{Scores: []car.Score{{Label: "Vinfast_Fadil", Value: 1}}}
	second, err := flow.Classify(t.Context(), id, photo)
	if err != nil || second.Upload != first.Upload || second.Label != first.Label || !second.Stored {
		t.Errorf("second answer %+v, %v; want the first %+v", second, err, first)
	}
	if n := w.count("invoke"); n != 1 {
		t.Errorf("the endpoint was asked %d times", n)
	}
	w.kept(t, first, photo)
}

// With the look-up failing nobody knows of the first upload until the insert;
// it must stay single even when the second began on another day.
func TestClassifySameIDStaysSingle(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	flow := w.classifier(t)
	first, err := flow.Classify(t.Context(), id, photo)
	if err != nil {
		t.Fatal(err)
	}
	w.now, w.faults["look up"] = noon.AddDate(0, 0, 1), errStore
	w.reply = car.Reply{Scores: []car.Score{{Label: "Vinfast_Fadil", Value: 1}}}
	second, err := flow.Classify(t.Context(), id, photo)
	if err != nil || second.Upload != first.Upload || second.Label != first.Label || !second.Stored {
		t.Errorf("second answer %+v, %v; want the first %+v", second, err, first)
	}
	w.kept(t, first, photo)
}

func TestClassifySameIDOtherBytes(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	flow := w.classifier(t)
	first, err := flow.Classify(t.Context(), id, photo)
	if err != nil {
		t.Fatal(err)
	}
	for _, lookUp := range []error{nil, errStore} { // with and without knowing of the first in time
		w.faults["look up"] = lookUp
		for _, other := range []string{"progressive.jpg", "rgb8.png"} { // the same key, another key
			if _, err := flow.Classify(t.Context(), id, photoOf(t, other)); !errors.Is(err, car.ErrIDReused) {
				t.Errorf("%s: error %v, want %v", other, err, car.ErrIDReused)
			}
			w.kept(t, first, photo)
		}
	}
}

func TestClassifySameIDAtTheSameTime(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	flow := w.classifier(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	var answer car.Prediction
	for range 20 {
		group.Go(func() {
			p, err := flow.Classify(t.Context(), id, photo)
			if err != nil && !errors.Is(err, car.ErrInFlight) {
				t.Errorf("error %v", err)
			}
			if err == nil {
				mu.Lock()
				answer = p
				mu.Unlock()
			}
		})
	}
	group.Wait()
	w.kept(t, answer, photo)
}

// A retry while the first upload still waits is answered with its promise.
func TestClassifyPendingAgain(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	flow := w.classifier(t)
	w.faults["put"], w.faults["look up"] = errStore, errStore
	first, err := flow.Classify(t.Context(), id, photo)
	if err != nil || first.Stored {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := flow.Classify(t.Context(), id, photo)
	if err != nil || again.Stored || again.Upload != first.Upload || again.Label != first.Label {
		t.Errorf("second answer %+v, %v; want the first %+v", again, err, first)
	}
	if _, err := flow.Classify(t.Context(), id, photoOf(t, "rgb8.png")); !errors.Is(err, car.ErrIDReused) {
		t.Errorf("other bytes: error %v, want %v", err, car.ErrIDReused)
	}
	w.heal()
	if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
		t.Errorf("Resume: %d, %v", n, err)
	}
	w.kept(t, first, photo)
}

// net/http survives a handler's panic; the upload must survive it, too.
func TestClassifyPanicLetsGo(t *testing.T) {
	w, photo := newWorld(), photoOf(t, "plain.jpg")
	w.onPut = func(context.Context) error { panic("for the test") }
	flow := w.classifier(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = flow.Classify(t.Context(), id, photo) // never returns
	}()
	w.onPut = nil
	if n, err := flow.Resume(t.Context()); n != 1 || err != nil {
		t.Errorf("Resume: %d, %v", n, err)
	}
}
