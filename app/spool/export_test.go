package spool

import "time"

// Beat does at once what is done every few seconds.
func (s *Spool) Beat() error { return s.beat() }

// Look does at once what is done every few seconds, and logs what is logged.
func (s *Spool) Look() { s.tell(s.beat()) }

// Die ends the spool as kill -9 ends its process: nothing is let go of but what
// the kernel lets go of. It may be called twice.
func (s *Spool) Die() {
	s.halt()
	_ = s.lease.file.Close() // twice is an error
}

// Stall stops the signs of life and lets a time pass since the last one, as
// this process sees it; the lock stays.
func (s *Spool) Stall(since time.Duration) {
	s.halt()
	s.lease.trust(time.Now().Add(-since))
}

// Halt ends what is done every few seconds.
func (s *Spool) Halt() { s.halt() }

func (s *Spool) halt() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	<-s.stopped
}

// Token is the name this process has among the instances.
func (s *Spool) Token() string {
	token, _ := s.lease.current()
	return token
}

const Expiry = expiry

// Path is that of a file in the spool.
func (s *Spool) Path(parts ...string) string { return s.path(parts...) }

// Bound sets what the spool takes.
func (s *Spool) Bound(uploads int, bytes int64) { s.most.uploads, s.most.bytes = uploads, bytes }
