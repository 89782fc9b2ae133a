// Package spool is the durable outbox: uploads wait in a folder of the shared
// file system until S3 and MySQL have them. One file is one upload (entry.go
// tells its format); a file under its final name is always whole.
package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"vinfast-classifier/app/car"
)

// Folders inside the spool's.
const (
	unfinished = "tmp"     // entries being written, probes
	damaged    = "damaged" // entries that do not read back
)

// leftOver is the age from which an unfinished file has no living writer, on
// whatever instance.
const leftOver = time.Hour

// ErrDamaged: an entry does not read back as it was written.
var ErrDamaged = errors.New("spool entry is damaged")

// An id is a file name, so it must not be a path.
var validID = regexp.MustCompile(`^[0-9a-f-]{36}$`)

// Spool implements car.Spool on a folder. Tickets are held within this
// process; keeping several instances apart is not its work yet.
type Spool struct {
	dir string
	log *slog.Logger

	mu   sync.Mutex
	held map[string]*ticket // by upload id
}

// Open returns the spool in dir, which is made if missing. What killed
// processes left unfinished there is removed when it is old. Damaged entries
// are reported to log.
func Open(dir string, log *slog.Logger) (*Spool, error) {
	s := &Spool{dir: dir, log: log, held: map[string]*ticket{}}
	for _, folder := range []string{unfinished, damaged} {
		if err := os.MkdirAll(s.path(folder), 0o700); err != nil {
			return nil, fmt.Errorf("open spool: %w", err)
		}
	}
	for _, folder := range []string{filepath.Dir(dir), dir} {
		if err := syncFolder(folder); err != nil {
			return nil, fmt.Errorf("open spool: %w", err)
		}
	}
	if err := s.clean(time.Now().Add(-leftOver)); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	return s, nil
}

