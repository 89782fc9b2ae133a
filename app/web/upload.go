package web

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"vinfast-classifier/app/car"
)

const (
	uploadRead  = 2 * time.Minute  // for the body to arrive
	uploadTotal = 4 * time.Minute  // for the answer to be written, from the start
	uploadWork  = 90 * time.Second // for the model, after the body has arrived
	// together is how many pictures of one request are at the model at once.
	together = 4
)

// upload puts the limits before a route that reads pictures: rate, deadlines,
// size, memory.
func (s *Server) upload(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		whole := r.Body
		defer func() {
			if err != nil {
				drain(r, whole)
			}
		}()
		if err := s.limitRate(r, 1); err != nil {
			return err
		}
		if err := refuseEncoded(w, r); err != nil {
			return err
		}
		deadlines := http.NewResponseController(w)
		if err := deadlines.SetReadDeadline(time.Now().Add(uploadRead)); err != nil {
			return fmt.Errorf("set read deadline: %w", err)
		}
		if err := deadlines.SetWriteDeadline(time.Now().Add(uploadTotal)); err != nil {
			return fmt.Errorf("set write deadline: %w", err)
		}
		limit := s.bodyLimit(r)
		if r.ContentLength > limit {
			return s.tooLarge()
		}
		body := &metered{ReadCloser: http.MaxBytesReader(w, whole, limit), ctx: r.Context(), gate: s.bodies}
		defer body.leave()
		r.Body = body
		return next(w, r)
	}
}

// item is one picture on its way to an answer.
type item struct {
	file
	id         string
	photo      car.Photo
	took       time.Duration // at the model, and being stored
	prediction car.Prediction
}

// keyed gives the i-th picture of a request with key its id.
func (it *item) keyed(key string, i int) {
	it.id = keyedID(key, i, it.photo.SHA256)
	it.photo.FormerID = formerID(key, i)
}

// decode reads all pictures before any is stored, one at a time and within
// the memory of the gate.
func (s *Server) decode(ctx context.Context, items []item) error {
	for i := range items {
		it := &items[i]
		if it.err != nil {
			continue
		}
		cost := car.DecodeCost(it.data, s.Limits)
		if cost > decodeMemory {
			it.err = tooCostly(cost)
			continue
		}
		leave, err := s.decodes.enter(ctx, cost)
		if err != nil {
			return err
		}
		s.metrics.decoding.Inc()
		it.photo, it.err = car.Decode(it.data, s.Limits)
		s.metrics.decoding.Dec()
		leave()
	}
	return nil
}

// tooCostly refuses the few pictures within the pixel limit that would still
// take the whole machine: large progressive JPEGs above all.
func tooCostly(cost int64) error {
	args := []any{cost >> 20, int64(decodeMemory) >> 20}
	return &car.Refusal{Reason: car.ErrTooManyPixels, Key: "said.costly", Args: args, Sentence: fmt.Sprintf(
		"Reading this picture takes %d MiB of memory; one picture may take %d MiB. Scale it down, or save it as an ordinary (not progressive) JPEG.",
		args...)}
}

// classify takes the good pictures through the flow, some at a time.
func (s *Server) classify(ctx context.Context, items []item) {
	ctx, cancel := context.WithTimeout(ctx, uploadWork)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(together)
	first := map[string]int{} // the same picture twice in one form is one upload
	for i := range items {
		it := &items[i]
		if _, twice := first[it.id]; twice || it.err != nil {
			continue
		}
		first[it.id] = i
		g.Go(func() error {
			start := time.Now()
			it.photo.Visitor = about(ctx).visitor
			it.prediction, it.err = s.classifyOne(ctx, it.id, it.photo)
			it.took = time.Since(start)
			s.metrics.classified(it.prediction, it.err)
			return nil
		})
	}
	_ = g.Wait() // each item holds its own error
	for i := range items {
		if it := &items[i]; it.err == nil {
			it.prediction, it.err = items[first[it.id]].prediction, items[first[it.id]].err
		}
	}
}

// classifyOne turns a panic into the error of this one picture: it is in a
// goroutine of its own, where a panic would end the process.
func (s *Server) classifyOne(ctx context.Context, id string, photo car.Photo) (p car.Prediction, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	p, err = s.Classifier.Classify(ctx, id, photo)
	if err == nil {
		s.health.heard(p.Notice)
	}
	return p, err
}

// postPredictions is the API's upload.
func (s *Server) postPredictions(w http.ResponseWriter, r *http.Request) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	files, err := s.readAPI(r)
	if err != nil {
		return err
	}
	if err := s.limitRate(r, len(files)-1); err != nil {
		return err
	}
	items := make([]item, len(files))
	for i, f := range files {
		items[i].file = f
	}
	if err := s.decode(r.Context(), items); err != nil {
		return err
	}
	for _, it := range items {
		if it.err != nil {
			return nameFile(it.err, it.name)
		}
	}
	for i := range items {
		items[i].keyed(key, i)
	}
	s.classify(r.Context(), items)
	return s.answerUpload(w, r, items)
}

// readAPI takes a multipart form or a bare picture.
func (s *Server) readAPI(r *http.Request) ([]file, error) {
	if isMultipart(r) {
		f, err := s.readMultipart(r)
		if err == nil && len(f.files) == 0 {
			err = badRequest("no-picture", "No picture", "The form holds no picture. Send it in a field called \"image\".", nil)
		}
		return f.files, err
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !strings.HasPrefix(mediaType, "image/") && r.ContentLength != 0 {
		f := faultOf(car.ErrUnsupportedType)
		f.cause = err
		f.detail = fmt.Sprintf("The Content-Type is %q. Send multipart/form-data with a field \"image\", or the bare picture as image/jpeg, image/png, image/webp or image/gif.",
			clip(r.Header.Get("Content-Type")))
		return nil, f
	}
	data, err := s.readPicture(r.Body)
	return []file{{data: data}}, err
}

// answerUpload writes the results in the order of the files.
func (s *Server) answerUpload(w http.ResponseWriter, r *http.Request, items []item) error {
	results := make([]result, len(items))
	kept := 0
	for i, it := range items {
		if it.err == nil {
			results[i].prediction = jsonOf(r, it.prediction)
			kept++
			continue
		}
		f := faultOf(nameFile(it.err, it.name))
		results[i].Error = f.problem(r.Context())
		if len(items) > 1 {
			s.logFault(r.Context(), f)
		}
	}
	if kept == 0 {
		first := *faultOf(items[0].err)
		if len(items) > 1 {
			first.extra = results
		}
		return &first
	}
	if len(items) == 1 {
		w.Header().Set("Location", "/api/v1/predictions/"+items[0].prediction.ID)
	}
	s.writeJSON(w, r, http.StatusCreated, "application/json", resultList{Predictions: results})
	return nil
}
