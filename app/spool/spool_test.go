package spool_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/spool"
)

func open(t *testing.T, dir string) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Die() })
	return s
}

var noon = time.Date(2024, 2, 29, 12, 0, 0, 7e6, time.UTC)

func upload(id string, original []byte, at time.Time) car.Upload {
	photo := car.Photo{Original: original, ContentType: "image/jpeg", Width: 640, Height: 480, SHA256: strings.Repeat("a1", 32)}
	return car.NewUpload(id, photo, at)
}

func promise(u car.Upload) car.Prediction {
	return car.Prediction{
		Upload: u, Label: "Vinfast_VF_8 🚗\n", Score: 0.1 + 0.2, Notice: "demo",
		Scores: []car.Score{{Label: "Vinfast_VF_8 🚗\n", Value: 0.1 + 0.2}, {Label: "Vinfast_Fadil", Value: 1e-9}},
	}
}

// picture has every byte, line breaks included.
var picture = func() []byte {
	b := make([]byte, 1<<10)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}()

func add(t *testing.T, s *spool.Spool, at time.Time) car.Ticket {
	t.Helper()
	ticket, err := s.Add(upload(uuid.NewString(), picture, at), picture)
	if err != nil {
		t.Fatal(err)
	}
	written(t, s.Path(ticket.Upload().ID), at)
	return ticket
}

