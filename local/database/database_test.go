//go:build !unit

package database_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"vinfast-classifier/local/database"
)

func start(t *testing.T, o database.Options) *database.Server {
	t.Helper()
	s, err := database.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// installed is a folder in which a server has run before. Making one takes
// seconds, copying one does not.
func installed(t *testing.T) string {
	t.Helper()
	installOnce.Do(func() {
		template = filepath.Join(os.TempDir(), fmt.Sprintf("database-test-%d", os.Getpid()))
		s, err := database.Start(context.Background(), database.Options{Dir: template})
		if err == nil {
			err = s.Stop()
		}
		installErr = err
	})
	if installErr != nil {
		t.Fatal(installErr)
	}
	dir := filepath.Join(t.TempDir(), "db")
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	// Copies of one folder would else all want the same port.
	if err := os.Remove(filepath.Join(dir, "port")); err != nil {
		t.Fatal(err)
	}
	return dir
}

var (
	installOnce sync.Once
	installErr  error
	template    string
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func count(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	n := 0
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestStopAndStartKeepsDataAndPort(t *testing.T) {
	// The path is deeper than a socket's 108 bytes and has characters that
	// shells and scripts stumble over.
	dir := filepath.Join(t.TempDir(), "a checkout's deep folder", strings.Repeat("x", 120), "db")
	s := start(t, database.Options{Dir: dir})
	exec(t, open(t, s.DSN()), "CREATE TABLE kept (id INT)")
	exec(t, open(t, s.DSN()), "INSERT INTO kept VALUES (1)")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, database.Options{Dir: dir})
	if again.DSN() != s.DSN() {
		t.Errorf("DSN changed from %q to %q", s.DSN(), again.DSN())
	}
	if n := count(t, open(t, again.DSN()), "SELECT COUNT(*) FROM kept"); n != 1 {
		t.Errorf("%d rows after a restart, want 1", n)
	}
}

func TestKillLosesNoCommittedRow(t *testing.T) {
	dir := installed(t)
	s := start(t, database.Options{Dir: dir})
	db := open(t, s.DSN())
	exec(t, db, "CREATE TABLE kept (id INT) ENGINE=InnoDB")
	for range 20 {
		exec(t, db, "INSERT INTO kept VALUES (1)")
	}
	s.Kill()
	if err := s.Wait(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("Wait after Kill says %v", err)
	}
	again := start(t, database.Options{Dir: dir})
	if again.DSN() != s.DSN() {
		t.Errorf("DSN changed from %q to %q", s.DSN(), again.DSN())
	}
	if n := count(t, open(t, again.DSN()), "SELECT COUNT(*) FROM kept"); n != 20 {
		t.Errorf("%d rows after a kill, want 20", n)
	}
}

func TestAnotherPortWhenTheOldIsTaken(t *testing.T) {
	dir := installed(t)
	s := start(t, database.Options{Dir: dir})
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if again := start(t, database.Options{Dir: dir}); again.Addr() == s.Addr() {
		t.Errorf("started on %s, which is taken", s.Addr())
	}
}

func TestOneServerPerFolder(t *testing.T) {
	dir := installed(t)
	s := start(t, database.Options{Dir: dir})
	if _, err := database.Start(t.Context(), database.Options{Dir: dir}); !errors.Is(err, database.ErrInUse) {
		t.Errorf("second Start: %v, want ErrInUse", err)
	}
	if err := open(t, s.DSN()).Ping(); err != nil {
		t.Errorf("first server after that: %v", err)
	}
}

func TestOnlyTheAccountGetsIn(t *testing.T) {
	s := start(t, database.Options{Dir: t.TempDir()})
	for name, change := range map[string]func(*mysql.Config){
		"wrong password":    func(c *mysql.Config) { c.Passwd = "x" },
		"root":              func(c *mysql.Config) { c.User, c.Passwd = "root", "" },
		"root with ours":    func(c *mysql.Config) { c.User = "root" },
		"anonymous":         func(c *mysql.Config) { c.User, c.Passwd = "", "" },
		"the system schema": func(c *mysql.Config) { c.DBName = "mysql" },
		"a look-alike":      func(c *mysql.Config) { c.DBName = "predictionXdata" },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := mysql.ParseDSN(s.DSN())
			if err != nil {
				t.Fatal(err)
			}
			change(c)
			err = open(t, c.FormatDSN()).Ping()
			var refused *mysql.MySQLError
			if !errors.As(err, &refused) {
				t.Errorf("got %v, want a refusal by the server", err)
			}
		})
	}
	if _, err := s.NewSchema(t.Context()); err == nil {
		t.Error("the account can make schemas without TestSchemas")
	}
}

func TestNewSchema(t *testing.T) {
	s := start(t, database.Options{Dir: installed(t), TestSchemas: true})
	one, err := s.NewSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.NewSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exec(t, open(t, one), "CREATE TABLE t (id INT)")
	exec(t, open(t, two), "CREATE TABLE t (id INT)")
}

func TestListensOnLoopbackOnlyAndKeepsSecretsPrivate(t *testing.T) {
	dir := t.TempDir()
	s := start(t, database.Options{Dir: dir})
	db := open(t, s.DSN())
	var name, value string
	if err := db.QueryRow("SHOW VARIABLES LIKE 'bind_address'").Scan(&name, &value); err != nil || value != "127.0.0.1" {
		t.Errorf("bind_address is %q, %v", value, err)
	}
	if err := db.QueryRow("SHOW VARIABLES LIKE 'socket'").Scan(&name, &value); err != nil || value != "" {
		t.Errorf("socket is %q, %v", value, err)
	}
	for _, file := range []string{"password", "setup.sql"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", file, info.Mode().Perm())
		}
	}
}

func TestErrorQuotesTheLog(t *testing.T) {
	dir := installed(t)
	for _, file := range []string{"ibdata1", "ib_logfile0"} {
		if err := os.Truncate(filepath.Join(dir, "data", file), 100); err != nil {
			t.Logf("%s: %v", file, err) // MySQL has no ib_logfile0
		}
	}
	var log bytes.Buffer
	_, err := database.Start(t.Context(), database.Options{Dir: dir, Log: &log})
	if err == nil || !strings.Contains(err.Error(), "InnoDB") {
		t.Errorf("Start on a broken folder says %v", err)
	}
	if !strings.Contains(log.String(), "InnoDB") {
		t.Error("Options.Log got nothing")
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := database.Start(ctx, database.Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	start(t, database.Options{Dir: dir}) // what it left behind does not matter
}
