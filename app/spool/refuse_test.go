package spool_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
)

func TestAddRefuses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, id := range []string{"", ".", "..", "../../../../../../../../../etc/passwd0", "damaged", strings.Repeat("a", 35), strings.Repeat("a", 37),
		strings.Repeat("A", 36), strings.Repeat("a", 35) + "/", strings.Repeat("a", 36) + "\n", strings.Repeat("a", 35) + "\x00"} {
		if _, err := s.Add(upload(id, picture, noon), picture); err == nil {
			t.Errorf("id %q passed", id)
		}
		if _, _, err := s.Find(id); !errors.Is(err, car.ErrNotFound) {
			t.Errorf("Find(%q): %v, want ErrNotFound", id, err)
		}
	}
	if _, err := s.Add(upload(uuid.NewString(), picture, noon), picture[1:]); err == nil {
		t.Error("a photo of another size passed")
	}
	if names := files(t, dir); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

func TestPromiseRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	ticket := add(t, s, noon)
	if err := ticket.Promise(promise(upload(uuid.NewString(), picture, noon))); err == nil {
		t.Error("another upload's prediction passed")
	}
	huge := promise(ticket.Upload())
	huge.Notice = strings.Repeat("x", 1<<20)
	if err := ticket.Promise(huge); err == nil {
		t.Error("a prediction that cannot be read back passed")
	}
	if err := ticket.Promise(promise(ticket.Upload())); err != nil {
		t.Fatal(err)
	}
	if err := ticket.Promise(promise(ticket.Upload())); err == nil {
		t.Error("a second promise passed")
	}
}

func TestPing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Ping(); err != nil {
		t.Fatal(err)
	}
	if names := files(t, dir); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(); err == nil {
		t.Error("a spool whose folder is gone answers")
	}
	if _, err := s.Waiting(); err == nil {
		t.Error("Waiting says nothing about it")
	}
	if _, err := s.State(); err == nil {
		t.Error("State says nothing about it")
	}
	if _, err := s.Add(upload(uuid.NewString(), picture, noon), picture); err == nil {
		t.Error("Add says nothing about it")
	}
}

// A lost folder is said once, not with every heartbeat, and so is its return.
func TestLostFolderIsLoggedOnce(t *testing.T) {
	var said strings.Builder
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := spool.Open(dir, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.Halt()
	t.Cleanup(s.Die)
	for range 2 {
		if err := os.Rename(dir, dir+".away"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.Look()
		}
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.Look()
		}
	}
	lost, back := strings.Count(said.String(), "level=ERROR"), strings.Count(said.String(), "level=INFO")
	if lost != 2 || back != 2 {
		t.Errorf("lost twice and back twice; said %d and %d times:\n%s", lost, back, &said)
	}
}

func TestOldUnfinishedFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	old, young := filepath.Join(dir, "tmp", "old"), filepath.Join(dir, "tmp", "young")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if n := len(waiting(t, open(t, dir))); n != 0 {
		t.Errorf("%d tickets out of unfinished files", n)
	}
	if names := files(t, dir); !slices.Equal(names, []string{"tmp/young"}) {
		t.Errorf("left: %v", names)
	}
}
