//go:build !unit

package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	_ "github.com/go-sql-driver/mysql"

	"vinfast-classifier/local/database"
	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/objectstore"
	"vinfast-classifier/local/program"
)

const bucket = "vinfast-test-images"

var (
	binary string // the app, built with the race detector
	db     *database.Server
)

// TestMain builds the app and starts one database for all tests; each test
// has a schema, a bucket server and a shared folder of its own.
func TestMain(m *testing.M) { os.Exit(setUp(m)) }

func setUp(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vinfast-system-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "vinfast")
	if out, err := program.Command(context.Background(), "go", "build", "-race", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the app: %v\n%s", err, out)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if db, err = database.Start(ctx, database.Options{Dir: filepath.Join(dir, "db"), TestSchemas: true}); err != nil {
		fmt.Fprintln(os.Stderr, "start the database:", err)
		return 1
	}
	code := m.Run()
	if err := db.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the database:", err)
		return 1
	}
	return code
}

// system is everything but the app: MySQL, S3 and SageMaker Runtime, each
// spoken to over its own protocol.
type system struct {
	t              *testing.T
	dsn            string
	sql            *sql.DB
	s3             *s3.Client
	objects, model *gated
	shared         string
	under          []string // command that runs the app; empty for none
	program        string   // the app
}

// gated is a server whose requests can be held back, refused or counted.
type gated struct {
	*httptest.Server
	calls  atomic.Int64
	refuse atomic.Int64 // status to answer instead; 0 for none
	mu     sync.Mutex
	gate   chan struct{} // nil: open
}

func serveGated(t *testing.T, h http.Handler) *gated {
	g := &gated{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.calls.Add(1)
		g.mu.Lock()
		gate := g.gate
		g.mu.Unlock()
		if gate != nil {
			// The body first: only then does the server notice a caller that dies.
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			select {
			case <-gate:
			case <-r.Context().Done():
				return
			}
		}
		if code := g.refuse.Load(); code != 0 {
			http.Error(w, "refused for the test", int(code))
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { g.open(); g.Close() })
	return g
}

func (g *gated) hold() { g.mu.Lock(); g.gate = make(chan struct{}); g.mu.Unlock() }

func (g *gated) open() {
	g.mu.Lock()
	if g.gate != nil {
		close(g.gate)
		g.gate = nil
	}
	g.mu.Unlock()
}

// fixed is a model that does not look: where the test is not about labels, the
// demo model would only cost time under the race detector.
var fixed = endpoint.Fixed{Scores: []endpoint.Score{{Score: 0.9, Label: "Vinfast_VF_8"}, {Score: 0.1, Label: "Vinfast_Fadil"}}}

func newSystem(t *testing.T, classifier endpoint.Classifier) *system {
	t.Helper()
	ctx := t.Context()
	dsn, err := db.NewSchema(ctx)
	must(t, err)
	handle, err := sql.Open("mysql", dsn)
	must(t, err)
	t.Cleanup(func() { must(t, handle.Close()) })
	store, closer, err := objectstore.New(filepath.Join(t.TempDir(), "objects"), slog.New(slog.DiscardHandler), bucket)
	must(t, err)
	t.Cleanup(func() { must(t, closer.Close()) })
	container := httptest.NewServer(endpoint.Container(classifier, 8))
	t.Cleanup(container.Close)
	api := endpoint.Runtime{Endpoint: "vinfast-test", Region: "us-east-1", Account: "000000000000",
		Container: container.URL, Timeout: time.Minute}
	s := &system{t: t, program: binary, dsn: dsn, sql: handle, shared: t.TempDir(),
		objects: serveGated(t, store), model: serveGated(t, api.Handler())}
	s.s3 = s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: &s.objects.URL,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), UsePathStyle: true})
	return s
}

// process is one running process of the web app.
type process struct {
	url string
	cmd *exec.Cmd
}

// start runs the app on a free port and waits until it is ready for work.
func (s *system) start(env ...string) *process {
	s.t.Helper()
	a := s.launch(env...)
	s.await("the app is ready", func() bool { return get(a.url+"/readyz") == http.StatusOK })
	return a
}

