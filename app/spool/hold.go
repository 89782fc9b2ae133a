package spool

import (
	"os"

	"vinfast-classifier/app/car"
)

// hold gives a ticket its id, here and on the shared folder, unless another has
// it.
func (s *Spool) hold(t *ticket) error {
	s.mu.Lock()
	if s.held[t.id] != nil {
		s.mu.Unlock()
		return car.ErrInFlight
	}
	s.held[t.id] = t
	s.mu.Unlock()
	token, err := s.claim(t.id)
	if err != nil {
		s.drop(t)
		return err
	}
	t.token = token
	return nil
}

// release takes the id from a ticket that has it. Of a ticket that was
// released before, the id may be another's by now.
func (s *Spool) release(t *ticket) {
	s.mu.Lock()
	has := s.held[t.id] == t
	s.mu.Unlock()
	if !has {
		return
	}
	// First on the folder: as long as we hold it here, nobody else here claims.
	s.unclaim(t.id, t.token)
	s.drop(t)
}

func (s *Spool) drop(t *ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, t.id)
}

// holds tells whether a ticket of this process has the id.
func (s *Spool) holds(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id] != nil
}

// taken tells whether a claim is another's: one of ours that no ticket holds
// is left over.
func (s *Spool) taken(id string) bool {
	if s.holds(id) {
		return true
	}
	token, _ := s.lease.current()
	owner, err := os.Readlink(s.path(claims, id))
	return err != nil && !gone(err) || err == nil && owner != token
}
