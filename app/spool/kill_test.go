//go:build linux || darwin

package spool_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
	"vinfast-classifier/local/program"
)

// Environment of a child process: the spool's folder, and what to do there.
const (
	childDir  = "SPOOL_TEST_CHILD_DIR"
	childWork = "SPOOL_TEST_CHILD_WORK"
)

// TestMain runs the test binary as a child when it is told a folder.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	work := map[string]func(*spool.Spool) error{"all": workForEver, "shared": shareForEver, "full": workOnFullDisk}[os.Getenv(childWork)]
	s, err := spool.Open(dir, slog.Default())
	if err == nil {
		err = work(s)
	}
	if err != nil {
		fmt.Println("fault:", err)
		os.Exit(1)
	}
}

func child(dir, work string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = program.Environment(childDir+"="+dir, childWork+"="+work)
	c.Stderr = os.Stderr
	return c
}

// workForEver takes uploads through the spool and tells of every step that has
// returned. Every third stays unpromised, every third promised.
func workForEver(s *spool.Spool) error {
	for i := 0; ; i++ {
		ticket, err := s.Add(upload(uuid.NewString(), picture, noon), picture)
		if err != nil {
			return err
		}
		id := ticket.Upload().ID
		fmt.Println("added", id)
		if i%3 == 0 {
			continue
		}
		if err := ticket.Promise(promise(ticket.Upload())); err != nil {
			return err
		}
		fmt.Println("promised", id)
		if i%3 == 1 {
			continue
		}
		fmt.Println("removing", id)
		if err := ticket.Remove(); err != nil {
			return err
		}
		fmt.Println("removed", id)
	}
}

