//go:build !unit

package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/model"
)

// samples are the pictures that ship with the page; a name begins with the
// label it shows.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("web/static/samples/*.jpg")
	must(t, err)
	if len(paths) < 6 {
		t.Fatalf("%d samples ship with the page, want at least six", len(paths))
	}
	all := map[string][]byte{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		must(t, err)
		all[filepath.Base(p)] = data
	}
	return all
}

// picture makes the n-th of many different small JPEGs.
func picture(n int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range img.Pix {
		img.Pix[i] = byte(n * (i%4 + 1))
	}
	img.Set(n%64, n/64, color.White)
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		panic(err) // bytes.Buffer never fails
	}
	return append(buf.Bytes(), fmt.Sprintf("picture %d", n)...) // after the end marker: other bytes, same picture
}

// Page, endpoint, S3, MySQL, page: each sample that ships, through the API.
func TestFlowThroughRealRoutes(t *testing.T) {
	t.Parallel()
	demo, err := model.Demo()
	must(t, err)
	s := newSystem(t, endpoint.Vision(demo))
	a := s.start()
	for name, jpeg := range samples(t) {
		status, got, err := a.post(t.Context(), jpeg, "")
		must(t, err)
		if status != http.StatusCreated {
			t.Fatalf("%s: status %d", name, status)
		}
		p := got.Predictions[0]
		if !strings.HasPrefix(name, p.Label) || p.Stored != "yes" || len(p.Scores) != 5 ||
			p.Notice != "demo model, trained on drawings, not for photos" {
			t.Errorf("%s: got %+v", name, p)
		}
		if label := s.rows()[p.ID]; label != p.Label {
			t.Errorf("%s: the row says %q", name, label)
		}
		s.checkObject(p.ID, p.Label, jpeg)
		resp, err := http.Get(a.url + p.ImageURL)
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		must(t, resp.Body.Close())
		if !bytes.Equal(body, jpeg) || resp.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: %s gives %d bytes of %s", name, p.ImageURL, len(body), resp.Header.Get("Content-Type"))
		}
	}
	if n := s.waiting(); n != 0 {
		t.Errorf("%d entries left in the spool", n)
	}
	a.stop(t)
	b := s.start()
	var list struct{ Predictions []struct{ ID string } }
	resp, err := http.Get(b.url + "/api/v1/predictions?limit=100")
	must(t, err)
	defer resp.Body.Close()
	must(t, json.NewDecoder(resp.Body).Decode(&list))
	if len(list.Predictions) != len(samples(t)) {
		t.Errorf("after a restart the history has %d predictions", len(list.Predictions))
	}
}

// checkObject demands exactly one object for id, with these bytes and this label.
func (s *system) checkObject(id, label string, want []byte) {
	s.t.Helper()
	keys := slices.DeleteFunc(s.keys(), func(k string) bool { return !strings.Contains(k, id) })
	if len(keys) != 1 {
		s.t.Fatalf("objects of upload %s: %q", id, keys)
	}
	o, err := s.s3.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &keys[0]})
	must(s.t, err)
	defer o.Body.Close()
	body, err := io.ReadAll(o.Body)
	must(s.t, err)
	if !bytes.Equal(body, want) || o.Metadata["label"] != label || *o.ContentType != "image/jpeg" {
		s.t.Errorf("object %s: %d bytes, %s, metadata %v", keys[0], len(body), *o.ContentType, o.Metadata)
	}
}

