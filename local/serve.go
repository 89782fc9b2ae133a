//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"vinfast-classifier/local/database"
	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/objectstore"
)

// Names that the app knows the model endpoint and the bucket by.
const (
	endpointName = "vinfast-local"
	bucketName   = "vinfast-local-images"
	region       = "us-east-1"
	account      = "000000000000"
)

// The launcher opens the listening sockets and passes them on, from descriptor
// 3 up: a part that is started again is at the same port, and meanwhile its
// callers wait instead of being refused.
func inherited(i int) (net.Listener, error) {
	f := os.NewFile(uintptr(3+i), "listener")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("take over listening socket %d: %w; this command is started by local run", i, err)
	}
	return l, nil
}

// lifetime ends on SIGTERM, SIGINT, and when standard input closes: the
// launcher holds its other end, so that even a killed launcher leaves nothing
// behind.
func lifetime(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends, it has ended
		cancel()
	}()
	return ctx, cancel
}

// serveEndpoint is the command "endpoint": the runtime API on the first
// socket, the model's container on the second.
func serveEndpoint(ctx context.Context, args []string, _ io.Writer) error {
	flags := flag.NewFlagSet("endpoint", flag.ContinueOnError)
	folder := flags.String("model", "", "folder with config.json, preprocessor_config.json and model.safetensors; empty for the demo model")
	name := flags.String("name", endpointName, "name of the endpoint")
	latency := flags.Duration("latency", 0, "answer the same for every picture after this time, for measurements")
	if err := parse(flags, args); err != nil {
		return err
	}
	ctx, cancel := lifetime(ctx)
	defer cancel()
	front, err := inherited(0)
	if err != nil {
		return err
	}
	back, err := inherited(1)
	if err != nil {
		return err
	}
	classifier, workers := endpoint.Classifier(fixedAnswer(*latency)), 1024
	if *latency == 0 {
		workers = runtime.GOMAXPROCS(0)
		if classifier, err = loadModel(*folder); err != nil {
			return err
		}
	}
	api := endpoint.Runtime{Endpoint: *name, Region: region, Account: account,
		Container: "http://" + back.Addr().String(), Timeout: endpoint.ModelTimeout}
	return serveAll(ctx, map[net.Listener]http.Handler{front: api.Handler(), back: endpoint.Container(classifier, workers)})
}

// serveStore is the command "s3": the object store on the first socket.
func serveStore(ctx context.Context, args []string, _ io.Writer) error {
	flags := flag.NewFlagSet("s3", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder that holds the objects")
	if err := parse(flags, args); err != nil {
		return err
	}
	ctx, cancel := lifetime(ctx)
	defer cancel()
	l, err := inherited(0)
	if err != nil {
		return err
	}
	handler, store, err := objectstore.New(*dir, slog.New(slog.NewJSONHandler(os.Stderr, nil)), bucketName)
	if err != nil {
		return err
	}
	return errors.Join(serveAll(ctx, map[net.Listener]http.Handler{l: handler}), store.Close())
}

// serveDatabase is the command "database": it prints the DSN when the server is
// ready for it.
func serveDatabase(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("database", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder that holds the data")
	if err := parse(flags, args); err != nil {
		return err
	}
	ctx, cancel := lifetime(ctx)
	defer cancel()
	server, err := database.Start(ctx, database.Options{Dir: *dir})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, server.DSN())
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, server.Stop())
}

// serveAll serves until ctx ends, then lets requests finish for five seconds.
func serveAll(ctx context.Context, handlers map[net.Listener]http.Handler) error {
	faults := make(chan error, len(handlers))
	var servers []*http.Server
	for l, h := range handlers {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
			WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute}
		servers = append(servers, s)
		go func() { faults <- s.Serve(l) }()
	}
	var fault error
	select {
	case <-ctx.Done():
	case fault = <-faults:
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, s := range servers {
		if err := s.Shutdown(grace); err != nil {
			// What is still being asked has nobody left to answer to.
			fault = errors.Join(fault, s.Close())
		}
	}
	return fault
}

// guard is the command "guard", which runs another program and kills it when
// the launcher is gone. Linux needs none: its kernel does that.
func guard(ctx context.Context, args []string, _ io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: guard needs a program", errUsage)
	}
	ctx, cancel := lifetime(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = os.Environ() // the launcher has chosen it
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("run %s: %w", args[0], err)
	}
	return nil
}
