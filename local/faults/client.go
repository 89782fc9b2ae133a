//go:build linux

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"sync"
	"time"
)

// clients send pictures, and hang up when a fault says so.
type clients struct {
	mu      sync.Mutex
	hanging map[int]context.CancelFunc // by picture, while its request runs
}

func (c *clients) hangUp(number int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	cancel := c.hanging[number]
	if cancel != nil {
		cancel()
	}
	return cancel != nil
}

// note keeps the way to hang up on a request; nil forgets it.
func (c *clients) note(outcomes []*outcome, cancel context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range outcomes {
		c.hanging[o.number] = cancel
	}
}

// request is one form or bare picture, sent until it is acknowledged or its
// sender gives up. Without a key a retry would be another upload.
type request struct {
	outcomes []*outcome
	key      string
	tries    int
	form     bool
}

// newRequests deals the pictures out: most alone, some together, bad ones alone.
func newRequests(random *rand.Rand, seed uint64, outcomes []*outcome) []request {
	var all []request
	for len(outcomes) > 0 {
		r := request{tries: 1}
		count := 1
		if random.IntN(5) == 0 {
			r.form, count = true, min(1+random.IntN(4), len(outcomes))
		}
		// A bad picture makes its whole form refused.
		if bad := slices.IndexFunc(outcomes[:count], func(o *outcome) bool { return o.bad }); bad >= 0 {
			count = max(1, bad)
		}
		if random.IntN(10) < 6 {
			r.key, r.tries = fmt.Sprintf("seed-%d-picture-%d", seed, outcomes[0].number), 1+random.IntN(10)
		}
		r.outcomes, outcomes = outcomes[:count], outcomes[count:]
		for _, o := range r.outcomes {
			o.key = r.key
		}
		all = append(all, r)
	}
	return all
}

// body is the request's body and content type.
func (r request) body() ([]byte, string) {
	if !r.form {
		return r.outcomes[0].data, r.outcomes[0].contentType
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, o := range r.outcomes {
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name="image"; filename="%d%s"`, o.number, o.ending)},
			"Content-Type":        {o.contentType}})
		if err == nil {
			_, err = part.Write(o.data)
		}
		if err != nil {
			panic(err) // a buffer takes all
		}
	}
	if err := w.Close(); err != nil {
		panic(err) // likewise
	}
	return b.Bytes(), w.FormDataContentType()
}

// instanceTime bounds the wait for an instance: longer than any fault takes one
// away.
const instanceTime = 2 * time.Minute

// errNotSent: nobody listened, so nothing was sent.
var errNotSent = errors.New("not sent")

// deliver sends a request to one instance or another until all is settled.
func (s *system) deliver(ctx context.Context, random *rand.Rand, r request) {
	for range r.outcomes {
		s.plan.begin()
	}
	for _, o := range r.outcomes {
		o.began = time.Now()
	}
	patience := time.Now().Add(instanceTime)
	for try := 0; try < r.tries && ctx.Err() == nil; {
		if time.Now().After(patience) {
			s.ledger.complain("picture %d: no instance takes it within %v", r.outcomes[0].number, instanceTime)
			return
		}
		in := s.instances[random.IntN(len(s.instances))]
		url := in.address()
		if url == "" {
			pass(ctx, 20*time.Millisecond)
			continue
		}
		answer, err := s.send(ctx, in, url, r)
		if errors.Is(err, errNotSent) {
			pass(ctx, 20*time.Millisecond)
			continue
		}
		s.record(r, answer, err)
		patience = time.Now().Add(instanceTime)
		if s.ledger.settled(r.outcomes) {
			return
		}
		if try++; try < r.tries {
			pass(ctx, time.Duration(try)*time.Duration(50+random.IntN(150))*time.Millisecond)
		}
	}
}

// answer is the API's, success or problem.
type answer struct {
	status      int
	Type        string
	Predictions []struct {
		ack
		Error *struct {
			Type   string
			Status int
		}
	}
}

const requestTime = 100 * time.Second // more than the app gives a model

// send sends a request once, with the faults that hit it on its way.
func (s *system) send(ctx context.Context, in *instance, url string, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	s.clients.note(r.outcomes, cancel)
	defer s.clients.note(r.outcomes, nil)
	first := r.outcomes[0].number
	data, contentType := r.body()
	var body io.Reader = bytes.NewReader(data)
	if f, found := s.plan.take(BeforeSpool, first); found {
		at, missed := s.once(in, f)
		defer missed()
		body = &torn{Reader: bytes.NewReader(data), left: len(data) / 2, at: at}
	}
	if f, found := s.plan.take(Spool, first); found {
		s.note(s.trouble(in, f))
	}
	if f, found := s.plan.take(Answer, first); found {
		at, missed := s.once(in, f)
		defer missed()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: at})
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/predictions", io.NopCloser(body))
	if err != nil {
		return answer{}, err
	}
	req.ContentLength = int64(len(data))
	req.Header.Set("Content-Type", contentType)
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	return s.exchange(req)
}

// once injects a fault when its moment comes; missed, called in the end, keeps
// one for later whose moment did not come.
func (s *system) once(in *instance, f fault) (at, missed func()) {
	var one sync.Once
	return func() { one.Do(func() { s.strike(in, f) }) }, func() { one.Do(func() { s.plan.back(f) }) }
}

func (s *system) exchange(req *http.Request) (answer, error) {
	resp, err := s.http.Do(req)
	if fault, ok := errors.AsType[*net.OpError](err); ok && fault.Op == "dial" {
		return answer{}, fmt.Errorf("%w: %w", errNotSent, err)
	}
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode}
	if err := json.Unmarshal(body, &a); err != nil {
		return answer{}, fmt.Errorf("status %d is not JSON (%w): %s", a.status, err, body)
	}
	return a, nil
}

// torn is a body in whose middle something happens.
type torn struct {
	*bytes.Reader
	left int
	at   func()
}

func (t *torn) Read(b []byte) (int, error) {
	if t.left == 0 {
		time.Sleep(20 * time.Millisecond) // for the first half to arrive
		t.at()
		t.left = -1
	}
	if t.left > 0 {
		b = b[:min(len(b), t.left)]
		t.left -= len(b)
	}
	return t.Reader.Read(b)
}

// record notes what became of one try.
func (s *system) record(r request, a answer, err error) {
	if err != nil {
		for _, o := range r.outcomes {
			s.ledger.lose(o)
		}
		return
	}
	if len(a.Predictions) != 0 && len(a.Predictions) != len(r.outcomes) || len(a.Predictions) == 0 && a.status == http.StatusCreated {
		s.ledger.complain("picture %d: %d answers to %d pictures", r.outcomes[0].number, len(a.Predictions), len(r.outcomes))
		return
	}
	for i, o := range r.outcomes {
		status, kind := a.status, a.Type
		if len(a.Predictions) > 0 {
			if p := a.Predictions[i]; p.Error == nil {
				s.ledger.acknowledge(o, p.ack)
				continue
			} else {
				status, kind = p.Error.Status, p.Error.Type
			}
		}
		s.ledger.refuse(o, status, kind)
		if kind == storageProblem && s.disk.isFull() {
			s.plan.hit(DiskFull, Spool)
		}
	}
}

// storageProblem is the type of the problem of an upload that could not be
// made durable.
const storageProblem = "urn:vinfast-classifier:problem:storage-unavailable"
