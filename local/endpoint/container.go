package endpoint

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Limits of the model server: the size of a request, and how many requests may
// wait for a worker.
const (
	maxContainerBody = 6_553_500
	queueLength      = 100
)

// customAttributes carries words between the caller and the model.
const customAttributes = "X-Amzn-SageMaker-Custom-Attributes"

// Container answers GET /ping and POST /invocations. At most workers pictures
// are worked on at a time; 100 more wait, and the next gets a 503.
func Container(model Classifier, workers int) http.Handler {
	c := &container{model: model, busy: make(chan struct{}, workers), places: make(chan struct{}, workers+queueLength)}
	mux := http.NewServeMux()
	// The model server takes any method on both.
	mux.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, jsonType, []byte("{\n  \"status\": \"Healthy\"\n}\n"))
	})
	mux.HandleFunc("/invocations", c.invocations)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "ResourceNotFoundException", "Requested resource is not found, please refer to API document.")
	})
	return mux
}

type container struct {
	model  Classifier
	busy   chan struct{} // one entry for each request being worked on
	places chan struct{} // likewise, and for each that waits
}

func (c *container) invocations(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxContainerBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", err.Error())
		return
	}
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	default:
		fail(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "No worker is available to serve request: model")
		return
	}
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-r.Context().Done():
		return // nobody waits for the answer
	}
	accept, answer, err := c.handle(r, body)
	if err != nil {
		// The toolkit turns every exception into a 400 of this type.
		fail(w, http.StatusBadRequest, "InternalServerException", err.Error())
		return
	}
	if notice := c.model.Notice(); notice != "" {
		w.Header().Set(customAttributes, notice)
	}
	reply(w, http.StatusOK, accept, answer)
}

// handle decodes, classifies and encodes, in the toolkit's order: a bad Accept
// is found last.
func (c *container) handle(r *http.Request, body []byte) (accept string, answer []byte, err error) {
	accept = r.Header.Get("Accept")
	if accept == "" || accept == "*/*" {
		accept = jsonType
	}
	in, err := decodeRequest(r.Header.Get("Content-Type"), body)
	if err != nil {
		return "", nil, err
	}
	answers := make([][]Score, 0, len(in.sources))
	for _, source := range in.sources {
		img, err := source.load()
		if err != nil {
			return "", nil, err
		}
		scores, err := c.model.Classify(r.Context(), img)
		if err != nil {
			return "", nil, err
		}
		answers = append(answers, append([]Score{}, scores[:min(in.topK, len(scores))]...))
	}
	answer, err = encode(accept, in.list, answers)
	return accept, answer, err
}

// encode writes the answers in the wanted format; list tells whether the
// request had a list of pictures, and the answer then is a list of lists.
func encode(accept string, list bool, answers [][]Score) ([]byte, error) {
	switch {
	case accept == jsonType && list:
		return compactJSON(answers)
	case accept == jsonType:
		return compactJSON(answers[0])
	case accept == csvType && !list && len(answers[0]) > 0:
		return encodeCSV(answers[0])
	case accept == csvType:
		return nil, fmt.Errorf("a list of answers has no CSV form, ask for %s", jsonType)
	default:
		return nil, unsupported(accept)
	}
}

func compactJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func encodeCSV(scores []Score) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{{"score", "label"}}
	for _, s := range scores {
		rows = append(rows, []string{strconv.FormatFloat(s.Score, 'g', -1, 64), s.Label})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return b.Bytes(), nil
}

func reply(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Request-Id", uuid.NewString())
	w.WriteHeader(status)
	// A caller who has gone away is no fault of ours.
	_, _ = w.Write(body)
}

// fail writes the model server's error body. Its encoder escapes = and ' as
// well as what Go's escapes.
func fail(w http.ResponseWriter, status int, kind, message string) {
	body, err := json.MarshalIndent(struct {
		Code    int    `json:"code"`
		Type    string `json:"type"`
		Message string `json:"message"`
	}{status, kind, message}, "", "  ")
	if err != nil {
		panic(err) // two strings and a number always encode
	}
	text := strings.NewReplacer("=", `\u003d`, "'", `\u0027`).Replace(string(body))
	w.Header().Set("Connection", "close")
	reply(w, status, jsonType, []byte(text+"\n"))
}
