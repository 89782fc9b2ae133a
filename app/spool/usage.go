package spool

import (
	"fmt"
	"maps"
	"os"
	"time"

	"vinfast-classifier/app/car"
)

// Bounds of the spool, of all instances together. Each counts the folder every
// beat, and what it adds itself at once: they are exceeded by at most what the
// other instances take within one beat.
const (
	maxUploads = 10_000
	maxBytes   = 10 << 30
)

// known is what was seen of an entry's file. Its size hardly changes, so it is
// asked for once: each question is a round trip to the file server.
type known struct {
	bytes   int64
	written time.Time
}

// usage is what the folder held when it was listed last.
type usage struct {
	files map[string]known
	bytes int64
	ahead time.Duration // the file server's clock before ours
}

// survey lists the folder.
func (s *Spool) survey() (map[string]known, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	s.mu.Lock()
	before := maps.Clone(s.usage.files)
	s.mu.Unlock()
	files, total := map[string]known{}, int64(0)
	for _, id := range ids {
		file, seen := before[id]
		if !seen {
			info, err := os.Lstat(s.path(id))
			if gone(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("list spool: %w", err)
			}
			file = known{info.Size(), info.ModTime()}
		}
		files[id], total = file, total+file.bytes
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage.files, s.usage.bytes = files, total
	return maps.Clone(files), nil
}

// room is car.ErrSpoolFull if an upload of n bytes does not fit.
func (s *Spool) room(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.usage.files) < s.most.uploads && s.usage.bytes+n <= s.most.bytes {
		return nil
	}
	return fmt.Errorf("%d uploads with %d bytes wait: %w", len(s.usage.files), s.usage.bytes, car.ErrSpoolFull)
}

// count notes at once what this process adds.
func (s *Spool) count(id string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.usage.files[id]; !seen {
		s.usage.files[id] = known{n, time.Now().Add(s.usage.ahead)}
		s.usage.bytes += n
	}
}

// discount notes at once what this process takes out.
func (s *Spool) discount(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage.bytes -= s.usage.files[id].bytes
	delete(s.usage.files, id)
}

// State tells how full the spool is.
func (s *Spool) State() (car.SpoolState, error) {
	files, err := s.survey()
	if err != nil {
		return car.SpoolState{}, err
	}
	state := car.SpoolState{Uploads: len(files), MaxUploads: s.most.uploads, MaxBytes: s.most.bytes}
	s.mu.Lock()
	state.Bytes = s.usage.bytes
	now := time.Now().Add(s.usage.ahead)
	s.mu.Unlock()
	for _, file := range files {
		state.Oldest = max(state.Oldest, now.Sub(file.written))
	}
	for folder, n := range map[string]*int{claims: &state.Claimed, damaged: &state.Damaged} {
		names, err := os.ReadDir(s.path(folder))
		if err != nil {
			return car.SpoolState{}, fmt.Errorf("list spool: %w", err)
		}
		*n = len(names)
	}
	return state, nil
}
