package sagemaker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/sagemaker"
	"vinfast-classifier/local/endpoint"
)

const name = "vinfast-test"

// client talks to the service at url.
func client(url, endpointName string, timeout time.Duration) *sagemaker.Client {
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
	return sagemaker.New(cfg, sagemaker.Options{Endpoint: endpointName, Timeout: timeout, Attempts: 2})
}

// service starts container and runtime API and returns the API's URL.
func service(t *testing.T, model endpoint.Classifier, modelTimeout time.Duration) string {
	t.Helper()
	container := httptest.NewServer(endpoint.Container(model, 4))
	t.Cleanup(container.Close)
	return front(t, container.URL, modelTimeout)
}

func front(t *testing.T, container string, modelTimeout time.Duration) string {
	t.Helper()
	api := httptest.NewServer(endpoint.Runtime{Endpoint: name, Region: "us-east-1", Account: "000000000000",
		Container: container, Timeout: modelTimeout}.Handler())
	t.Cleanup(api.Close)
	return api.URL
}

func photo(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// model answers what its function does.
type model func(ctx context.Context) ([]endpoint.Score, error)

func (m model) Classify(ctx context.Context, _ image.Image) ([]endpoint.Score, error) { return m(ctx) }
func (m model) Notice() string                                                        { return "demo model, trained on drawings, not for photos" }

func sixScores(context.Context) ([]endpoint.Score, error) {
	return []endpoint.Score{{Score: 0.5, Label: "a"}, {Score: 0.2, Label: "b"}, {Score: 0.1, Label: "c"},
		{Score: 0.1, Label: "d"}, {Score: 0.05, Label: "e"}, {Score: 0.05, Label: "f"}}, nil
}

func TestInvoke(t *testing.T) {
	c := client(service(t, model(sixScores), time.Minute), name, time.Minute)
	reply, err := c.Invoke(t.Context(), photo(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []car.Score{{Label: "a", Value: 0.5}, {Label: "b", Value: 0.2}, {Label: "c", Value: 0.1}, {Label: "d", Value: 0.1}, {Label: "e", Value: 0.05}}
	if !slices.Equal(reply.Scores, want) {
		t.Errorf("scores %v, want %v", reply.Scores, want)
	}
	if want := "demo model, trained on drawings, not for photos"; reply.Notice != want {
		t.Errorf("notice %q, want %q", reply.Notice, want)
	}
}

func TestInvokeFaults(t *testing.T) {
	hangs := model(func(ctx context.Context) ([]endpoint.Score, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	fails := model(func(context.Context) ([]endpoint.Score, error) { return nil, errors.New("no picture of a car") })
	tests := map[string]struct {
		client *sagemaker.Client
		want   error
		says   string
	}{
		"no such endpoint":       {client(service(t, model(sixScores), time.Minute), "other", time.Minute), car.ErrEndpointUnavailable, "Endpoint other of account 000000000000 not found."},
		"model error":            {client(service(t, fails, time.Minute), name, time.Minute), car.ErrPictureRefused, "no picture of a car"},
		"we do not wait so long": {client(service(t, hangs, time.Minute), name, 50*time.Millisecond), car.ErrEndpointTimeout, "deadline exceeded"},
		"nor does SageMaker":     {client(service(t, hangs, 50*time.Millisecond), name, time.Minute), car.ErrEndpointTimeout, "timed out while waiting"},
		"container is gone":      {client(front(t, closedURL, time.Minute), name, time.Minute), car.ErrEndpointUnavailable, "ServiceUnavailable"},
		"nobody listens":         {client(closedURL, name, time.Minute), car.ErrEndpointUnavailable, "connection refused"},
		"nothing to answer with": {client(service(t, model(func(context.Context) ([]endpoint.Score, error) { return nil, nil }), time.Minute), name, time.Minute), car.ErrEndpointUnavailable, "0 scores"},
	}
	for test, tt := range tests {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			_, err := tt.client.Invoke(t.Context(), photo(t))
			if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("error %v, want %v and %q", err, tt.want, tt.says)
			}
		})
	}
}

// closedURL is where nobody listens: no system gives port 1 to a program.
const closedURL = "http://127.0.0.1:1"

func TestCallerGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hangs := model(func(running context.Context) ([]endpoint.Score, error) {
		cancel()
		<-running.Done()
		return nil, running.Err()
	})
	_, err := client(service(t, hangs, time.Minute), name, time.Minute).Invoke(ctx, photo(t))
	if !errors.Is(err, context.Canceled) || errors.Is(err, car.ErrEndpointUnavailable) || errors.Is(err, car.ErrEndpointTimeout) {
		t.Errorf("error %v, want the caller's cancellation only", err)
	}
}

// TestDocumentedErrors replays the error bodies of the SageMaker Runtime API
// reference, and what proxies before it answer.
func TestDocumentedErrors(t *testing.T) {
	tests := map[string]struct {
		status int
		kind   string // header X-Amzn-ErrorType
		body   string
		want   error
		calls  int32 // attempts that this is worth
	}{
		"model not ready":     {429, "ModelNotReadyException", `{"Message":"Model is loading"}`, car.ErrEndpointUnavailable, 1},
		"service unavailable": {503, "ServiceUnavailable", `{"Message":"no healthy instance"}`, car.ErrEndpointUnavailable, 2},
		"internal failure":    {500, "InternalFailure", `{"Message":"an internal failure occurred"}`, car.ErrEndpointUnavailable, 2},
		"internal dependency": {530, "InternalDependencyException", `{"Message":"dependency"}`, car.ErrEndpointUnavailable, 1},
		"throttled":           {400, "ThrottlingException", `{"message":"Rate exceeded"}`, car.ErrEndpointBusy, 2},
		"not found":           {400, "ValidationError", `{"Message":"Endpoint vinfast-test of account 000000000000 not found."}`, car.ErrEndpointUnavailable, 1},
		"forbidden":           {403, "AccessDeniedException", `{"Message":"not authorized to perform: sagemaker:InvokeEndpoint"}`, car.ErrEndpointUnavailable, 1},
		"too large":           {413, "", `{"message":"HTTP content length exceeded 6291456 bytes."}`, car.ErrPictureRefused, 1},
		"model error":         {424, "ModelError", `{"Message":"Received client error (400) from primary","OriginalStatusCode":400,"OriginalMessage":"x","LogStreamArn":"arn:aws:logs:us-east-1:0:log-group:g"}`, car.ErrPictureRefused, 1},
		"model busy":          {424, "ModelError", `{"Message":"Received client error (429) from primary","OriginalStatusCode":429,"OriginalMessage":"x"}`, car.ErrEndpointBusy, 1},
		"model broken":        {424, "ModelError", `{"Message":"Received server error (500) from primary","OriginalStatusCode":500,"OriginalMessage":"x"}`, car.ErrEndpointUnavailable, 1},
		"model too slow":      {424, "ModelError", `{"Message":"Received server error (0) from primary with message \"Your invocation timed out\"","OriginalStatusCode":0,"OriginalMessage":"x"}`, car.ErrEndpointTimeout, 1},
		"a proxy's page":      {502, "", "<html>Bad Gateway</html>", car.ErrEndpointUnavailable, 2},
		"rubbish":             {200, "", "<html>OK</html>", car.ErrEndpointUnavailable, 1},
		"endless":             {200, "", `[{"score":1,"label":"` + strings.Repeat("x", 1<<20) + `"}]`, car.ErrEndpointUnavailable, 1},
	}
	for test, tt := range tests {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.Header().Set("Content-Type", "application/json")
				if tt.kind != "" {
					w.Header().Set("X-Amzn-ErrorType", tt.kind)
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}))
			defer api.Close()
			_, err := client(api.URL, name, time.Minute).Invoke(t.Context(), photo(t))
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if calls.Load() != tt.calls {
				t.Errorf("%d calls, want %d", calls.Load(), tt.calls)
			}
			if model := (*types.ModelError)(nil); tt.kind == "ModelError" && !errors.As(err, &model) {
				t.Errorf("error %v has lost its cause", err)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	want := photo(t)
	var got *http.Request
	var body bytes.Buffer
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		if _, err := body.ReadFrom(r.Body); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, `[{"score":1,"label":"a"}]`)
	}))
	defer api.Close()
	if _, err := client(api.URL, name, time.Minute).Invoke(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.URL.Path != "/endpoints/vinfast-test/invocations" {
		t.Errorf("%s %s", got.Method, got.URL.Path)
	}
	if c, a := got.Header.Get("Content-Type"), got.Header.Get("Accept"); c != "image/jpeg" || a != "application/json" {
		t.Errorf("content type %q, accept %q", c, a)
	}
	if !bytes.Equal(body.Bytes(), want) {
		t.Errorf("body of %d bytes is not the photo of %d", body.Len(), len(want))
	}
}
