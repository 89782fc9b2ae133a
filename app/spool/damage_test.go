package spool_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
)

// content is an entry's file before and after the promise.
func content(t *testing.T) (u car.Upload, added, promised []byte) {
	t.Helper()
	dir := t.TempDir()
	ticket := add(t, open(t, dir), noon)
	u = ticket.Upload()
	path := filepath.Join(dir, u.ID)
	added = readFile(t, path)
	if err := ticket.Promise(promise(u)); err != nil {
		t.Fatal(err)
	}
	return u, added, readFile(t, path)
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// put writes an entry's file, as a crash may have left it.
func put(t *testing.T, dir, id string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, id)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	written(t, path, noon)
}

// TestTornPromise: whatever a crash left of the promise, the upload is there
// without one, and can be promised again.
func TestTornPromise(t *testing.T) {
	u, added, promised := content(t)
	dir := t.TempDir()
	s := open(t, dir)
	for n := len(added); n < len(promised); n++ {
		torn := promised[:n]
		zeros := append(bytes.Clone(torn), make([]byte, len(promised)-n)...) // size on disk, content not
		late := append(append(bytes.Clone(added), make([]byte, n-len(added))...), promised[n:]...)
		long := append(bytes.Clone(torn), make([]byte, 4096)...) // of a longer one
		for name, data := range map[string][]byte{"short": torn, "zeros": zeros, "late": late, "long": long} {
			if bytes.Equal(data, promised) {
				continue
			}
			put(t, dir, u.ID, data)
			if _, _, err := s.Find(u.ID); !errors.Is(err, car.ErrNotFound) {
				t.Fatalf("%s at %d: Find says %v, want ErrNotFound", name, n, err)
			}
			tickets := waiting(t, s)
			if len(tickets) != 1 {
				t.Fatalf("%s at %d: %d tickets, want 1", name, n, len(tickets))
			}
			if p, ok := tickets[0].Promised(); ok {
				t.Fatalf("%s at %d: promised %+v", name, n, p)
			}
			if !bytes.Equal(read(t, tickets[0]), picture) {
				t.Fatalf("%s at %d: another photo came back", name, n)
			}
			if err := tickets[0].Promise(promise(u)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(readFile(t, filepath.Join(dir, u.ID)), promised) {
				t.Fatalf("%s at %d: the second promise left another file", name, n)
			}
			tickets[0].Release()
		}
	}
}

// TestDamagedEntryIsSetAside: a flipped bit or a cut anywhere in header or
// photo is found, reported, and keeps no other upload waiting.
func TestDamagedEntryIsSetAside(t *testing.T) {
	u, added, _ := content(t)
	header := bytes.IndexByte(added, '\n')
	dir := t.TempDir()
	s := open(t, dir)
	good := add(t, s, noon.Add(time.Second))
	good.Release()
	for n := 0; n < len(added); n += 7 {
		flipped := bytes.Clone(added)
		flipped[n] ^= 0x10
		for name, data := range map[string][]byte{"flipped": flipped, "cut": added[:n]} {
			put(t, dir, u.ID, data)
			tickets := waiting(t, s)
			if name == "flipped" && n > header {
				// The photo is read when it is needed, not at each look.
				if len(tickets) != 2 {
					t.Fatalf("flipped at %d: %d tickets, want 2", n, len(tickets))
				}
				if _, err := tickets[0].Open(); !errors.Is(err, spool.ErrDamaged) {
					t.Fatalf("flipped at %d: Open says %v, want ErrDamaged", n, err)
				}
				tickets[0].Release()
				tickets = tickets[1:]
			}
			if len(tickets) != 1 || tickets[0].Upload().ID != good.Upload().ID {
				t.Fatalf("%s at %d: the good entry does not come", name, n)
			}
			tickets[0].Release()
			kept, err := filepath.Glob(filepath.Join(dir, "damaged", u.ID+".*"))
			if err != nil || len(kept) != 1 || !bytes.Equal(readFile(t, kept[0]), data) {
				t.Fatalf("%s at %d: set aside: %v, %v", name, n, kept, err)
			}
			if err := os.Remove(kept[0]); err != nil {
				t.Fatal(err)
			}
			if left := files(t, dir); !slices.Equal(left, []string{good.Upload().ID}) {
				t.Fatalf("%s at %d: the folder has %v", name, n, left)
			}
		}
	}
}

func TestEntryUnderAnotherName(t *testing.T) {
	_, added, _ := content(t)
	id := strings.Repeat("0", 36)
	dir := t.TempDir()
	s := open(t, dir)
	put(t, dir, id, added)
	if n := len(waiting(t, s)); n != 0 {
		t.Errorf("%d tickets, want none", n)
	}
	if n := len(files(t, filepath.Join(dir, "damaged"))); n != 1 {
		t.Errorf("%d files set aside, want 1", n)
	}
}

func TestUnreadableEntryBlocksNoOther(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	// A folder under an id reads as an error that is no damage.
	if err := os.Mkdir(filepath.Join(dir, strings.Repeat("0", 36)), 0o700); err != nil {
		t.Fatal(err)
	}
	good := add(t, s, noon)
	good.Release()
	tickets := waiting(t, s)
	if len(tickets) != 1 || !reflect.DeepEqual(tickets[0].Upload(), good.Upload()) {
		t.Errorf("got %v", tickets)
	}
}
