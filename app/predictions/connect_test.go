//go:build !unit

package predictions_test

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"vinfast-classifier/app/predictions"
	"vinfast-classifier/local/database"
)

// secured is a database server that takes TLS connections only.
type secured struct {
	*database.Server
	dir string
	ca  authority
}

func startSecured(t *testing.T, addresses ...string) *secured {
	t.Helper()
	s := &secured{dir: t.TempDir()}
	s.serve(t, addresses...)
	return s
}

// serve starts the server with a certificate of a new authority.
func (s *secured) serve(t *testing.T, addresses ...string) {
	t.Helper()
	s.ca = newAuthority(t)
	files := s.ca.issue(t, addresses...)
	var err error
	s.Server, err = database.Start(t.Context(), database.Options{Dir: s.dir, TLS: &files})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
}

// secrets hands out the given credentials one after the other, the last one
// for ever, and counts.
type secrets struct {
	list  []predictions.Credentials
	reads atomic.Int64
}

func (s *secrets) read(context.Context) (predictions.Credentials, error) {
	n := int(s.reads.Add(1))
	return s.list[min(n, len(s.list))-1], nil
}

func (s *secured) account(list ...predictions.Credentials) (predictions.Account, *secrets) {
	from := &secrets{list: list}
	return predictions.Account{Host: s.Addr(), Name: database.Schema, User: database.User, Read: from.read}, from
}

func (s *secured) right() predictions.Credentials {
	return predictions.Credentials{Password: s.Password(), CA: s.ca.pem}
}

func ping(t *testing.T, a predictions.Account) error {
	t.Helper()
	store := predictions.Open(a.Connector(), "photos")
	defer store.Close()
	return store.Ping(t.Context())
}

func TestVerifiedTLS(t *testing.T) {
	s := startSecured(t, "127.0.0.1")
	stranger := newAuthority(t)
	wrongCA := predictions.Credentials{Password: s.Password(), CA: stranger.pem}
	wrongPassword := predictions.Credentials{Password: "x", CA: s.ca.pem}
	var untrusted *tls.CertificateVerificationError
	for name, c := range map[string]struct {
		list  []predictions.Credentials
		reads int64
		check func(error) bool
	}{
		"right":                   {[]predictions.Credentials{s.right()}, 1, func(err error) bool { return err == nil }},
		"wrong authority":         {[]predictions.Credentials{wrongCA}, 2, func(err error) bool { return errors.As(err, &untrusted) }},
		"authority was renewed":   {[]predictions.Credentials{wrongCA, s.right()}, 2, func(err error) bool { return err == nil }},
		"wrong password":          {[]predictions.Credentials{wrongPassword}, 2, denied},
		"password was renewed":    {[]predictions.Credentials{wrongPassword, s.right()}, 2, func(err error) bool { return err == nil }},
		"renewed to a wrong one":  {[]predictions.Credentials{wrongPassword, {Password: "y", CA: s.ca.pem}}, 2, denied},
		"authority is not PEM":    {[]predictions.Credentials{{Password: s.Password(), CA: "x"}}, 1, func(err error) bool { return err != nil && strings.Contains(err.Error(), "not PEM") }},
		"authority in two blocks": {[]predictions.Credentials{{Password: s.Password(), CA: stranger.pem + s.ca.pem}}, 1, func(err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			account, from := s.account(c.list...)
			if err := ping(t, account); !c.check(err) {
				t.Errorf("Ping says %v", err)
			}
			if n := from.reads.Load(); n != c.reads {
				t.Errorf("credentials were read %d times, want %d", n, c.reads)
			}
		})
	}
}

// TestReadsAgainOnlyNowAndThen: credentials that stay wrong must not become
// calls without end to Parameter Store.
func TestReadsAgainOnlyNowAndThen(t *testing.T) {
	s := startSecured(t, "127.0.0.1")
	account, from := s.account(predictions.Credentials{Password: "x", CA: s.ca.pem})
	now := noon
	account.Now = func() time.Time { return now }
	store := predictions.Open(account.Connector(), "photos")
	defer store.Close()
	for _, want := range []int64{2, 2, 2, 3, 3} { // the first read, then one in a while
		if err := store.Ping(t.Context()); !denied(err) {
			t.Errorf("Ping says %v", err)
		}
		if n := from.reads.Load(); n != want {
			t.Errorf("after %v: %d reads, want %d", now.Sub(noon), n, want)
		}
		now = now.Add(2 * time.Second)
	}
}

func denied(err error) bool {
	var fault *mysql.MySQLError
	return errors.As(err, &fault) && fault.Number == 1045
}

func TestConnectionIsTLS(t *testing.T) {
	s := startSecured(t, "127.0.0.1")
	account, _ := s.account(s.right())
	db := sql.OpenDB(account.Connector())
	defer db.Close()
	var name, version string
	if err := db.QueryRowContext(t.Context(), "SHOW STATUS LIKE 'Ssl_version'").Scan(&name, &version); err != nil {
		t.Fatal(err)
	}
	if version != "TLSv1.2" && version != "TLSv1.3" {
		t.Errorf("the connection speaks %q", version)
	}
}

func TestCertificateMustNameTheHost(t *testing.T) {
	s := startSecured(t, "10.0.0.9")
	account, _ := s.account(s.right())
	if err := ping(t, account); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("got %v, want a certificate error", err)
	}
}

func TestPlainServerIsRefused(t *testing.T) {
	ca := newAuthority(t)
	from := &secrets{list: []predictions.Credentials{{Password: server.Password(), CA: ca.pem}}}
	account := predictions.Account{Host: server.Addr(), Name: database.Schema, User: database.User, Read: from.read}
	err := ping(t, account)
	// MariaDB from 11.4 on has a certificate of its own making.
	if !errors.Is(err, mysql.ErrNoTLS) && !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("got %v, want a refusal to talk", err)
	}
}

// TestRunningStoreFollowsTheDatabase: the database comes back with another
// certificate and another password, and the store finds its way by itself.
func TestRunningStoreFollowsTheDatabase(t *testing.T) {
	s := startSecured(t, "127.0.0.1")
	current := s.right()
	account, _ := s.account()
	account.Read = func(context.Context) (predictions.Credentials, error) { return current, nil }
	store := predictions.Open(account.Connector(), "photos")
	defer store.Close()
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	renew := filepath.Join(s.dir, "password")
	writeFile(t, renew, "another-password\n")
	s.serve(t, "127.0.0.1")
	current = s.right()
	if current.Password != "another-password" {
		t.Fatalf("password is still %q", current.Password)
	}
	if kept := insert(t, store, prediction(0)); kept.ID == "" {
		t.Error("nothing was kept")
	}
}

func TestFaultOfReadIsShown(t *testing.T) {
	reason := errors.New("no such parameter")
	account := predictions.Account{Host: "127.0.0.1:1", Read: func(context.Context) (predictions.Credentials, error) {
		return predictions.Credentials{}, reason
	}}
	if err := ping(t, account); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}
