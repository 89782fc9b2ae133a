package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"vinfast-classifier/app/car"
)

// A claim is a symbolic link "claims/<upload id>" whose target is the token of
// the process that holds the upload. A symbolic link appears whole or not at
// all, and only once, on NFS too. Two may remove it: its owner, and the one
// process that has won the right to bury that owner, by renaming the owner's
// file in "instances" to "<owner>.<itself>".

// claim takes an id for this process; car.ErrInFlight if another has it.
func (s *Spool) claim(id string) (token string, err error) {
	token, good := s.lease.current()
	if !good {
		return "", errLease
	}
	err = os.Symlink(token, s.path(claims, id))
	if errors.Is(err, fs.ErrExist) {
		// Ours is one whose removal failed, or whose making was told twice.
		if owner, readErr := os.Readlink(s.path(claims, id)); readErr == nil && owner == token {
			return token, nil
		}
		return "", car.ErrInFlight
	}
	return token, err
}

var errLease = fmt.Errorf("this instance could not write to the spool for %s", expiry-margin)

// owns tells whether a claim made under token still stands: a process that was
// silent for too long has lost all of them.
func (s *Spool) owns(token string) bool {
	current, good := s.lease.current()
	return good && current == token
}

// unclaim lets go of an id. A claim that was lost is not ours to remove.
func (s *Spool) unclaim(id, token string) {
	if !s.owns(token) {
		return
	}
	if err := os.Remove(s.path(claims, id)); err != nil && !gone(err) {
		s.log.Warn("remove spool claim", "upload_id", id, "err", err)
	}
}

// beats shows that we live, and looks after those who do not, until Close.
func (s *Spool) beats() {
	defer close(s.stopped)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.tell(s.beat())
	}
}

// tell logs that the folder is lost, and that it is back, once each: the heart
// beats every few seconds.
func (s *Spool) tell(err error) {
	switch {
	case err != nil && !s.lost:
		s.log.Error("look after the spool; no more of it is said until it works again", "err", err)
	case err == nil && s.lost:
		s.log.Info("the spool can be looked after again")
	}
	s.lost = err != nil
}

// beat renews our lease and buries the dead. What it lists it lists anew: NFS
// asks the server when a folder is opened, not when a name is looked up.
func (s *Spool) beat() error {
	began := time.Now()
	now, err := s.lease.renew()
	if err != nil && !gone(err) {
		return fmt.Errorf("renew the spool lease: %w", err)
	}
	held, err := os.ReadDir(s.path(claims))
	if err != nil {
		return err
	}
	files, err := os.ReadDir(s.path(instances))
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for _, file := range files {
		here[file.Name()] = true
	}
	token, _ := s.lease.current()
	if !here[token] {
		s.log.Error("this instance was silent for too long and was taken for dead; it goes on under a new name", "silence", expiry)
		return s.lease.join()
	}
	if !now.IsZero() {
		s.lease.trust(began)
		s.mu.Lock()
		s.usage.ahead = now.Sub(began)
		s.mu.Unlock()
	}
	if _, err := s.survey(); err != nil {
		return err
	}
	var faults []error
	for name := range here {
		if err := s.judge(name, here, now); err != nil {
			faults = append(faults, fmt.Errorf("instance %s: %w", name, err))
		}
	}
	faults = append(faults, s.adoptOrphans(held, here))
	return errors.Join(faults...)
}

// judge buries the process behind name if it is dead and nobody living does so.
func (s *Spool) judge(name string, here map[string]bool, now time.Time) error {
	token, _ := s.lease.current()
	owner, undertaker, begun := strings.Cut(name, ".")
	switch {
	case name == token, begun && undertaker != token && here[undertaker]:
		return nil
	case !begun:
		dead, err := s.lease.dead(name, now)
		if err != nil || !dead {
			return err
		}
	}
	mine := owner + "." + token
	if name != mine {
		if err := os.Rename(s.path(instances, name), s.path(instances, mine)); err != nil {
			if gone(err) {
				return nil // another was faster
			}
			return err
		}
	}
	return s.bury(owner, token)
}

// bury frees what the dead owner held.
func (s *Spool) bury(owner, token string) error {
	held, err := os.ReadDir(s.path(claims))
	if err != nil {
		return err
	}
	freed := 0
	for _, claim := range held {
		target, err := os.Readlink(s.path(claims, claim.Name()))
		if gone(err) || err == nil && target != owner {
			continue
		}
		if err != nil {
			return err
		}
		if !s.owns(token) {
			return errLease
		}
		if err := os.Remove(s.path(claims, claim.Name())); err != nil && !gone(err) {
			return err
		}
		freed++
	}
	s.log.Warn("took over from an instance that ended", "instance", owner, "uploads", freed)
	return os.Remove(s.path(instances, owner+"."+token))
}

// adoptOrphans gives claims whose owner has no file one that will never be
// renewed, so that they end like others. That takes a hand in the folder.
func (s *Spool) adoptOrphans(held []os.DirEntry, here map[string]bool) error {
	known := map[string]bool{}
	for name := range here {
		owner, _, _ := strings.Cut(name, ".")
		known[owner] = true
	}
	for _, claim := range held {
		if s.holds(claim.Name()) {
			continue
		}
		owner, err := os.Readlink(s.path(claims, claim.Name()))
		if gone(err) || err == nil && known[owner] {
			continue
		}
		if err != nil {
			return err
		}
		if !validID.MatchString(owner) {
			return fmt.Errorf("the claim %s names %.40q, which is no instance", claim.Name(), owner)
		}
		known[owner] = true
		f, err := os.OpenFile(s.path(instances, owner), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// gone: the file is not there (any more). ESTALE is how NFS says so of a file
// that another machine removed while we looked.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESTALE) }
