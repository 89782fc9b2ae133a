package spool_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
)

func TestLook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	if _, err := spool.Look(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
	s, err := spool.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	look := func() spool.State {
		t.Helper()
		state, err := spool.Look(dir)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	if got := look(); got != (spool.State{}) {
		t.Errorf("empty: %+v", got)
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	for i, digit := range []string{"a", "b"} {
		id := strings.Repeat(digit, 36)
		u := car.NewUpload(id, car.Photo{Original: []byte("photo"), ContentType: "image/jpeg"}, time.Now())
		ticket, err := s.Add(u, []byte("photo"))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := os.Chtimes(filepath.Join(dir, id), old, old); err != nil {
				t.Fatal(err)
			}
			defer ticket.Release()
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "damaged", "entry.1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := look(); got.Entries != 2 || got.Bytes < 10 || !got.Oldest.Equal(old) || got.Damaged != 1 {
		t.Errorf("two waiting, one damaged: %+v", got)
	}
}
