//go:build linux

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// cut closes the connection without an answer.
func cut() { panic(http.ErrAbortHandler) }

// objects is S3 as one instance sees it.
func (s *system) objects(in *instance) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number, ours := numberIn(r.Header.Get("X-Amz-Meta-Label"))
		if r.Method != http.MethodPut || !ours {
			s.store.ServeHTTP(w, r)
			return
		}
		if f, found := s.plan.take(S3Before, number); found && !s.faultyPut(w, in, f) {
			return
		}
		f, found := s.plan.take(S3After, number)
		if !found {
			s.store.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		s.store.ServeHTTP(answer, r)
		if s.faultyPut(w, in, f) {
			copyAnswer(w, answer)
		}
	})
}

// faultyPut injects a fault before a put's execution, or between that and its
// answer, and tells whether to go on.
func (s *system) faultyPut(w http.ResponseWriter, in *instance, f fault) bool {
	switch f.Kind {
	case S3Fails:
		s.plan.hit(f.Kind, f.Step)
		refuseS3(w, http.StatusInternalServerError, "InternalError")
	case S3Busy:
		s.plan.hit(f.Kind, f.Step)
		refuseS3(w, http.StatusServiceUnavailable, "SlowDown")
	case S3Cut:
		s.plan.hit(f.Kind, f.Step)
		cut()
	case S3Slow:
		s.plan.hit(f.Kind, f.Step)
		time.Sleep(f.Last)
		return true
	default:
		return s.strike(in, f)
	}
	return false
}

// strike injects what is not about one request: it kills or stops the instance
// that sent it, or makes the client hang up. It tells whether to go on.
func (s *system) strike(in *instance, f fault) bool {
	switch f.Kind {
	case InstanceKilled:
		s.struck(f, in.kill(f.Last))
		return false // nobody waits for an answer
	case InstanceStalled:
		s.struck(f, in.stall(f.Last))
	case ClientGone:
		s.struck(f, s.clients.hangUp(f.picture))
		time.Sleep(50 * time.Millisecond) // for the instance to see it
	}
	return true
}

// struck counts a fault, or keeps it for later if there was nothing to hit.
func (s *system) struck(f fault, hit bool) {
	if hit {
		s.plan.hit(f.Kind, f.Step)
	} else {
		s.plan.back(f)
	}
}

func refuseS3(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	// A caller who has gone away is no fault of ours.
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>injected</Message></Error>`, code)
}

func copyAnswer(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // likewise
}

// runtime is SageMaker Runtime as one instance sees it.
func (s *system) runtime(in *instance) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if number, ours := numberOf(body); ours {
			if f, found := s.plan.take(Endpoint, number); found && !s.beforeInvoke(w, in, f) {
				return
			}
		}
		s.model.ServeHTTP(w, r)
	})
}

func numberOf(body []byte) (int, bool) {
	img, err := jpeg.Decode(bytes.NewReader(body))
	if err != nil {
		return 0, false
	}
	return readNumber(img)
}

// beforeInvoke injects a fault into a call of the endpoint and tells whether
// to go on with it.
func (s *system) beforeInvoke(w http.ResponseWriter, in *instance, f fault) bool {
	switch f.Kind {
	case EndpointThrottle:
		s.plan.hit(f.Kind, f.Step)
		refuseAWS(w, http.StatusTooManyRequests, "ThrottlingException")
	case EndpointFails:
		s.plan.hit(f.Kind, f.Step)
		if f.Variant%2 == 0 {
			refuseAWS(w, http.StatusInternalServerError, "InternalFailure")
		} else {
			refuseAWS(w, http.StatusServiceUnavailable, "ServiceUnavailable")
		}
	case EndpointRubbish:
		s.plan.hit(f.Kind, f.Step)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, rubbish[f.Variant%len(rubbish)])
	case EndpointCut:
		s.plan.hit(f.Kind, f.Step)
		cut()
	case EndpointTimeout:
		s.plan.hit(f.Kind, f.Step)
		s.hanging.Store(f.picture, true)
		return true
	case EndpointSlow:
		s.plan.hit(f.Kind, f.Step)
		time.Sleep(f.Last)
		return true
	default:
		return s.strike(in, f)
	}
	return false
}

// rubbish is what a container might answer and a caller must not believe.
var rubbish = []string{
	"", "<html>502 Bad Gateway</html>", `[{"score":0.9,"label":"Vinfast_VF_8"`, `[]`, `[{"score":9,"label":"Vinfast_VF_8"}]`,
	`{"predictions":[0.1,0.9]}`, `[{"score":0.9}]`, `[{"score":0.9,"label":"\u0000"}]`, `[{"score":"high","label":"Vinfast_VF_8"}]`,
}

func refuseAWS(w http.ResponseWriter, status int, kind string) {
	body, err := json.Marshal(map[string]string{"message": "injected"})
	if err != nil {
		panic(err) // strings always encode
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller who has gone away is no fault of ours
}
