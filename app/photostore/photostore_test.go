package photostore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/photostore"
	"vinfast-classifier/local/objectstore"
)

const bucket = "photos"

// serve runs an S3 server. through sees each request before it is answered by
// the server, which is next.
func serve(t *testing.T, through func(w http.ResponseWriter, r *http.Request, next http.Handler)) string {
	t.Helper()
	handler, store, err := objectstore.New(t.TempDir(), slog.New(slog.DiscardHandler), bucket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if through == nil {
			handler.ServeHTTP(w, r)
			return
		}
		through(w, r, handler)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func open(url, bucket string) *photostore.Store {
	return photostore.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	}, bucket)
}

var noon = time.Date(2024, 2, 29, 12, 0, 0, 7e6, time.UTC)

func prediction() car.Prediction {
	photo := car.Photo{Original: []byte("photo"), ContentType: "image/webp", Width: 4032, Height: 3024, SHA256: strings.Repeat("a1", 32)}
	p := car.Prediction{Upload: car.NewUpload(uuid.NewString(), photo, noon), Label: "Vinfast_Lux_SA2.0", Score: 0.9142857}
	for _, label := range []string{"Vinfast_Lux_SA2.0", "Vinfast_Lux_A2.0", "Vinfast_Fadil", "Vinfast_President", "Vinfast_VF_8", "Vinfast_VF_e34"} {
		p.Scores = append(p.Scores, car.Score{Label: label, Value: 0.12345678901234567})
	}
	return p
}

func put(t *testing.T, s *photostore.Store, p car.Prediction, body string) {
	t.Helper()
	if err := s.Put(t.Context(), p, strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *photostore.Store, key string) string {
	t.Helper()
	body, size, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if size != int64(len(data)) {
		t.Errorf("Get says %d bytes and gives %d", size, len(data))
	}
	return string(data)
}

func TestPutGetDelete(t *testing.T) {
	s := open(serve(t, nil), bucket)
	p := prediction()
	photo := strings.Repeat("\x00\xff\xd8", 1<<20)
	put(t, s, p, photo)
	if get(t, s, p.Key) != photo {
		t.Error("another photo came back")
	}
	for range 2 {
		if err := s.Delete(t.Context(), p.Key); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Get(t.Context(), p.Key); !errors.Is(err, car.ErrNotFound) {
		t.Errorf("Get after Delete: %v, want ErrNotFound", err)
	}
	if _, err := s.Describe(t.Context(), p.Key); !errors.Is(err, car.ErrNotFound) {
		t.Errorf("Describe after Delete: %v, want ErrNotFound", err)
	}
}

func TestTheFirstPutStays(t *testing.T) {
	s := open(serve(t, nil), bucket)
	p := prediction()
	put(t, s, p, "first")
	var wg sync.WaitGroup
	for range 20 {
		later := p
		later.Label = "later"
		wg.Go(func() { put(t, s, later, "later") })
	}
	wg.Wait()
	if got := get(t, s, p.Key); got != "first" {
		t.Errorf("the photo is %q", got)
	}
	if got, err := s.Describe(t.Context(), p.Key); err != nil || got.Label != p.Label {
		t.Errorf("the label is %q, %v", got.Label, err)
	}
}

func TestPing(t *testing.T) {
	url := serve(t, nil)
	if err := open(url, bucket).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := open(url, "another").Ping(t.Context()); err == nil {
		t.Error("a bucket that is not there answers")
	}
}

// TestEndpointOfTheEnvironment: a server named by the environment, which knows
// no bucket by a name of its own.
func TestEndpointOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_S3", strings.Replace(serve(t, nil), "127.0.0.1", "localhost", 1))
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "any")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "any")
	c, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := photostore.New(c, bucket).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLostAnswerIsRepeated: the object is written, the answer is lost, and the
// repetition finds the object there.
func TestLostAnswerIsRepeated(t *testing.T) {
	var puts atomic.Int64
	s := open(serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && puts.Add(1) == 1 {
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	}), bucket)
	p := prediction()
	put(t, s, p, "photo")
	if n := puts.Load(); n != 2 {
		t.Errorf("%d puts, want 2", n)
	}
	if got := get(t, s, p.Key); got != "photo" {
		t.Errorf("the photo is %q", got)
	}
}

func TestFaultsOfPut(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		tries  int64
	}{
		"denied":    {http.StatusForbidden, "AccessDenied", 1},
		"no bucket": {http.StatusNotFound, "NoSuchBucket", 1},
		"conflict":  {http.StatusConflict, "ConditionalRequestConflict", 3},
		"slow down": {http.StatusServiceUnavailable, "SlowDown", 3},
		"broken":    {http.StatusInternalServerError, "InternalError", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the SDK waits between tries
			var tries atomic.Int64
			var last atomic.Pointer[string]
			s := open(serve(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
				tries.Add(1)
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				text := string(body)
				last.Store(&text)
				w.WriteHeader(c.status)
				io.WriteString(w, "<Error><Code>"+c.code+"</Code><Message>no</Message></Error>")
			}), bucket)
			p := prediction()
			err := s.Put(t.Context(), p, bytes.NewReader([]byte("photo")))
			if err == nil || !strings.Contains(err.Error(), p.Key) || !strings.Contains(err.Error(), c.code) {
				t.Errorf("got %v, want an error that names %s and %s", err, p.Key, c.code)
			}
			if n := tries.Load(); n != c.tries {
				t.Errorf("%d tries, want %d", n, c.tries)
			}
			if got := *last.Load(); got != "photo" {
				t.Errorf("the last try sent %q", got)
			}
		})
	}
}

func TestContextEndsACall(t *testing.T) {
	arrived := make(chan struct{}, 10)
	hang := make(chan struct{})
	s := open(serve(t, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		arrived <- struct{}{}
		<-hang
	}), bucket)
	t.Cleanup(func() { close(hang) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := s.Put(ctx, prediction(), strings.NewReader("photo")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