func (s *Spool) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// clean removes unfinished files last written before a time.
func (s *Spool) clean(before time.Time) error {
	files, err := os.ReadDir(s.path(unfinished))
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // its writer has finished
		}
		if err != nil {
			return err
		}
		if info.ModTime().Before(before) {
			if err := os.Remove(s.path(unfinished, file.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Add makes the upload durable and returns its ticket, held. The error is
// car.ErrInFlight if the id is in the spool already; after any error nothing
// of the upload is left.
func (s *Spool) Add(u car.Upload, original []byte) (car.Ticket, error) {
	if !validID.MatchString(u.ID) {
		return nil, fmt.Errorf("add %q to the spool: not a valid id", u.ID)
	}
	if u.Size != int64(len(original)) {
		return nil, fmt.Errorf("add %s to the spool: %d bytes announced, %d given", u.ID, u.Size, len(original))
	}
	t := &ticket{spool: s, path: s.path(u.ID)}
	if !s.hold(u.ID, t) {
		return nil, fmt.Errorf("add %s to the spool: %w", u.ID, car.ErrInFlight)
	}
	var err error
	if t.entry, err = s.write(u, original); err != nil {
		s.release(u.ID, t)
		if errors.Is(err, fs.ErrExist) {
			err = car.ErrInFlight
		}
		return nil, fmt.Errorf("add %s to the spool: %w", u.ID, err)
	}
	return t, nil
}

// write puts an entry under its final name in this order: the content is on
// disk before the name is, and the name before we return.
func (s *Spool) write(u car.Upload, original []byte) (entry, error) {
	line, e, err := newEntry(u, original)
	if err != nil {
		return entry{}, err
	}
	f, err := os.CreateTemp(s.path(unfinished), u.ID+".*")
	if err != nil {
		return entry{}, err
	}
	final := s.path(u.ID)
	err = writeSync(f, line, original)
	if err == nil {
		// A link fails if the name exists, on NFS too, where a rename
		// would replace it unseen.
		err = link(f.Name(), final)
	}
	if err != nil {
		return entry{}, errors.Join(err, os.Remove(f.Name()))
	}
	if err := syncFolder(s.dir); err != nil {
		return entry{}, errors.Join(err, os.Remove(final), os.Remove(f.Name()))
	}
	if err := os.Remove(f.Name()); err != nil {
		// The upload is safe; a second name of its file harms nothing.
		s.log.Warn("remove unfinished spool file", "upload_id", u.ID, "err", err)
	}
	return e, nil
}

// Waiting takes hold of every entry that nobody holds, oldest first. An entry
// that does not read back is reported and never keeps the others waiting: it
// is moved to the folder "damaged", or left for the next call if reading
// failed for another reason.
func (s *Spool) Waiting() ([]car.Ticket, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	var found []*ticket
	for _, id := range ids {
		t := &ticket{spool: s, path: s.path(id), unchecked: true}
		if !s.hold(id, t) {
			continue
		}
		if err := t.load(id); err != nil {
			s.setAside(id, err)
			s.release(id, t)
			continue
		}
		found = append(found, t)
	}
	return oldestFirst(found), nil
}

// Find returns the promised prediction of an upload that waits, and its photo,
// which the caller closes. The error is car.ErrNotFound if no such upload is
// in the spool, or nothing was promised yet.
func (s *Spool) Find(id string) (car.Prediction, io.ReadSeekCloser, error) {
	if !validID.MatchString(id) {
		return car.Prediction{}, nil, fmt.Errorf("find %q in the spool: %w", id, car.ErrNotFound)
	}
	f, err := os.Open(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		err = car.ErrNotFound
	}
	if err != nil {
		return car.Prediction{}, nil, fmt.Errorf("find %s in the spool: %w", id, err)
	}
	e, err := readEntry(f, id)
	if err == nil && e.promised == nil {
		err = car.ErrNotFound
	}
	if err != nil {
		return car.Prediction{}, nil, errors.Join(fmt.Errorf("find %s in the spool: %w", id, err), f.Close())
	}
	return *e.promised, e.photo(f), nil
}

// Ping tells whether the spool takes uploads: it writes a file and removes it.
func (s *Spool) Ping() error {
	f, err := os.CreateTemp(s.path(unfinished), "probe.*")
	if err != nil {
		return fmt.Errorf("probe spool: %w", err)
	}
	err = writeSync(f, []byte("probe"))
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return fmt.Errorf("probe spool: %w", err)
	}
	return nil
}

// Len is the number of uploads in the spool, held ones included.
func (s *Spool) Len() (int, error) {
	ids, err := s.ids()
	if err != nil {
		return 0, fmt.Errorf("list spool: %w", err)
	}
	return len(ids), nil
}

// ids lists the entries. Other names are not ours: folders, files that NFS
// keeps for readers of a removed one.
func (s *Spool) ids() ([]string, error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, file := range files {
		if validID.MatchString(file.Name()) {
			ids = append(ids, file.Name())
		}
	}
	return ids, nil
}

// hold gives an id to a ticket unless another has it.
func (s *Spool) hold(id string, t *ticket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[id] != nil {
		return false
	}
	s.held[id] = t
	return true
}

// release takes an id from the ticket that has it. Of a ticket that was
// released before, the id may be another's by now.
func (s *Spool) release(id string, t *ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[id] == t {
		delete(s.held, id)
	}
}

// setAside deals with an entry that could not be read.
func (s *Spool) setAside(id string, reason error) {
	if errors.Is(reason, fs.ErrNotExist) {
		return // finished since the folder was listed
	}
	if !errors.Is(reason, ErrDamaged) {
		s.log.Error("read spool entry", "upload_id", id, "err", reason)
		return
	}
	name := fmt.Sprintf("%s.%d", id, time.Now().UnixNano())
	err := os.Rename(s.path(id), s.path(damaged, name))
	if err == nil {
		err = errors.Join(syncFolder(s.path(damaged)), syncFolder(s.dir))
	}
	if err != nil {
		s.log.Error("set damaged spool entry aside", "upload_id", id, "reason", reason, "err", err)
		return
	}
	s.log.Error("damaged spool entry was set aside", "upload_id", id, "file", s.path(damaged, name), "err", reason)
}