// written sets when a file was written, which the clock of a file system tells
// in steps of some milliseconds.
func written(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// waiting claims everything that waits.
func waiting(t *testing.T, s *spool.Spool) []car.Ticket {
	t.Helper()
	ids, err := s.Waiting()
	if err != nil {
		t.Fatal(err)
	}
	var tickets []car.Ticket
	for _, id := range ids {
		ticket, err := s.Claim(id)
		if errors.Is(err, car.ErrInFlight) || errors.Is(err, car.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Log(err)
			continue
		}
		tickets = append(tickets, ticket)
	}
	return tickets
}

func read(t *testing.T, ticket car.Ticket) []byte {
	t.Helper()
	f, err := ticket.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// As the S3 client does: to the end for the size, and from the start.
	if n, err := f.Seek(0, io.SeekEnd); err != nil || n != ticket.Upload().Size {
		t.Errorf("the photo ends at %d, %v", n, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// files lists what is in the spool's folder and below; folders and the signs
// of life are left out.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(filepath.Dir(path)) != "instances" {
			names = append(names, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestAnUploadSurvivesItsProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shared", "spool")
	before := open(t, dir)
	plain, promised := add(t, before, noon), add(t, before, noon.Add(time.Millisecond))
	want := promise(promised.Upload())
	if err := promised.Promise(want); err != nil {
		t.Fatal(err)
	}
	before.Die()
	tickets := waiting(t, open(t, dir)) // as the next process sees it
	if len(tickets) != 2 {
		t.Fatalf("%d tickets, want 2", len(tickets))
	}
	for i, of := range []car.Ticket{plain, promised} {
		if !reflect.DeepEqual(tickets[i].Upload(), of.Upload()) {
			t.Errorf("upload %+v, want %+v", tickets[i].Upload(), of.Upload())
		}
		if !bytes.Equal(read(t, tickets[i]), picture) {
			t.Error("another photo came back")
		}
	}
	if p, ok := tickets[0].Promised(); ok {
		t.Errorf("promised %+v, which nobody did", p)
	}
	if p, ok := tickets[1].Promised(); !ok || !reflect.DeepEqual(p, want) {
		t.Errorf("promised %+v, want %+v", p, want)
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ticket := add(t, s, noon)
	if err := ticket.Promise(promise(ticket.Upload())); err != nil {
		t.Fatal(err)
	}
	if state, err := s.State(); state.Uploads != 1 || err != nil {
		t.Errorf("State counts %d, %v", state.Uploads, err)
	}
	for range 2 { // a second time is no error
		if err := ticket.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if names := files(t, dir); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
	if state, err := s.State(); state.Uploads != 0 || err != nil {
		t.Errorf("State counts %d, %v", state.Uploads, err)
	}
}

func TestATicketIsHeldOnce(t *testing.T) {
	s := open(t, t.TempDir())
	ticket := add(t, s, noon)
	again := func() error {
		_, err := s.Add(upload(ticket.Upload().ID, picture, noon), picture)
		return err
	}
	if n := len(waiting(t, s)); n != 0 {
		t.Errorf("%d tickets while it is held", n)
	}
	if err := again(); !errors.Is(err, car.ErrInFlight) {
		t.Errorf("Add of a held id: %v, want ErrInFlight", err)
	}
	ticket.Release()
	if err := again(); !errors.Is(err, car.ErrInFlight) {
		t.Errorf("Add of a waiting id: %v, want ErrInFlight", err)
	}
	next := waiting(t, s)
	if len(next) != 1 {
		t.Fatalf("%d tickets after Release, want 1", len(next))
	}
	ticket.Release() // the old holder lets go twice: the new one still has it
	if n := len(waiting(t, s)); n != 0 {
		t.Errorf("%d tickets while the second holder has it", n)
	}
	if err := next[0].Remove(); err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Errorf("Add after Remove: %v", err)
	}
}

func TestWaitingIsOldestFirst(t *testing.T) {
	s := open(t, t.TempDir())
	var want []string
	for i := range 20 {
		ticket := add(t, s, noon.Add(time.Duration(i)*time.Second))
		want = append(want, ticket.Upload().ID)
		ticket.Release()
	}
	var got []string
	for _, ticket := range waiting(t, s) {
		got = append(got, ticket.Upload().ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestConcurrentAddsOfOneID(t *testing.T) {
	dir := t.TempDir()
	spools := []*spool.Spool{open(t, dir), open(t, dir)} // two instances
	id := uuid.NewString()
	results := make(chan error, 40)
	var wg sync.WaitGroup
	for i := range cap(results) {
		wg.Go(func() {
			_, err := spools[i%2].Add(upload(id, picture, noon), picture)
			results <- err
		})
	}
	wg.Wait()
	close(results)
	added := 0
	for err := range results {
		if err == nil {
			added++
		} else if !errors.Is(err, car.ErrInFlight) {
			t.Errorf("got %v, want ErrInFlight", err)
		}
	}
	if added != 1 {
		t.Errorf("%d adds of one id succeeded, want 1", added)
	}
	// In the order of the names, which is the id's chance.
	if names, want := files(t, dir), slices.Sorted(slices.Values([]string{id, "claims/" + id})); !slices.Equal(names, want) {
		t.Errorf("the folder has %v, want %v", names, want)
	}
}

// TestConcurrentWork: writers add and promise, workers take what waits, and
// each upload is taken out exactly once.
func TestConcurrentWork(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var writers, workers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 25 {
				ticket := add(t, s, noon)
				if err := ticket.Promise(promise(ticket.Upload())); err != nil {
					t.Error(err)
				}
				ticket.Release()
			}
		})
	}
	finished := make(chan string, 400)
	written := make(chan struct{})
	for range 4 {
		workers.Go(func() {
			for last := false; !last; {
				select {
				case <-written:
					last = true
				default:
				}
				for _, ticket := range waiting(t, s) {
					if p, ok := ticket.Promised(); !ok || p.ID != ticket.Upload().ID {
						t.Errorf("%s has no promise", ticket.Upload().ID)
					}
					if err := ticket.Remove(); err != nil {
						t.Error(err)
					}
					finished <- ticket.Upload().ID
				}
			}
		})
	}
	writers.Wait()
	close(written)
	workers.Wait()
	close(finished)
	seen := map[string]bool{}
	for id := range finished {
		if seen[id] {
			t.Errorf("%s was finished twice", id)
		}
		seen[id] = true
	}
	if names := files(t, dir); len(seen) != 200 || len(names) != 0 {
		t.Errorf("%d uploads were finished, want 200; left: %v", len(seen), names)
	}
}

func TestFind(t *testing.T) {
	s := open(t, t.TempDir())
	ticket := add(t, s, noon)
	id := ticket.Upload().ID
	for id, inFlight := range map[string]bool{id: true, uuid.NewString(): false} {
		if _, _, err := s.Find(id); !errors.Is(err, car.ErrNotFound) || errors.Is(err, car.ErrInFlight) != inFlight {
			t.Errorf("Find of nothing promised: %v, want ErrNotFound, and in flight: %t", err, inFlight)
		}
	}
	want := promise(ticket.Upload())
	if err := ticket.Promise(want); err != nil {
		t.Fatal(err)
	}
	got, photo, err := s.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	defer photo.Close()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
	if err := ticket.Remove(); err != nil {
		t.Fatal(err)
	}
	// Who reads the photo may finish.
	if data, err := io.ReadAll(photo); err != nil || !bytes.Equal(data, picture) {
		t.Errorf("read %d bytes, %v", len(data), err)
	}
	if _, _, err := s.Find(id); !errors.Is(err, car.ErrNotFound) {
		t.Errorf("Find after Remove: %v, want ErrNotFound", err)
	}
}
