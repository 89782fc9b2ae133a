//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"vinfast-classifier/local/database"
)

// launcher is one run of the whole system.
type launcher struct {
	out   io.Writer
	print sync.Mutex
	dir   string // .local, absolute
	port  int
	model string // folder, Hugging Face id, or empty for the demo model
	app   string // the web app's program
	// latency makes the endpoint answer the same for every picture after this
	// time, for measurements; zero runs the model.
	latency time.Duration
}

// runAll is the command "run".
func runAll(ctx context.Context, args []string, out io.Writer) error {
	began := time.Now()
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	l := &launcher{out: out}
	flags.IntVar(&l.port, "port", 8080, "port of the web page")
	flags.StringVar(&l.model, "model", "", "folder with a model, or Hugging Face id[@revision]; empty for the demo model")
	flags.StringVar(&l.app, "app", filepath.Join(".local", "bin", "vinfast"), "program of the web app")
	flags.DurationVar(&l.latency, "latency", 0, "for measurements: no model, the same answer for every picture after this time")
	if err := parse(flags, args); err != nil {
		return err
	}
	if l.port < 1 || l.port > 65535 {
		return fmt.Errorf("%w: port %d is not between 1 and 65535", errUsage, l.port)
	}
	if err := l.makeFolders(); err != nil {
		return err
	}
	lock, err := l.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := checkPort(l.port); err != nil {
		return err
	}
	if err := l.trimLogs(); err != nil {
		return err
	}
	ctx, second := interruptible(ctx)
	if err = l.system(ctx, began, second); err == nil {
		l.say("Stopped. Pictures and predictions are kept in .local; \"make run\" shows them again.")
	}
	return err
}

// system starts all parts, waits for ctx to end and stops them.
func (l *launcher) system(ctx context.Context, began time.Time, second <-chan os.Signal) error {
	s := &supervisor{say: l.say}
	up, cancel := context.WithCancel(ctx)
	defer cancel()
	err := l.start(up, s)
	switch {
	case err == nil:
		l.say("Ready after %.1f s: open %s (Ctrl-C stops everything)", time.Since(began).Seconds(), l.url())
		<-ctx.Done()
		l.say("Stopping ...")
	case interrupted(ctx):
		err = nil // by the person, not by a fault
	}
	cancel()
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		select {
		case <-second:
			l.say("Killing what is left.")
			s.kill()
		case <-stopped:
		}
	}()
	return errors.Join(err, s.stop())
}

// interrupted tells whether a start failed because of Ctrl-C. That reaches the
// programs we call as well, and their end may be seen a moment before it.
func interrupted(ctx context.Context) bool {
	select {
	case <-ctx.Done():
	case <-time.After(200 * time.Millisecond):
	}
	return ctx.Err() != nil
}

// interruptible returns a context that ends at the first signal to stop, and
// a channel with those that follow.
func interruptible(ctx context.Context) (context.Context, <-chan os.Signal) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	// A reader of our lines that goes away must not end us in mid-air.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(ctx)
	second := make(chan os.Signal)
	go func() {
		<-signals
		cancel()
		for sig := range signals {
			second <- sig
		}
	}()
	return ctx, second
}

// start brings up the parts in the order in which they need each other.
func (l *launcher) start(ctx context.Context, s *supervisor) error {
	folder, err := l.modelFolder(ctx)
	if err != nil {
		return err
	}
	if err := l.needDatabase(ctx); err != nil {
		return err
	}
	dsn, err := l.startDatabase(ctx, s)
	if err != nil {
		return err
	}
	store, err := l.startStore(ctx, s)
	if err != nil {
		return err
	}
	api, err := l.startEndpoint(ctx, s, folder)
	if err != nil {
		return err
	}
	return l.startApp(ctx, s, dsn, store, api)
}

func (l *launcher) startDatabase(ctx context.Context, s *supervisor) (dsn string, err error) {
	dir := l.path("database")
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		l.say("Preparing the database (only the first time, some seconds) ...")
	}
	l.say("Starting the database ...")
	log, err := os.OpenFile(l.path("log", "database.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return "", fmt.Errorf("open log: %w", err)
	}
	err = s.add(ctx, part{"database", log.Name(), func(ctx context.Context) (running, error) {
		server, err := database.Start(ctx, database.Options{Dir: dir, Log: log})
		if err != nil {
			return nil, err
		}
		dsn = server.DSN()
		return server, nil
	}})
	return dsn, err
}

func (l *launcher) url() string { return fmt.Sprintf("http://127.0.0.1:%d", l.port) }

func (l *launcher) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

func (l *launcher) say(format string, args ...any) {
	l.print.Lock()
	defer l.print.Unlock()
	fmt.Fprintf(l.out, format+"\n", args...) // a reader who has gone away needs no more lines
}
