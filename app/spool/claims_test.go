package spool_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
)

// beats lets a spool do what it does every few seconds.
func beats(t *testing.T, s *spool.Spool) {
	t.Helper()
	if err := s.Beat(); err != nil {
		t.Fatal(err)
	}
}

// elsewhere makes a spool look like one on another machine that was silent for
// a time.
func elsewhere(t *testing.T, s *spool.Spool, silent time.Duration) {
	t.Helper()
	path := s.Path("instances", s.Token())
	if err := os.WriteFile(path, []byte("another machine"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-silent)
	written(t, path, at)
}

// claimed tells whether another instance is kept from an upload.
func claimed(t *testing.T, s *spool.Spool, id string) bool {
	t.Helper()
	ids, err := s.Waiting()
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := s.Claim(id)
	if err == nil {
		ticket.Release()
	} else if !errors.Is(err, car.ErrInFlight) {
		t.Fatal(err)
	}
	if listed := slices.Contains(ids, id); listed != (err == nil) {
		t.Errorf("Waiting lists it: %v, Claim says %v", listed, err)
	}
	return err != nil
}

func TestAnotherInstanceLeavesTheHeldAlone(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	ticket := add(t, a, noon)
	id := ticket.Upload().ID
	beats(t, b)
	if !claimed(t, b, id) {
		t.Error("what a holds is b's")
	}
	if _, err := b.Add(upload(id, picture, noon), picture); !errors.Is(err, car.ErrInFlight) {
		t.Errorf("b adds it, too: %v", err)
	}
	ticket.Release()
	if claimed(t, b, id) {
		t.Error("what a let go of cannot be claimed")
	}
	beats(t, a)
	beats(t, b)
	theirs, err := b.Claim(id)
	if err != nil {
		t.Fatal(err)
	}
	if !claimed(t, a, id) {
		t.Error("what b holds is a's")
	}
	if err := theirs.Remove(); err != nil {
		t.Fatal(err)
	}
	if names := files(t, dir); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

// TestTheDeadAreTakenOver: by the lock on the same machine at once, from
// another one after the expiry, and never before.
func TestTheDeadAreTakenOver(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*testing.T, *spool.Spool)
		dead bool
	}{
		"killed on this machine": {func(_ *testing.T, s *spool.Spool) { s.Die() }, true},
		"alive on this machine":  {func(*testing.T, *spool.Spool) {}, false},
		"silent on this machine": {func(t *testing.T, s *spool.Spool) {
			written(t, s.Path("instances", s.Token()), time.Now().Add(-2*spool.Expiry))
		}, true},
		"killed on another, but not yet": {func(t *testing.T, s *spool.Spool) { s.Die(); elsewhere(t, s, spool.Expiry/3) }, false},
		"silent on another":              {func(t *testing.T, s *spool.Spool) { elsewhere(t, s, spool.Expiry+time.Second) }, true},
		"ahead of our clock":             {func(t *testing.T, s *spool.Spool) { elsewhere(t, s, -time.Hour) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, b := open(t, dir), open(t, dir)
			id := add(t, a, noon).Upload().ID
			c.end(t, a)
			beats(t, b)
			if got := !claimed(t, b, id); got != c.dead {
				t.Errorf("taken over: %v, want %v", got, c.dead)
			}
		})
	}
}

