// Package spool is the durable outbox: uploads wait in a folder of the shared
// file system until S3 and MySQL have them. One file is one upload (entry.go
// tells its format); a file under its final name is always whole.
package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"vinfast-classifier/app/car"
)

// Folders inside the spool's.
const (
	unfinished = "tmp"       // entries being written, probes
	damaged    = "damaged"   // entries that do not read back
	claims     = "claims"    // who holds which upload
	instances  = "instances" // who lives
)

// leftOver is the age from which an unfinished file has no living writer, on
// whatever instance.
const leftOver = time.Hour

// ErrDamaged: an entry does not read back as it was written.
var ErrDamaged = errors.New("spool entry is damaged")

// An id is a file name, so it must not be a path.
var validID = regexp.MustCompile(`^[0-9a-f-]{36}$`)

// Spool implements car.Spool on a folder that several processes, on several
// machines, may share: each upload is held by one of them at a time.
type Spool struct {
	dir   string
	log   *slog.Logger
	lease lease

	stop    chan struct{} // closed by Close
	stopped chan struct{} // closed when beats has returned
	lost    bool          // the last look after the folder failed; of beats alone

	most struct {
		uploads int
		bytes   int64
	}

	mu    sync.Mutex
	held  map[string]*ticket // by upload id
	usage usage
}

// Open returns the spool in dir, which is made if missing. What killed
// processes left unfinished there is removed when it is old. Damaged entries
// are reported to log. Until Close it tells the other processes, every few
// seconds, that it lives.
func Open(dir string, log *slog.Logger) (*Spool, error) {
	s := &Spool{dir: dir, log: log, held: map[string]*ticket{}, stop: make(chan struct{}), stopped: make(chan struct{})}
	for _, folder := range []string{unfinished, damaged, claims, instances} {
		if err := os.MkdirAll(s.path(folder), 0o700); err != nil {
			return nil, fmt.Errorf("open spool: %w", err)
		}
	}
	s.most.uploads, s.most.bytes = maxUploads, maxBytes
	s.lease.folder, s.lease.drafts = s.path(instances), s.path(unfinished)
	for _, folder := range []string{filepath.Dir(dir), dir} {
		if err := syncFolder(folder); err != nil {
			return nil, fmt.Errorf("open spool: %w", err)
		}
	}
	if err := s.begin(); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	go s.beats()
	return s, nil
}

// begin joins the others and cleans up after those who ended.
func (s *Spool) begin() error {
	if err := s.lease.join(); err != nil {
		return err
	}
	now, err := s.lease.renew()
	if err != nil {
		return err
	}
	s.tell(s.beat()) // the next beat tries again
	return s.clean(now.Add(-leftOver))
}

// Close lets go of everything, for other processes to take over at once. The
// spool is not to be used any more.
func (s *Spool) Close() error {
	close(s.stop)
	<-s.stopped
	s.mu.Lock()
	tickets := slices.Collect(maps.Values(s.held))
	s.mu.Unlock()
	for _, t := range tickets {
		t.Release()
	}
	if err := s.lease.leave(); err != nil {
		return fmt.Errorf("close spool: %w", err)
	}
	return nil
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
// car.ErrInFlight if the id is in the spool already, car.ErrSpoolFull if too
// much waits; after any error nothing of the upload is left.
func (s *Spool) Add(u car.Upload, original []byte) (car.Ticket, error) {
	if !validID.MatchString(u.ID) {
		return nil, fmt.Errorf("add %q to the spool: not a valid id", u.ID)
	}
	if u.Size != int64(len(original)) {
		return nil, fmt.Errorf("add %s to the spool: %d bytes announced, %d given", u.ID, u.Size, len(original))
	}
	if err := s.room(u.Size); err != nil {
		return nil, fmt.Errorf("add %s to the spool: %w", u.ID, err)
	}
	t := &ticket{spool: s, id: u.ID}
	if err := s.hold(t); err != nil {
		return nil, fmt.Errorf("add %s to the spool: %w", u.ID, err)
	}
	var err error
	if t.entry, err = s.write(u, original); err != nil {
		s.release(t)
		if errors.Is(err, fs.ErrExist) {
			err = car.ErrInFlight
		}
		return nil, fmt.Errorf("add %s to the spool: %w", u.ID, err)
	}
	s.count(u.ID, t.entry.start+u.Size)
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

// Waiting lists the uploads that nobody holds, oldest first.
func (s *Spool) Waiting() ([]string, error) {
	files, err := s.survey()
	if err != nil {
		return nil, err
	}
	claimed, err := os.ReadDir(s.path(claims))
	if err != nil {
		return nil, fmt.Errorf("list spool claims: %w", err)
	}
	taken := map[string]bool{}
	for _, claim := range claimed {
		taken[claim.Name()] = s.taken(claim.Name())
	}
	maps.DeleteFunc(files, func(id string, _ known) bool { return taken[id] || s.holds(id) })
	return slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		return cmp.Or(files[a].written.Compare(files[b].written), cmp.Compare(a, b))
	}), nil
}

// Claim takes hold of an upload that waits. car.ErrInFlight if another has it;
// car.ErrNotFound if it is not there, or was set aside just now because it does
// not read back.
func (s *Spool) Claim(id string) (car.Ticket, error) {
	t := &ticket{spool: s, id: id, unchecked: true}
	if err := s.hold(t); err != nil {
		return nil, fmt.Errorf("claim %s: %w", id, err)
	}
	err := t.load()
	if err == nil {
		return t, nil
	}
	if errors.Is(err, ErrDamaged) {
		if err = errors.Join(err, t.SetAside(err)); t.removed {
			err = fmt.Errorf("%w: %w", car.ErrNotFound, err)
		}
	} else if gone(err) {
		err = car.ErrNotFound
	}
	s.release(t)
	return nil, fmt.Errorf("claim %s: %w", id, err)
}

// Find returns the promised prediction of an upload that waits, and its photo,
// which the caller closes. The error is car.ErrNotFound if no such upload is
// in the spool, or nothing was promised yet; then it is car.ErrInFlight, too.
func (s *Spool) Find(id string) (car.Prediction, io.ReadSeekCloser, error) {
	if !validID.MatchString(id) {
		return car.Prediction{}, nil, fmt.Errorf("find %q in the spool: %w", id, car.ErrNotFound)
	}
	f, err := os.Open(s.path(id))
	if gone(err) {
		err = car.ErrNotFound
	}
	if err != nil {
		return car.Prediction{}, nil, fmt.Errorf("find %s in the spool: %w", id, err)
	}
	e, err := readEntry(f, id)
	if err == nil && e.promised == nil {
		err = fmt.Errorf("%w: %w", car.ErrInFlight, car.ErrNotFound)
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
