package database

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"vinfast-classifier/local/program"
)

// run starts the process.
func (s *Server) run(path string) error {
	cmd := program.Command(context.Background(), path, s.flags()...)
	cmd.Dir = s.opts.Dir
	cmd.Stdout, cmd.Stderr = s.tail, s.tail
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go func() {
		// The kernel sends the parent-death signal when the thread that
		// forked ends, not the process: the thread must stay until the
		// child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", path, err)
			return
		}
		s.process = cmd.Process
		started <- nil
		s.end(cmd.Wait())
	}()
	return <-started
}

func (s *Server) end(err error) {
	if err != nil || !s.stopping.Load() {
		s.err = fmt.Errorf("database server ended (%v); its log:\n%s", err, s.tail)
	}
	close(s.exited)
}

// flags keep the server private (127.0.0.1, no socket file, whose path must
// not exceed 108 bytes) and small: about a tenth of the usual memory.
func (s *Server) flags() []string {
	dir := s.opts.Dir
	flags := []string{
		"--no-defaults",
		"--datadir=" + filepath.Join(dir, "data"),
		"--tmpdir=" + filepath.Join(dir, "tmp"),
		"--pid-file=" + filepath.Join(dir, "pid"),
		"--init-file=" + filepath.Join(dir, "setup.sql"),
		"--bind-address=127.0.0.1",
		"--port=" + strconv.Itoa(s.port),
		"--socket=",
		"--skip-name-resolve",
		"--local-infile=OFF",
		"--skip-log-bin",
		"--default-time-zone=+00:00",
		"--character-set-server=utf8mb4",
		"--performance-schema=OFF",
		"--innodb-buffer-pool-size=32M",
		"--key-buffer-size=1M",
		"--max-connections=100",
		"--table-open-cache=200",
	}
	if s.flavour == MariaDB {
		flags = append(flags, "--aria-pagecache-buffer-size=1M", "--innodb-log-file-size=16M")
	} else {
		flags = append(flags, "--mysqlx=OFF", "--innodb-redo-log-capacity=16M")
	}
	if s.opts.TestSchemas {
		flags = append(flags, "--innodb-flush-method=nosync")
	}
	if os.Geteuid() == 0 {
		flags = append(flags, "--user=root") // else the server refuses to run as root
	}
	if t := s.opts.TLS; t != nil {
		flags = append(flags, "--ssl-ca="+t.CA, "--ssl-cert="+t.Cert, "--ssl-key="+t.Key, "--require-secure-transport=ON")
	}
	return flags
}

// ready waits until the account can query the schema.
func (s *Server) ready(ctx context.Context) error {
	db, err := sql.Open("mysql", s.DSN())
	if err != nil {
		return fmt.Errorf("database DSN: %w", err)
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return s.err
		case <-ctx.Done():
			return fmt.Errorf("database does not accept queries (%w, last %v); its log:\n%s", ctx.Err(), err, s.tail)
		case <-tick.C:
		}
	}
}

// NewSchema makes an empty schema and returns its DSN. It needs
// Options.TestSchemas.
func (s *Server) NewSchema(ctx context.Context) (string, error) {
	db, err := sql.Open("mysql", s.DSN())
	if err != nil {
		return "", fmt.Errorf("database DSN: %w", err)
	}
	defer db.Close()
	name := fmt.Sprintf("test_%d_%d", s.process.Pid, s.schemas.Add(1))
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
		return "", fmt.Errorf("create schema %s: %w", name, err)
	}
	return s.dsn(name), nil
}
