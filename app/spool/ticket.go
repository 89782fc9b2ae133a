package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"vinfast-classifier/app/car"
)

// ticket implements car.Ticket. It is used by one goroutine at a time.
type ticket struct {
	spool *Spool
	path  string
	entry entry
	// unchecked: the photo was written by an earlier run and has not been
	// held against its checksum yet.
	unchecked bool
}

func oldestFirst(found []*ticket) []car.Ticket {
	slices.SortFunc(found, func(a, b *ticket) int {
		if c := a.entry.upload.UploadedAt.Compare(b.entry.upload.UploadedAt); c != 0 {
			return c
		}
		return strings.Compare(a.entry.upload.ID, b.entry.upload.ID)
	})
	tickets := make([]car.Ticket, len(found))
	for i, t := range found {
		tickets[i] = t
	}
	return tickets
}

func (t *ticket) load(id string) error {
	f, err := os.Open(t.path)
	if err != nil {
		return err
	}
	t.entry, err = readEntry(f, id)
	return errors.Join(err, f.Close())
}

// Upload is what Add was given.
func (t *ticket) Upload() car.Upload { return t.entry.upload }

// Open reads the original bytes. If they are damaged, the entry is set aside.
func (t *ticket) Open() (io.ReadSeekCloser, error) {
	id := t.entry.upload.ID
	f, err := os.Open(t.path)
	if err != nil {
		return nil, fmt.Errorf("open spooled photo %s: %w", id, err)
	}
	photo := t.entry.photo(f)
	if t.unchecked {
		if err := t.entry.check(photo); err != nil {
			t.spool.setAside(id, err)
			return nil, errors.Join(fmt.Errorf("open spooled photo %s: %w", id, err), f.Close())
		}
		t.unchecked = false
	}
	return photo, nil
}

// Promise writes the prediction behind the photo. It may be acknowledged when
// Promise has returned nil, and only then: a line that a crash tore fails its
// checksum and counts as not written. A second promise is refused.
func (t *ticket) Promise(p car.Prediction) error {
	id := t.entry.upload.ID
	if t.entry.promised != nil {
		return fmt.Errorf("promise %s: already promised", id)
	}
	if p.ID != id {
		return fmt.Errorf("promise %s: the prediction is of %s", id, p.ID)
	}
	line, err := seal(p)
	if err != nil {
		return fmt.Errorf("promise %s: %w", id, err)
	}
	f, err := os.OpenFile(t.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("promise %s: %w", id, err)
	}
	// What an earlier, torn promise left behind the photo goes first.
	end := t.entry.start + t.entry.upload.Size
	err = f.Truncate(end)
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("promise %s: %w", id, err), f.Close())
	}
	if err := writeSync(f, line); err != nil {
		return fmt.Errorf("promise %s: %w", id, err)
	}
	t.entry.promised = &p
	return nil
}

// Promised returns what Promise wrote, if it did.
func (t *ticket) Promised() (car.Prediction, bool) {
	if t.entry.promised == nil {
		return car.Prediction{}, false
	}
	return *t.entry.promised, true
}

// Release leaves the upload for Waiting to find. After Remove it does nothing.
func (t *ticket) Release() { t.spool.release(t.entry.upload.ID, t) }

// Remove takes the upload out of the spool. If it fails, the entry may come
// back after a crash; doing its work again changes nothing then.
func (t *ticket) Remove() error {
	defer t.Release()
	err := os.Remove(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = syncFolder(t.spool.dir)
	}
	if err != nil {
		return fmt.Errorf("remove %s from the spool: %w", t.entry.upload.ID, err)
	}
	return nil
}