// TestWhoWasSilentTooLongTouchesNothing: its uploads may be another's.
func TestWhoWasSilentTooLongTouchesNothing(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	kept, other := add(t, a, noon), add(t, a, noon)
	id := kept.Upload().ID
	a.Stall(2 * spool.Expiry)
	elsewhere(t, a, 2*spool.Expiry)
	beats(t, b)
	theirs, err := b.Claim(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Promise(promise(kept.Upload())); !errors.Is(err, car.ErrInFlight) {
		t.Errorf("the old holder promises: %v", err)
	}
	if err := kept.Remove(); !errors.Is(err, car.ErrInFlight) {
		t.Errorf("the old holder removes: %v", err)
	}
	if _, err := a.Add(upload(uuid.NewString(), picture, noon), picture); err == nil {
		t.Error("it takes uploads")
	}
	before := a.Token()
	beats(t, a)
	if a.Token() == before {
		t.Error("it goes on under the name of a dead one")
	}
	if err := other.Remove(); !errors.Is(err, car.ErrInFlight) {
		t.Errorf("the old holder, back in life, removes: %v", err)
	}
	if !claimed(t, a, id) {
		t.Error("the new holder's claim is gone")
	}
	if err := theirs.Remove(); err != nil {
		t.Fatal(err)
	}
	if claimed(t, a, other.Upload().ID) {
		t.Error("the other upload is held by nobody alive")
	}
}

// TestUndertakersDie: who dies while it frees what a dead one held is buried
// itself, and its work is done.
func TestUndertakersDie(t *testing.T) {
	dir := t.TempDir()
	a, b, c := open(t, dir), open(t, dir), open(t, dir)
	id := add(t, a, noon).Upload().ID
	a.Die()
	b.Die()
	if err := os.Rename(a.Path("instances", a.Token()), a.Path("instances", a.Token()+"."+b.Token())); err != nil {
		t.Fatal(err)
	}
	beats(t, c) // buries b
	beats(t, c) // and what b had begun
	if claimed(t, c, id) {
		t.Error("the upload is still held")
	}
	if names, err := os.ReadDir(c.Path("instances")); err != nil || len(names) != 1 {
		t.Errorf("instances: %v, %v", names, err)
	}
}

// TestClaimsWithoutAnOwner end as those of the dead do.
func TestClaimsWithoutAnOwner(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ticket := add(t, s, noon)
	ticket.Release()
	id, nobody := ticket.Upload().ID, uuid.NewString()
	if err := os.Symlink(nobody, s.Path("claims", id)); err != nil {
		t.Fatal(err)
	}
	beats(t, s)
	if !claimed(t, s, id) {
		t.Error("freed at once, although its owner may only be late")
	}
	written(t, s.Path("instances", nobody), time.Now().Add(-2*spool.Expiry))
	beats(t, s)
	if claimed(t, s, id) {
		t.Error("held for ever")
	}
}

// TestACloseLetsGo: another instance goes on at once.
func TestACloseLetsGo(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	id := add(t, a, noon).Upload().ID
	a.Die()
	c := open(t, dir)
	if claimed(t, b, id) {
		t.Error("a new instance does not bury at its start")
	}
	held, err := c.Claim(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if claimed(t, b, id) {
		t.Error("a closed spool holds on")
	}
	held.Release() // after Close it does nothing
	names, err := os.ReadDir(b.Path("instances"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name.Name(), c.Token()) {
			t.Error("its sign of life is left")
		}
	}
}

// TestTheSpoolIsBounded: in count and in bytes, for all instances together.
func TestTheSpoolIsBounded(t *testing.T) {
	for name, most := range map[string]struct {
		uploads int
		bytes   int64
	}{"count": {3, 1 << 30}, "bytes": {100, int64(4*len(picture) + 700)}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, b := open(t, dir), open(t, dir)
			a.Bound(most.uploads, most.bytes)
			b.Bound(most.uploads, most.bytes)
			first := add(t, a, noon)
			add(t, b, noon)
			beats(t, a)
			add(t, a, noon)
			_, err := a.Add(upload(uuid.NewString(), make([]byte, 1000), noon), make([]byte, 1000))
			if !errors.Is(err, car.ErrSpoolFull) {
				t.Errorf("a takes too much: %v", err)
			}
			state, err := a.State()
			if err != nil || state.Uploads != 3 || state.Claimed != 3 || state.Bytes < int64(3*len(picture)) || state.Oldest < time.Hour {
				t.Errorf("state %+v, %v", state, err)
			}
			if err := first.Remove(); err != nil {
				t.Fatal(err)
			}
			if err := add(t, a, noon).SetAside(errors.New("for the test")); err != nil {
				t.Fatal(err)
			}
			if state, err = a.State(); err != nil || state.Uploads != 2 || state.Damaged != 1 {
				t.Errorf("state %+v, %v", state, err)
			}
		})
	}
}