// shareForEver is one of several: besides its own uploads it finishes those
// promised ones that it may claim.
func shareForEver(s *spool.Spool) error {
	for {
		ticket, err := s.Add(upload(uuid.NewString(), picture, noon), picture)
		if err != nil {
			return err
		}
		id := ticket.Upload().ID
		fmt.Println("added", id)
		if err := ticket.Promise(promise(ticket.Upload())); err != nil {
			return err
		}
		fmt.Println("promised", id)
		ticket.Release()
		ids, err := s.Waiting()
		if err != nil {
			return err
		}
		for _, id := range ids {
			ticket, err := s.Claim(id)
			if errors.Is(err, car.ErrInFlight) || errors.Is(err, car.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if _, ok := ticket.Promised(); !ok {
				ticket.Release()
				continue
			}
			fmt.Println("removing", id)
			if err := ticket.Remove(); err != nil {
				return err
			}
			fmt.Println("removed", id)
		}
	}
}

// TestKilledBetweenSteps kills a working process again and again at some step,
// and holds what it had been told against what is found.
func TestKilledBetweenSteps(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for round := range 25 {
		dir := t.TempDir()
		said := map[string][]string{}
		killAfter(t, dir, "all", 1+random.IntN(30), said)
		holdAgainst(t, dir, said, 1)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// TestKilledAmongOthers: two processes work on one folder, are killed one after
// the other, and what both were told holds.
func TestKilledAmongOthers(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 0))
	for round := range 15 {
		dir := t.TempDir()
		said := []map[string][]string{{}, {}}
		var both sync.WaitGroup
		for _, one := range said {
			lines := 1 + random.IntN(120)
			both.Go(func() { killAfter(t, dir, "shared", lines, one) })
		}
		both.Wait()
		for id, steps := range said[1] {
			said[0][id] = append(said[0][id], steps...)
		}
		holdAgainst(t, dir, said[0], 2)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// holdAgainst compares what the spool in dir has with what was said of each
// upload. At most so many uploads were taken and not told of.
func holdAgainst(t *testing.T, dir string, said map[string][]string, untold int) {
	t.Helper()
	found := map[string]car.Ticket{}
	for _, ticket := range waiting(t, open(t, dir)) {
		if !bytes.Equal(read(t, ticket), picture) {
			t.Errorf("%s has another photo", ticket.Upload().ID)
		}
		found[ticket.Upload().ID] = ticket
	}
	for id, steps := range said {
		ticket := found[id]
		times := func(step string) (n int) {
			for _, s := range steps {
				if s == step {
					n++
				}
			}
			return n
		}
		switch {
		case times("removed") > 1:
			t.Errorf("%s was held by two at once: %v", id, steps)
		case times("removed") > 0 && ticket != nil:
			t.Errorf("%s was removed and is back", id)
		case times("removing") == 0 && ticket == nil:
			t.Errorf("%s was lost after %v", id, steps)
		case times("promised") > 0 && ticket != nil:
			if _, ok := ticket.Promised(); !ok {
				t.Errorf("the promise of %s is lost", id)
			}
		}
		delete(found, id)
	}
	if len(found) > untold {
		t.Errorf("%d uploads nobody was told of", len(found))
	}
	for _, name := range files(t, dir) {
		if strings.HasPrefix(name, "damaged/") {
			t.Error(name)
		}
	}
}

// killAfter runs a child until it has said so many lines, kills it, and notes
// the steps that it told of each upload.
func killAfter(t *testing.T, dir, work string, lines int, said map[string][]string) {
	c := child(dir, work)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Error(err)
		return
	}
	scanner := bufio.NewScanner(out)
	for n := 1; scanner.Scan(); n++ {
		step, id, _ := strings.Cut(scanner.Text(), " ")
		if step == "fault:" {
			t.Error(scanner.Text())
		}
		said[id] = append(said[id], step)
		if n == lines {
			if err := c.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = c.Wait() // "signal: killed"
}

// TestFullDisk runs a child whose files may not grow past every possible size.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	out, err := child(dir, "full").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if names := files(t, dir); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

// workOnFullDisk expects an error of every step that does not fit, and nothing
// of it left.
func workOnFullDisk(s *spool.Spool) error {
	signal.Ignore(syscall.SIGXFSZ) // then a write past the limit is an error
	u := upload(uuid.NewString(), picture, noon)
	size := uint64(0) // of an entry; found by trying
	for limit := uint64(0); size == 0; limit++ {
		ticket, err := limited(limit, func() (car.Ticket, error) { return s.Add(u, picture) })
		if err != nil {
			if errors.Is(err, car.ErrInFlight) || !errors.Is(err, syscall.EFBIG) {
				return fmt.Errorf("Add within %d bytes: %w", limit, err)
			}
			if state, err := s.State(); state.Uploads != 0 || err != nil {
				return fmt.Errorf("after Add within %d bytes %d entries are left, %w", limit, state.Uploads, err)
			}
			continue
		}
		size = limit
		if err := promiseOnFullDisk(s, ticket, size); err != nil {
			return err
		}
	}
	if size < uint64(len(picture)) {
		return fmt.Errorf("an entry of %d bytes fits in %d", len(picture), size)
	}
	_, err := limited(2, func() (car.Ticket, error) { return nil, s.Ping() })
	if !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("Ping on a full disk says %v", err)
	}
	return nil
}

func promiseOnFullDisk(s *spool.Spool, ticket car.Ticket, size uint64) error {
	u := ticket.Upload()
	for limit := size; ; limit++ {
		_, err := limited(limit, func() (car.Ticket, error) { return nil, ticket.Promise(promise(u)) })
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EFBIG) {
			return fmt.Errorf("Promise within %d bytes: %w", limit, err)
		}
		if _, ok := ticket.Promised(); ok {
			return fmt.Errorf("Promise within %d bytes failed and is kept", limit)
		}
		if _, _, err := s.Find(u.ID); !errors.Is(err, car.ErrNotFound) {
			return fmt.Errorf("Find after a failed Promise: %w", err)
		}
	}
	p, photo, err := s.Find(u.ID)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(photo)
	if err = errors.Join(err, photo.Close()); err != nil {
		return err
	}
	if p.ID != u.ID || !slices.Equal(data, picture) {
		return fmt.Errorf("after many failed tries the entry is another: %+v", p)
	}
	return ticket.Remove()
}

// limited calls do while no file may grow past a size.
func limited(size uint64, do func() (car.Ticket, error)) (car.Ticket, error) {
	var usual syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		return nil, err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: usual.Max}); err != nil {
		return nil, err
	}
	ticket, err := do()
	return ticket, errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &usual))
}