func TestManyUploadsAtOnce(t *testing.T) {
	const uploads, connections = 400, 32
	s := newSystem(t, fixed)
	a := s.start()
	work := make(chan int)
	var mu sync.Mutex
	labels := map[string]string{}
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for n := range work {
				status, got, err := a.post(context.Background(), picture(n), "")
				if err != nil || status != http.StatusCreated {
					t.Errorf("upload %d: status %d, %v", n, status, err)
					continue
				}
				mu.Lock()
				labels[got.Predictions[0].ID] = got.Predictions[0].Label
				mu.Unlock()
			}
		})
	}
	for n := range uploads {
		work <- n
	}
	close(work)
	wg.Wait()
	s.await("the spool is empty", func() bool { return s.waiting() == 0 })
	rows := s.rows()
	if len(labels) != uploads || len(rows) != uploads || len(s.keys()) != uploads {
		t.Errorf("%d answers, %d rows, %d objects", len(labels), len(rows), len(s.keys()))
	}
	for id, label := range labels {
		if rows[id] != label {
			t.Errorf("upload %s was answered %q, its row says %q", id, label, rows[id])
		}
	}
}

// A process killed between spool and answer may complete the upload; a retry
// with the same key then finds it, and there is never a second.
func TestKilledBetweenSpoolAndAnswer(t *testing.T) {
	t.Parallel()
	parts := map[string]func(*system) *gated{
		"waiting for the endpoint": func(s *system) *gated { return s.model },
		"waiting for S3":           func(s *system) *gated { return s.objects },
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, fixed)
			a := s.start()
			held := part(s)
			held.hold()
			before := held.calls.Load()
			failed := make(chan error, 1)
			go func() {
				_, _, err := a.post(context.Background(), picture(1), "the-same-key")
				failed <- err
			}()
			s.await("the upload hangs", func() bool { return held.calls.Load() > before })
			if s.waiting() != 1 {
				t.Fatalf("%d entries in the spool", s.waiting())
			}
			a.kill()
			if err := <-failed; err == nil {
				t.Fatal("a killed app answered")
			}
			held.open()

			b := s.start()
			s.await("the upload is finished", func() bool { return s.waiting() == 0 && len(s.rows()) == 1 })
			status, got, err := b.post(t.Context(), picture(1), "the-same-key")
			must(t, err)
			if status != http.StatusCreated || len(s.rows()) != 1 {
				t.Fatalf("the retry: status %d, %d rows", status, len(s.rows()))
			}
			s.checkObject(got.Predictions[0].ID, got.Predictions[0].Label, picture(1))
			if len(s.keys()) != 1 {
				t.Errorf("objects: %q", s.keys())
			}
		})
	}
}

// With S3 down an upload is still acknowledged, shown, and stored later.
func TestAcknowledgedWhileStorageIsDown(t *testing.T) {
	t.Parallel()
	s := newSystem(t, fixed)
	a := s.start()
	s.objects.refuse.Store(http.StatusServiceUnavailable)
	status, got, err := a.post(t.Context(), picture(1), "")
	must(t, err)
	if status != http.StatusCreated || got.Predictions[0].Stored != "pending" {
		t.Fatalf("status %d, %+v", status, got)
	}
	p := got.Predictions[0]
	if code := get(a.url + p.ImageURL); code != http.StatusOK {
		t.Errorf("the waiting picture: status %d", code)
	}
	if len(s.rows()) != 0 {
		t.Errorf("rows: %v", s.rows())
	}
	a.kill()
	s.objects.refuse.Store(0)
	s.start()
	s.await("the upload is stored", func() bool { return s.waiting() == 0 })
	s.checkObject(p.ID, p.Label, picture(1))
	if rows := s.rows(); len(rows) != 1 || rows[p.ID] != p.Label {
		t.Errorf("rows: %v", rows)
	}
}

// With the endpoint down nothing is kept, and the answer says when to return.
func TestNothingKeptWhileTheEndpointIsDown(t *testing.T) {
	t.Parallel()
	s := newSystem(t, fixed)
	a := s.start()
	s.model.refuse.Store(http.StatusServiceUnavailable)
	resp, err := http.Post(a.url+"/api/v1/predictions", "image/jpeg", bytes.NewReader(picture(1)))
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" ||
		resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, headers %v", resp.StatusCode, resp.Header)
	}
	if s.waiting() != 0 || len(s.rows()) != 0 || len(s.keys()) != 0 {
		t.Errorf("kept: %d spool entries, %v, %v", s.waiting(), s.rows(), s.keys())
	}
}
