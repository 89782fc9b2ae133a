// Package database runs a private MariaDB or MySQL server as a child process,
// with all its data in one folder, for the whole system on one machine and for
// tests. It listens on 127.0.0.1 only and has one account, which sees one
// schema.
package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Schema is the schema and User the account that every server has.
const (
	Schema = "prediction_data"
	User   = "vinfast"
)

// Times a server gets: to accept queries (a recovery after a crash included),
// and to shut down cleanly.
const (
	startTimeout = 90 * time.Second
	stopTimeout  = 30 * time.Second
)

// ErrInUse: another running process has started a server in this folder.
var ErrInUse = errors.New("the database folder is in use by another process")

// Options of Start.
type Options struct {
	Dir string    // data, password, port and pid file live here; made if missing
	Log io.Writer // gets the server's log; nil for none
	// TestSchemas lets the account make schemas of its own with NewSchema. What
	// is written survives the server, but not the machine: no test waits for a
	// disk.
	TestSchemas bool
	// TLS makes the server offer TLS, and refuse plain connections.
	TLS *TLS
}

// TLS names PEM files: the authority, the server's certificate and its key.
type TLS struct{ CA, Cert, Key string }

// Server is a running server process.
type Server struct {
	opts     Options
	flavour  Flavour
	port     int
	password string
	process  *os.Process
	tail     *tail
	schemas  atomic.Int64
	stopping atomic.Bool
	exited   chan struct{} // the process has ended
	done     chan struct{} // and the folder is free again
	err      error         // read after exited is closed
}

// Start runs a server in o.Dir and returns when it accepts queries. On first
// use it makes the data; after a crash the server recovers it; a server that
// an earlier, killed process left behind in the folder is ended first. The
// port is the one of the last start when it is still free. ctx bounds the
// start only. Errors wrap ErrNotInstalled or ErrInUse, or quote the last lines
// of the server's log.
func Start(ctx context.Context, o Options) (*Server, error) {
	flavour, path, err := Find()
	if err != nil {
		return nil, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("database folder: %w", err)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	// tmp: without it the server would write its temporary tables to /tmp.
	if err := os.MkdirAll(filepath.Join(o.Dir, "tmp"), 0o700); err != nil {
		return nil, fmt.Errorf("database folder: %w", err)
	}
	lock, err := lockFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, o, flavour, path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go func() {
		<-s.exited
		if err := lock.Close(); err != nil && s.err == nil {
			s.err = fmt.Errorf("unlock database folder: %w", err)
		}
		close(s.done)
	}()
	return s, nil
}

func start(ctx context.Context, o Options, flavour Flavour, path string) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := endStale(ctx, o.Dir); err != nil {
		return nil, err
	}
	if err := install(ctx, o.Dir, flavour, path); err != nil {
		return nil, err
	}
	password, err := readPassword(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := writeSetup(o, password); err != nil {
		return nil, err
	}
	// Between our look at a port and the server's bind another program may
	// take it: then a new port is chosen.
	for try := 1; ; try++ {
		port, err := choosePort(o.Dir)
		if err != nil {
			return nil, err
		}
		s := &Server{
			opts: o, flavour: flavour, port: port, password: password, tail: &tail{next: o.Log},
			exited: make(chan struct{}), done: make(chan struct{}),
		}
		if err := s.run(path); err != nil {
			return nil, err
		}
		if err = s.ready(ctx); err == nil {
			return s, nil
		}
		s.Kill()
		<-s.exited
		if try == 3 || !s.tail.has("ddress already in use") {
			return nil, err
		}
	}
}

// DSN is the data source name for go-sql-driver/mysql: account User, schema
// Schema, times as time.Time in UTC, utf8mb4.
func (s *Server) DSN() string { return s.dsn(Schema) }

// Addr is the server's address, 127.0.0.1 and a port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Password is the account's password.
func (s *Server) Password() string { return s.password }

// Pid is the server's process id.
func (s *Server) Pid() int { return s.process.Pid }

func (s *Server) dsn(schema string) string {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", s.Addr()
	c.User, c.Passwd, c.DBName = User, s.password, schema
	c.ParseTime, c.Loc = true, time.UTC
	c.Collation = "utf8mb4_general_ci" // of the connection; both flavours have it
	c.Timeout = 5 * time.Second
	if s.opts.TLS != nil {
		c.TLSConfig = "skip-verify" // our own child on loopback
	}
	return c.FormatDSN()
}

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Wait returns when the server has ended: nil after Stop, else an error that
// quotes the last lines of its log.
func (s *Server) Wait() error {
	<-s.done
	return s.err
}

// Stop asks the server to shut down and returns when it has ended. One that
// takes longer than 30 seconds is killed, which is an error but loses no data.
func (s *Server) Stop() error {
	s.stopping.Store(true)
	if err := terminate(s.process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop database: %w", err)
	}
	select {
	case <-s.done:
		return s.err
	case <-time.After(stopTimeout):
		s.Kill()
		<-s.done
		return fmt.Errorf("database did not stop within %v and was killed", stopTimeout)
	}
}

// Kill ends the server at once, as a power cut would; Wait then returns an
// error. Killing one that has ended does nothing.
func (s *Server) Kill() {
	// The only other fault is a process that is not ours, which it is.
	_ = s.process.Kill()
}