// launch runs the app and waits until it listens.
func (s *system) launch(env ...string) *process {
	s.t.Helper()
	port := freePort(s.t)
	args := append(slices.Clone(s.under), s.program, "serve")
	a := &process{url: "http://" + port, cmd: exec.Command(args[0], args[1:]...)}
	a.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "GORACE=halt_on_error=1",
		"VINFAST_LISTEN=" + port, "VINFAST_ENDPOINT=vinfast-test", "VINFAST_BUCKET=" + bucket,
		"VINFAST_SHARED_DIR=" + s.shared,
		"VINFAST_LOG_FILE=" + filepath.Join(s.shared, "app.log"), "VINFAST_RATE_PER_MINUTE=1000000",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_S3=" + s.objects.URL, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=" + s.model.URL}, env...)
	if !strings.Contains(strings.Join(env, "\n"), "VINFAST_DB_") {
		a.cmd.Env = append(a.cmd.Env, "VINFAST_DB_DSN="+s.dsn)
	}
	var out bytes.Buffer
	a.cmd.Stdout, a.cmd.Stderr = &out, &out
	must(s.t, a.cmd.Start())
	s.t.Cleanup(func() {
		a.kill()
		if s.t.Failed() || bytes.Contains(out.Bytes(), []byte("DATA RACE")) {
			s.t.Errorf("the app said:\n%s", tail(out.Bytes()))
		}
	})
	s.await("the app listens", func() bool { return get(a.url+"/healthz") == http.StatusOK })
	return a
}

// kill is kill -9; calling it again does nothing.
func (a *process) kill() {
	if a.cmd.ProcessState == nil {
		_ = a.cmd.Process.Kill() // gone already is as good
		_ = a.cmd.Wait()         // says "killed", which is what was asked for
	}
}

// stop is what systemd does: SIGTERM, and an orderly end.
func (a *process) stop(t *testing.T) {
	t.Helper()
	must(t, a.cmd.Process.Signal(syscall.SIGTERM))
	must(t, a.cmd.Wait())
}

type answer struct {
	Predictions []struct {
		ID, Label, Stored, ImageURL, Notice string
		Score                               float64
		Scores                              []struct {
			Label string
			Score float64
		}
		Error *struct {
			Status int
			Detail string
		}
	}
}

// post sends one raw JPEG.
func (a *process) post(ctx context.Context, jpeg []byte, key string) (int, answer, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", a.url+"/api/v1/predictions", bytes.NewReader(jpeg))
	if err != nil {
		return 0, answer{}, err
	}
	req.Header.Set("Content-Type", "image/jpeg")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, answer{}, err
	}
	var got answer
	if resp.StatusCode == http.StatusCreated {
		if err := json.Unmarshal(body, &got); err != nil {
			return 0, answer{}, fmt.Errorf("%w: %s", err, body)
		}
		if len(got.Predictions) != 1 || got.Predictions[0].Error != nil {
			return 0, answer{}, fmt.Errorf("unexpected answer %s", body)
		}
	}
	return resp.StatusCode, got, nil
}

// rows returns upload ids and labels in MySQL.
func (s *system) rows() map[string]string {
	s.t.Helper()
	rows, err := s.sql.QueryContext(s.t.Context(), "SELECT upload_id, prediction FROM predictions")
	must(s.t, err)
	defer rows.Close()
	got := map[string]string{}
	for rows.Next() {
		var id, label string
		must(s.t, rows.Scan(&id, &label))
		if _, twice := got[id]; twice {
			s.t.Errorf("two rows for upload %s", id)
		}
		got[id] = label
	}
	must(s.t, rows.Err())
	return got
}

// keys returns the objects under images/ in S3.
func (s *system) keys() []string {
	s.t.Helper()
	var keys []string
	pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String("images/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		must(s.t, err)
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	return keys
}

// waiting counts the files below the spool folder, signs of life aside.
func (s *system) waiting() int {
	s.t.Helper()
	n := 0
	must(s.t, filepath.WalkDir(filepath.Join(s.shared, "spool"), func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && d.Type().IsRegular() && filepath.Base(filepath.Dir(path)) != "instances" {
			n++
		}
		return err
	}))
	return n
}

// await polls until done, for at most two minutes: a bound for a hang, which
// no test is decided by.
func (s *system) await(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func get(url string) int {
	resp, err := http.Get(url)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := program.FreePort()
	must(t, err)
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
