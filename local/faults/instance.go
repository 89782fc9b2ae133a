//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTime bounds an instance's start.
const startTime = 30 * time.Second

// instance is one web instance: a process of the app, killed and started again,
// and its own way to S3, SageMaker and MySQL, so that it is known which
// instance a request came from.
type instance struct {
	name    string
	system  *system
	s3, ml  *httptest.Server
	sql     *sqlProxy
	log     *os.File
	back    sync.WaitGroup // restarts and stalls under way
	faultMu sync.Mutex
	fault   error // of a restart

	mu      sync.Mutex
	url     string   // empty while it is down
	process *process // nil before the first start
	stopped bool     // for good
}

func newInstance(s *system, name string) (*instance, error) {
	in := &instance{name: name, system: s}
	in.s3, in.ml = httptest.NewServer(s.objects(in)), httptest.NewServer(s.runtime(in))
	var err error
	if in.sql, err = newSQLProxy(s, in); err != nil {
		return nil, fmt.Errorf("listen for MySQL: %w", err)
	}
	in.log, err = os.Create(filepath.Join(s.options.Dir, name+".log"))
	return in, err
}

// errEnded: the process ended before it answered.
var errEnded = errors.New("ended at its start")

// start runs the process and returns when it answers. Each start has a new
// port: the old one may be anybody's by now.
func (in *instance) start(ctx context.Context) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	cmd := exec.Command(in.system.options.Binary, "serve")
	cmd.Env = append(in.environment(), "VINFAST_LISTEN="+address)
	cmd.Stdout, cmd.Stderr = in.log, in.log
	p, err := launch(cmd)
	if err != nil {
		return fmt.Errorf("start %s: %w", in.name, err)
	}
	in.mu.Lock()
	in.process = p
	in.mu.Unlock()
	end := time.Now().Add(startTime)
	for status("http://"+address+"/healthz") != http.StatusOK {
		select {
		case <-p.done:
			return fmt.Errorf("%s %w (%w), see %s", in.name, errEnded, p.err, in.log.Name())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not answer within %v, see %s", in.name, startTime, in.log.Name())
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.url = "http://" + address
	go in.watch(p)
	return nil
}

// watch reports a process that ends without being told to.
func (in *instance) watch(p *process) {
	<-p.done
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.process == p && in.url != "" {
		in.url = ""
		in.system.ledger.complain("%s ended by itself (%v), see %s", in.name, p.err, in.log.Name())
	}
}

// restart starts the process until it stays, as systemd does: on a full disk it
// ends at once, and says why.
func (in *instance) restart(ctx context.Context) error {
	for end := time.Now().Add(startTime); ; {
		err := in.start(ctx)
		if !errors.Is(err, errEnded) || time.Now().After(end) || !pass(ctx, time.Second) {
			return err
		}
	}
}

func (in *instance) environment() []string {
	s := in.system
	return []string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + s.options.Dir, "GORACE=halt_on_error=1",
		"VINFAST_ENDPOINT=" + endpointName, "VINFAST_BUCKET=" + bucket, "VINFAST_DB_DSN=" + s.database.dsn(in.sql.addr()),
		"VINFAST_SHARED_DIR=" + s.disk.folder, "VINFAST_RATE_PER_MINUTE=1000000",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_S3=" + in.s3.URL, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=" + in.ml.URL,
	}
}

// address is the URL of the app, empty while it is down.
func (in *instance) address() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.url
}

// kill is kill -9; the instance starts again after a pause. It tells whether
// there was something to kill.
func (in *instance) kill(pause time.Duration) bool {
	return in.killAnd(pause, func() {})
}

// killAnd does something between the signal and the wait for the end: a process
// in the middle of a system call on a frozen file system does not end before
// that is thawed.
func (in *instance) killAnd(pause time.Duration, then func()) bool {
	in.mu.Lock()
	if in.url == "" || in.stopped {
		in.mu.Unlock()
		then()
		return false
	}
	in.url = ""
	in.process.kill()
	ended := in.process.done
	in.back.Add(1)
	in.mu.Unlock()
	then()
	<-ended
	go func() {
		defer in.back.Done()
		if !pass(in.system.ctx, pause) {
			return
		}
		if err := in.restart(in.system.ctx); err != nil {
			in.faultMu.Lock()
			defer in.faultMu.Unlock()
			in.fault = errors.Join(in.fault, err)
		}
	}()
	return true
}

// stall stops the process as it stands and lets it go on after a pause; nothing
// new is sent to it meanwhile, as by a balancer. It tells whether there was
// something to stop.
func (in *instance) stall(pause time.Duration) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.url == "" || in.stopped || in.process.cmd.Process.Signal(syscall.SIGSTOP) != nil {
		return false
	}
	p, url := in.process, in.url
	in.url = ""
	in.back.Go(func() {
		pass(in.system.ctx, pause)
		in.system.note(p.cmd.Process.Signal(syscall.SIGCONT))
		in.mu.Lock()
		defer in.mu.Unlock()
		in.url = url
	})
	return true
}

// settle waits until all restarts are done.
func (in *instance) settle() error {
	in.back.Wait()
	in.faultMu.Lock()
	defer in.faultMu.Unlock()
	return in.fault
}

// stop is what systemd does: SIGTERM, and an orderly end.
func (in *instance) stop() error {
	in.mu.Lock()
	p, up := in.process, in.url != ""
	in.url, in.stopped = "", true
	in.mu.Unlock()
	if !up {
		return nil
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", in.name, err)
	}
	select {
	case <-p.done:
		if p.err != nil {
			return fmt.Errorf("%s did not stop in order: %w, see %s", in.name, p.err, in.log.Name())
		}
		return nil
	case <-time.After(stopTime):
		p.kill()
		return fmt.Errorf("%s did not stop within %v", in.name, stopTime)
	}
}

// stopTime is a little more than the app gives requests under way.
const stopTime = 40 * time.Second

// close ends everything at once. The system's context has ended.
func (in *instance) close() error {
	in.back.Wait()
	in.mu.Lock()
	in.stopped = true
	p := in.process
	in.mu.Unlock()
	if p != nil {
		p.kill()
		<-p.done
	}
	in.s3.CloseClientConnections()
	in.ml.CloseClientConnections()
	in.s3.Close()
	in.ml.Close()
	return errors.Join(in.sql.close(), in.log.Close())
}

// waiting is what the instance says of the spool: how many uploads are in it.
func (in *instance) waiting() (string, error) {
	resp, err := http.Get(in.address() + "/metrics")
	if err != nil {
		return "", fmt.Errorf("ask %s for its metrics: %w", in.name, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("ask %s for its metrics: %w", in.name, err)
	}
	for line := range strings.Lines(string(text)) {
		if count, found := strings.CutPrefix(line, "vinfast_spool_uploads "); found {
			return strings.TrimSpace(count), nil
		}
	}
	return "", fmt.Errorf("the metrics of %s do not name vinfast_spool_uploads", in.name)
}

func status(url string) int {
	resp, err := http.Get(url)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close() // the status is all that is asked
	return resp.StatusCode
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
