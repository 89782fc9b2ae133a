//go:build linux

package faults

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"vinfast-classifier/local/database"
)

// server is MySQL, killed and started again.
type server struct {
	ctx  context.Context
	dir  string
	back sync.WaitGroup // restarts under way

	mu    sync.Mutex
	now   *database.Server
	up    bool
	fault error // of a restart
}

func startDatabase(ctx context.Context, dir string) (*server, error) {
	d := &server{ctx: ctx, dir: filepath.Join(dir, "database")}
	var err error
	if d.now, err = database.Start(ctx, database.Options{Dir: d.dir}); err != nil {
		return nil, fmt.Errorf("start the database: %w", err)
	}
	d.up = true
	return d, nil
}

func (d *server) addr() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.Addr()
}

// dsn is the data source name by way of a proxy at addr.
func (d *server) dsn(addr string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	config, err := mysql.ParseDSN(d.now.DSN())
	if err != nil {
		panic(err) // it was formatted by the same driver
	}
	config.Addr = addr
	return config.FormatDSN()
}

// kill is kill -9; the server starts again after a pause. It tells whether
// there was something to kill.
func (d *server) kill(pause time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.up {
		return false
	}
	d.up = false
	old := d.now
	old.Kill()
	d.back.Go(func() {
		<-old.Done()
		if !pass(d.ctx, pause) {
			return
		}
		now, err := database.Start(d.ctx, database.Options{Dir: d.dir})
		d.mu.Lock()
		defer d.mu.Unlock()
		if err != nil {
			d.fault = errors.Join(d.fault, fmt.Errorf("start the database again: %w", err))
			return
		}
		d.now, d.up = now, true
	})
	return true
}

// settle waits until all restarts are done.
func (d *server) settle() error {
	d.back.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// close ends the server. The context has ended.
func (d *server) close() error {
	d.back.Wait()
	if !d.up {
		return nil
	}
	return d.now.Stop()
}

// query opens the database without a proxy.
func (d *server) query() (*sql.DB, error) {
	return sql.Open("mysql", d.dsn(d.addr()))
}

// pass waits; false if ctx ended first.
func pass(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
