//go:build long && !unit

package doctor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/doctor"
	"vinfast-classifier/local/database"
	"vinfast-classifier/local/program"
)

// TestLongServeWithoutDatabaseAccess: a database that cannot be used is no
// reason for the app to end: systemd would start it again and again. It serves,
// /readyz and the doctor name the part, and it finds its way when that is mended.
func TestLongServeWithoutDatabaseAccess(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "vinfast")
	if out, err := program.Command(t.Context(), "go", "build", "-race", "-o", binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("build the app: %v\n%s", err, out)
	}
	for name, c := range map[string]struct {
		harm func(*patient)
		says string // in the app's log and the doctor's line
	}{
		"wrong password":    {func(p *patient) { p.put(p.settings.Database.PasswordParameter, "wrong-horse-battery") }, "Access denied for user"},
		"password unset":    {func(p *patient) { p.put(p.settings.Database.PasswordParameter, "unset") }, "has not published its password yet"},
		"parameter missing": {forget, "ParameterNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t)
			c.harm(p)
			s := serve(t, binary, p)
			s.await("the app says in its log "+c.says, func() bool { return strings.Contains(s.log(), c.says) })
			status, body := s.ready()
			if status != http.StatusServiceUnavailable || !strings.Contains(body, `"name":"database","state":"down"`) {
				t.Errorf("/readyz answers %d %s", status, body)
			}
			report, exit := s.doctor()
			if l := line(t, report, "database"); exit != 1 || l.Result != doctor.Failed || !strings.Contains(l.Detail, c.says) || l.Advice == "" {
				t.Errorf("the doctor exits %d and says %+v", exit, l)
			}
			if l := line(t, report, "web app"); l.Result != doctor.Failed || !strings.Contains(l.Detail, "database: ") {
				t.Errorf("the doctor says of the app %+v", l)
			}
			p.put(p.settings.Database.PasswordParameter, world.db.Password())
			s.await("the app is ready", func() bool { status, _ := s.ready(); return status == http.StatusOK })
			if report, exit := s.doctor(); exit != 0 || !report.OK {
				t.Errorf("mended, the doctor exits %d:\n%s", exit, table(t, report))
			}
		})
	}
}

// served is a running process of the app.
type served struct {
	t    *testing.T
	cmd  *exec.Cmd
	env  []string
	p    *patient
	gone chan struct{}
}

// serve runs "vinfast serve" against the patient's servers. The doctor's run
// has no agent that ships its line, so no log group either.
func serve(t *testing.T, binary string, p *patient) *served {
	t.Helper()
	s := &served{t: t, p: p, cmd: exec.Command(binary, "serve"), gone: make(chan struct{})}
	p.settings.Listen = closed(t)
	s.env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_ENDPOINT_URL_S3=http://" + world.s3, "AWS_ENDPOINT_URL_SSM=http://" + world.moto, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://" + world.model,
		"VINFAST_LISTEN=" + p.settings.Listen, "VINFAST_ENDPOINT=" + modelName, "VINFAST_BUCKET=" + bucket,
		"VINFAST_DB_HOST=" + world.db.Addr(), "VINFAST_DB_NAME=" + database.Schema, "VINFAST_DB_USER=" + database.User,
		"VINFAST_DB_PASSWORD_PARAMETER=" + p.settings.Database.PasswordParameter, "VINFAST_DB_CA_PARAMETER=" + p.settings.Database.CAParameter,
		"VINFAST_SHARED_DIR=" + p.settings.SharedDir, "VINFAST_LOG_FILE=" + p.settings.LogFile}
	s.cmd.Env = s.env
	must(t, s.cmd.Start())
	go func() {
		defer close(s.gone)
		_ = s.cmd.Wait() // killed in the end, or the test fails by "gone"
	}()
	t.Cleanup(func() {
		select {
		case <-s.gone:
			t.Errorf("the app has ended:\n%s", s.log())
		default:
			must(t, s.cmd.Process.Kill())
			<-s.gone
		}
	})
	s.await("the app listens", func() bool { status, _ := s.ready(); return status != 0 })
	return s
}

func (s *served) log() string {
	text, err := os.ReadFile(s.p.settings.LogFile)
	must(s.t, err)
	return string(text)
}

// ready asks /readyz; 0 for no answer.
func (s *served) ready() (int, string) {
	resp, err := http.Get("http://" + s.p.settings.Listen + "/readyz")
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return resp.StatusCode, string(body)
}

// doctor runs "vinfast doctor --json" in the app's environment.
func (s *served) doctor() (doctor.Report, int) {
	s.t.Helper()
	cmd := exec.Command(s.cmd.Path, "doctor", "--json")
	var out bytes.Buffer
	cmd.Env, cmd.Stdout = s.env, &out
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	var r doctor.Report
	must(s.t, json.Unmarshal(out.Bytes(), &r))
	if text := out.String() + s.log(); strings.Contains(text, "wrong-horse-battery") || strings.Contains(text, world.db.Password()) {
		s.t.Errorf("a password is shown:\n%s", text)
	}
	return r, cmd.ProcessState.ExitCode()
}

// await polls for at most two minutes: a bound for a hang, which no test is
// decided by.
func (s *served) await(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.gone:
			s.t.Fatalf("the app has ended before %s:\n%s", what, s.log())
		default:
		}
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s; its log:\n%s", what, s.log())
		}
	}
}
