//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"

	"vinfast-classifier/local/database"
	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/objectstore"
	"vinfast-classifier/local/program"
)

// system is the app as a process of its own; database, S3 and endpoint beside
// it, so that its memory and time can be told from theirs.
type system struct {
	url      string
	app      *exec.Cmd
	runtime  *sagemakerruntime.Client
	cleaning []func() error
}

func start(ctx context.Context, dir string, latency time.Duration) (s *system, err error) {
	s = &system{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	db, err := database.Start(ctx, database.Options{Dir: filepath.Join(dir, "database")})
	if err != nil {
		return nil, err
	}
	s.cleaning = append(s.cleaning, db.Stop)
	objects, store, err := objectstore.New(filepath.Join(dir, "objects"), slog.New(slog.DiscardHandler), "bench")
	if err != nil {
		return nil, err
	}
	s.cleaning = append(s.cleaning, store.Close)
	container := s.serve(endpoint.Container(endpoint.Fixed{Latency: latency,
		Scores: []endpoint.Score{{Score: 0.9, Label: "Vinfast_VF_8"}, {Score: 0.1, Label: "Vinfast_Fadil"}}}, 1024))
	api := s.serve(endpoint.Runtime{Endpoint: "bench", Region: "us-east-1", Account: "000000000000",
		Container: container, Timeout: endpoint.ModelTimeout}.Handler())
	s.runtime = sagemakerruntime.New(sagemakerruntime.Options{Region: "us-east-1", BaseEndpoint: &api,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	return s, s.startApp(dir, db.DSN(), s.serve(objects), api)
}

func (s *system) serve(h http.Handler) string {
	server := httptest.NewServer(h)
	s.cleaning = append(s.cleaning, func() error { server.Close(); return nil })
	return server.URL
}

func (s *system) startApp(dir, dsn, store, api string) error {
	port, err := program.FreePort()
	if err != nil {
		return err
	}
	shared := filepath.Join(dir, "shared")
	if err := os.MkdirAll(shared, 0o700); err != nil {
		return err
	}
	listen := "127.0.0.1:" + strconv.Itoa(port)
	s.url = "http://" + listen
	s.app = exec.Command(".local/bin/vinfast", "serve")
	s.app.Env = []string{"VINFAST_LISTEN=" + listen, "VINFAST_ENDPOINT=bench", "VINFAST_BUCKET=bench", "VINFAST_DB_DSN=" + dsn,
		"VINFAST_SHARED_DIR=" + shared, "VINFAST_LOG_FILE=" + filepath.Join(dir, "app.log"), "VINFAST_RATE_PER_MINUTE=1000000",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_S3=" + store, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=" + api}
	if err := s.app.Start(); err != nil {
		return fmt.Errorf("start the app (make local-build makes it): %w", err)
	}
	for end := time.Now().Add(time.Minute); !ready(s.url); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			return errors.New("the app does not get ready")
		}
	}
	return nil
}

func (s *system) stop() {
	var faults []error
	if s.app != nil && s.app.Process != nil {
		faults = append(faults, s.app.Process.Signal(syscall.SIGTERM), s.app.Wait())
	}
	for i := range s.cleaning {
		faults = append(faults, s.cleaning[len(s.cleaning)-1-i]())
	}
	if err := errors.Join(faults...); err != nil {
		fmt.Fprintln(os.Stderr, "bench: stop:", err)
	}
}

// serial makes every upload's bytes another's.
var serial atomic.Int64

// upload sends one photo through the app.
func (s *system) upload(ctx context.Context, jpeg []byte) error {
	body := strconv.AppendInt(bytes.Clone(jpeg), serial.Add(1), 10) // after the picture's end
	req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/api/v1/predictions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "image/jpeg")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusCreated || !strings.Contains(string(answer), `"stored":"yes"`) {
		return fmt.Errorf("upload: %s: %s", resp.Status, answer)
	}
	return nil
}

// invoke calls the endpoint itself.
func (s *system) invoke(ctx context.Context, jpeg []byte) error {
	_, err := s.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{
		EndpointName: aws.String("bench"), ContentType: aws.String("image/jpeg"), Body: jpeg})
	return err
}

// load sends count photos from so many clients and returns the highest
// resident memory seen, in MiB, and uploads a second.
func (s *system) load(ctx context.Context, jpeg []byte, count, clients int) (peak, rate float64, err error) {
	// The kernel's own high-water mark, set back to what is resident now.
	if err := os.WriteFile(s.proc("clear_refs"), []byte("5"), 0); err != nil {
		return 0, 0, fmt.Errorf("reset peak memory: %w", err)
	}
	began := time.Now()
	work := make(chan struct{}, count)
	for range count {
		work <- struct{}{}
	}
	close(work)
	faults := make([]error, clients)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for range work {
				if faults[i] == nil {
					faults[i] = s.upload(ctx, jpeg)
				}
			}
		})
	}
	wg.Wait()
	rate = float64(count) / time.Since(began).Seconds()
	if err := errors.Join(faults...); err != nil {
		return 0, 0, err
	}
	peak, err = s.status("VmHWM:")
	return peak, rate, err
}

func (s *system) resident() (float64, error) { return s.status("VmRSS:") }

func (s *system) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", s.app.Process.Pid, file)
}

// status reads one line of the app's status, in MiB.
func (s *system) status(name string) (float64, error) {
	text, err := os.ReadFile(s.proc("status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name); found {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("no %s in %s", name, s.proc("status"))
}

// databaseStart times the database server alone, to its first answer.
func databaseStart(ctx context.Context, dir string) (float64, error) {
	began := time.Now()
	db, err := database.Start(ctx, database.Options{Dir: dir})
	if err != nil {
		return 0, err
	}
	return time.Since(began).Seconds(), db.Stop()
}
