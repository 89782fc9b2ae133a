package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"vinfast-classifier/app/car"
)

// ticket implements car.Ticket. It is used by one goroutine at a time.
type ticket struct {
	spool *Spool
	id    string
	token string // of the lease it was claimed under
	entry entry
	// unchecked: the photo was written by an earlier run and has not been
	// held against its checksum yet.
	unchecked bool
	removed   bool
}

func (t *ticket) path() string { return t.spool.path(t.id) }

// load reads the entry's file, photo aside.
func (t *ticket) load() error {
	f, err := os.Open(t.path())
	if err != nil {
		return err
	}
	t.entry, err = readEntry(f, t.id)
	return errors.Join(err, f.Close())
}

// mine is nil as long as nobody else can have taken over the upload. After
// that its file is not ours to touch.
func (t *ticket) mine() error {
	if t.spool.owns(t.token) {
		return nil
	}
	return fmt.Errorf("this instance was silent for too long, another may have it: %w", car.ErrInFlight)
}

// Upload is what Add was given.
func (t *ticket) Upload() car.Upload { return t.entry.upload }

// Open reads the original bytes. If they are damaged, the entry is set aside.
func (t *ticket) Open() (io.ReadSeekCloser, error) {
	id := t.id
	f, err := os.Open(t.path())
	if err != nil {
		return nil, fmt.Errorf("open spooled photo %s: %w", id, err)
	}
	photo := t.entry.photo(f)
	if t.unchecked {
		if err := t.entry.check(photo); err != nil {
			err = errors.Join(err, f.Close())
			if errors.Is(err, ErrDamaged) {
				err = errors.Join(err, t.SetAside(err))
			}
			return nil, fmt.Errorf("open spooled photo %s: %w", id, err)
		}
		t.unchecked = false
	}
	return photo, nil
}

// Promise writes the prediction behind the photo. It may be acknowledged when
// Promise has returned nil, and only then: a line that a crash tore fails its
// checksum and counts as not written. A second promise is refused.
func (t *ticket) Promise(p car.Prediction) error {
	id := t.id
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
	if err := t.mine(); err != nil {
		return fmt.Errorf("promise %s: %w", id, err)
	}
	f, err := os.OpenFile(t.path(), os.O_RDWR, 0)
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
func (t *ticket) Release() { t.spool.release(t) }

// Remove takes the upload out of the spool. If it fails, the entry may come
// back after a crash; doing its work again changes nothing then. The error is
// car.ErrInFlight if another instance has taken over: then the upload is that
// one's to finish.
func (t *ticket) Remove() error {
	defer t.Release()
	if t.removed {
		return nil
	}
	err := t.mine()
	if err == nil {
		err = os.Remove(t.path())
	}
	if gone(err) {
		err = nil
	}
	if err == nil {
		err = syncFolder(t.spool.dir)
	}
	if err != nil {
		return fmt.Errorf("remove %s from the spool: %w", t.id, err)
	}
	t.removed = true
	t.spool.discount(t.id)
	return nil
}

// SetAside moves an upload that no run can finish into the folder "damaged",
// where it stays for a person to look at.
func (t *ticket) SetAside(reason error) error {
	defer t.Release()
	s, name := t.spool, fmt.Sprintf("%s.%d", t.id, time.Now().UnixNano())
	err := t.mine()
	if err == nil {
		err = os.Rename(t.path(), s.path(damaged, name))
	}
	if err == nil {
		err = errors.Join(syncFolder(s.path(damaged)), syncFolder(s.dir))
	}
	if err != nil {
		return fmt.Errorf("set spool entry %s aside: %w", t.id, err)
	}
	t.removed = true
	s.discount(t.id)
	s.log.Error("spool entry was set aside", "upload_id", t.id, "file", s.path(damaged, name), "err", reason)
	return nil
}
