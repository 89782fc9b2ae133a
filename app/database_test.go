//go:build !unit

package main_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// parameterStore answers GetParameter over its JSON protocol.
func parameterStore(t *testing.T, values map[string]string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		value, ok := values[in.Name]
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"ParameterNotFound"}`)) // the app notices a short answer
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Parameter": map[string]string{"Name": in.Name, "Value": value}})
	}))
	t.Cleanup(server.Close)
	return "AWS_ENDPOINT_URL_SSM=" + server.URL
}

// TestDatabaseOutOfReach: what is wrong with login or certificate is said by
// /readyz, and the app runs on and takes pictures.
func TestDatabaseOutOfReach(t *testing.T) {
	t.Parallel()
	authority := httptest.NewTLSServer(nil)
	defer authority.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate().Raw}))
	s := newSystem(t, fixed)
	wrong, err := mysql.ParseDSN(s.dsn)
	must(t, err)
	wrong.Passwd = "x"
	account := []string{"VINFAST_DB_HOST=" + wrong.Addr, "VINFAST_DB_NAME=" + wrong.DBName, "VINFAST_DB_USER=" + wrong.User,
		"VINFAST_DB_PASSWORD_PARAMETER=/p", "VINFAST_DB_CA_PARAMETER=/c"}
	for name, c := range map[string]struct {
		env  []string
		says string
	}{
		"wrong password": {[]string{"VINFAST_DB_DSN=" + wrong.FormatDSN()}, "refuses the password"},
		"no parameter":   {append(account, parameterStore(t, nil)), "does not exist"},
		"not set yet":    {append(account, parameterStore(t, map[string]string{"/p": "unset", "/c": "unset"})), "has not published its password yet"},
		"not our server": {append(account, parameterStore(t, map[string]string{"/p": "x", "/c": ca})), "does not fit the published authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, fixed)
			a := s.launch(c.env...)
			says := func() bool {
				d := a.ready(t)["database"]
				return d.State == "down" && strings.Contains(d.Detail, c.says)
			}
			s.await("readyz says why", says)
			// More failures than the breaker stands: the reason is not forgotten.
			for n := range 6 {
				status, got, err := a.post(t.Context(), picture(n), "")
				if err != nil || status != http.StatusCreated || got.Predictions[0].Stored != "pending" {
					t.Fatalf("a picture meanwhile: %d, %v", status, err)
				}
			}
			s.await("readyz still says why", says)
			if get(a.url+"/healthz") != http.StatusOK {
				t.Error("the app does not run any more")
			}
		})
	}
}

// TestDrain: a request under way when the process is told to stop gets its
// answer; new ones are not taken.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := newSystem(t, fixed)
	a := s.start()
	s.model.hold()
	before := s.model.calls.Load()
	var status atomic.Int64
	done := make(chan error, 1)
	go func() {
		code, _, err := a.post(context.Background(), picture(1), "")
		status.Store(int64(code))
		done <- err
	}()
	s.await("the upload is at the model", func() bool { return s.model.calls.Load() > before })
	must(t, a.cmd.Process.Signal(syscall.SIGTERM))
	s.await("nothing new is taken", func() bool { return get(a.url+"/healthz") == 0 })
	s.model.open()
	if err := <-done; err != nil || status.Load() != http.StatusCreated {
		t.Errorf("status %d, %v", status.Load(), err)
	}
	must(t, a.cmd.Wait())
	if s.waiting() != 0 || len(s.rows()) != 1 {
		t.Errorf("%d spooled, %d rows", s.waiting(), len(s.rows()))
	}
}

// TestTwoInstances: what one leaves behind is finished by the other, while that
// one works.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	s := newSystem(t, fixed)
	a, b := s.start(), s.start()
	s.killedAtModel(a, b)
	if rows, keys := s.rows(), s.keys(); len(rows) != 1 || len(keys) != 1 {
		t.Errorf("rows %v, objects %v", rows, keys)
	}
}

// killedAtModel kills a while its upload is at the model: b finishes it, and
// takes the same upload again.
func (s *system) killedAtModel(a, b *process) {
	s.t.Helper()
	s.model.hold()
	asked := s.model.calls.Load()
	failed := make(chan error, 1)
	go func() {
		_, _, err := a.post(context.Background(), picture(1), "the-key")
		failed <- err
	}()
	s.await("the upload is at the model", func() bool { return s.model.calls.Load() > asked })
	a.kill()
	if err := <-failed; err == nil {
		s.t.Fatal("a killed app answered")
	}
	s.model.open()
	s.await("the other finishes it", func() bool { return s.waiting() == 0 && len(s.rows()) == 1 })
	status, got, err := b.post(s.t.Context(), picture(1), "the-key")
	if err != nil || status != http.StatusCreated || got.Predictions[0].Stored != "yes" {
		s.t.Errorf("a retry: %d, %+v, %v", status, got, err)
	}
}
