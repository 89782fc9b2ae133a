package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/keyfile"
	"vinfast-classifier/app/photostore"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/app/sagemaker"
	"vinfast-classifier/app/spool"
	"vinfast-classifier/app/thumbs"
	"vinfast-classifier/app/web"
)

const (
	// modelTimeout is a little more than SageMaker gives a container.
	modelTimeout  = 65 * time.Second
	modelAttempts = 3
	// storeTimeout is how long a person waits for S3 and MySQL before the
	// answer is "pending".
	storeTimeout = 15 * time.Second
	// maxConnections are open at once; more wait in the kernel. One that is
	// slow to say what it wants has headerTime for it. Each takes some 30 kB
	// while it is read.
	maxConnections = 4096
	headerTime     = 5 * time.Second
	// memoryLimit is from where on the collector works harder instead of letting
	// the heap grow: what requests may take, and a share for all else.
	memoryLimit = web.Memory + 64<<20
	// busyWait is how long an upload waits for memory that others use.
	busyWait = 5 * time.Second
	// drainTime is for requests under way when the process is told to stop: one
	// may be at the model and then at the stores. systemd kills after 90 s.
	drainTime = 80 * time.Second
	// resumePause lies between two looks into the spool; after a failure it
	// doubles up to resumeMost.
	resumePause = 5 * time.Second
	resumeMost  = 40 * time.Second
	// purgePause lies between two looks for pictures that are left of deleted
	// uploads.
	purgePause = time.Minute
	// thumbnailBytes bounds the cache of thumbnails: about ten thousand.
	thumbnailBytes = 256 << 20
)

// serve runs the web app until SIGTERM or SIGINT.
func serve(environ []string, stderr io.Writer) error {
	c, err := LoadConfig(environ)
	if err != nil {
		return fmt.Errorf("the environment is wrong:\n%w", err)
	}
	debug.SetMemoryLimit(memoryLimit)
	log, closeLog, err := openLog(c.LogFile, stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serveUntil(ctx, c, log); err != nil {
		log.Error("stopped", "err", err)
		return errors.Join(err, closeLog())
	}
	log.Info("stopped")
	return closeLog()
}

// openLog writes JSON lines to stderr and, if it has a name, appends them to
// file.
func openLog(file string, stderr io.Writer) (*slog.Logger, func() error, error) {
	out, closeFile := stderr, func() error { return nil }
	if file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			return nil, nil, fmt.Errorf("open log file: %w", err)
		}
		out, closeFile = io.MultiWriter(stderr, f), f.Close
	}
	return slog.New(web.LogHandler(slog.NewJSONHandler(out, nil))), closeFile, nil
}

// serveUntil listens at once, whatever of the other parts is missing: /readyz
// and the page tell. When ctx ends it lets requests finish.
func serveUntil(ctx context.Context, c Config, log *slog.Logger) (err error) {
	parts, err := assemble(c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parts.rows.Close(), parts.spool.Close()) }()
	server, err := parts.server(c, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on VINFAST_LISTEN: %w", err)
	}
	address := listener.Addr().String()
	listener = netutil.LimitListener(listener, maxConnections)
	log.Info("listening", "address", address, "version", version())

	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var jobs sync.WaitGroup
	jobs.Go(func() { parts.migrate(background, log) })
	jobs.Go(func() { resume(background, parts.classifier, log) })
	jobs.Go(func() { purge(background, parts.remover, log) })
	defer jobs.Wait()
	defer cancel()

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping", "wait", drainTime.String())
	draining, cancelDrain := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancelDrain()
	if err := server.Shutdown(draining); err != nil {
		// What is cut off here is in the spool, or was not acknowledged.
		return errors.Join(fmt.Errorf("requests were still under way after %s: %w", drainTime, err), server.Close())
	}
	return nil
}

// parts is the app's inside, wired.
type parts struct {
	classifier *car.Classifier
	endpoint   guardedEndpoint
	photos     guardedPhotos
	rows       *predictions.Store
	guarded    guardedRows // rows, behind their breaker
	spool      *spool.Spool
	remover    *car.Remover
	visitorKey []byte
	migrated   atomic.Bool
}

func assemble(c Config, log *slog.Logger) (*parts, error) {
	config, err := awsconfig.LoadDefaultConfig(context.Background(), awsconfig.WithRegion(c.Region))
	if err != nil {
		return nil, fmt.Errorf("load AWS settings: %w", err)
	}
	if err := mysql.SetLogger(slog.NewLogLogger(log.Handler(), slog.LevelWarn)); err != nil {
		return nil, fmt.Errorf("set the database driver's logger: %w", err)
	}
	rows, err := openDatabase(c, config)
	if err != nil {
		return nil, err
	}
	outbox, err := spool.Open(filepath.Join(c.SharedDir, "spool"), log)
	if err != nil {
		return nil, err
	}
	key, err := keyfile.Load(filepath.Join(c.SharedDir, "keys", "visitor"))
	if err != nil {
		return nil, err
	}
	p := &parts{
		visitorKey: key,
		endpoint:   guardedEndpoint{newBreaker("endpoint", log), sagemaker.New(config, sagemaker.Options{Endpoint: c.Endpoint, Timeout: modelTimeout, Attempts: modelAttempts})},
		photos:     guardedPhotos{newBreaker("bucket", log), photostore.New(config, c.Bucket)},
		rows:       rows,
		guarded:    guardedRows{newBreaker("database", log), newBreaker("history", log), rows},
		spool:      outbox,
	}
	p.classifier = &car.Classifier{Endpoint: p.endpoint, Photos: p.photos, Predictions: p.guarded, Spool: outbox,
		Limits: limits(c), Now: time.Now, Log: log, StoreTimeout: storeTimeout}
	p.remover = &car.Remover{Predictions: rows, Photos: p.photos, Spool: outbox, Now: time.Now, Log: log}
	return p, nil
}

func openDatabase(c Config, config aws.Config) (*predictions.Store, error) {
	d := c.Database
	if d.DSN != "" {
		connector, err := predictions.FromDSN(d.DSN)
		if err != nil {
			return nil, err
		}
		return predictions.Open(connector, c.Bucket), nil
	}
	account := predictions.Account{Host: d.Host, Name: d.Name, User: d.User,
		Read: predictions.FromParameters(ssm.NewFromConfig(config), d.PasswordParameter, d.CAParameter)}
	return predictions.Open(account.Connector(), c.Bucket), nil
}

func limits(c Config) car.Limits { return car.Limits{Bytes: c.MaxUploadBytes, Pixels: c.MaxPixels} }

func (p *parts) server(c Config, log *slog.Logger) (*http.Server, error) {
	site, err := web.New(web.Config{
		Classifier: p.classifier, History: p.guarded, Photos: p.photos, Spool: p.spool, Endpoint: p.endpoint, Remover: p.remover,
		Thumbnails: thumbs.Open(filepath.Join(c.SharedDir, "thumbnails"), thumbnailBytes, log), VisitorKey: p.visitorKey,
		Checks: p.checks(), EndpointBreaker: p.endpoint.state,
		Metrics: []prometheus.Collector{breakerCollector{p.endpoint.breaker, p.photos.breaker, p.guarded.breaker, p.guarded.reads}},
		Limits:  limits(c), RatePerMinute: c.RatePerMinute, MinScore: c.MinScore, BusyWait: busyWait, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, err
	}
	p.classifier.Room = site.DecodeRoom
	return &http.Server{
		Handler:           site.Handler(),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       30 * time.Second,  // uploads set their own
		WriteTimeout:      75 * time.Second,  // likewise
		IdleTimeout:       150 * time.Second, // longer than the load balancer's 120 s, or it meets closed connections
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}, nil
}

// migrate makes the tables as soon as the database lets it.
func (p *parts) migrate(ctx context.Context, log *slog.Logger) {
	for pause := time.Second; ; pause = min(2*pause, 15*time.Second) {
		err := p.rows.Migrate(ctx)
		if err == nil {
			p.migrated.Store(true)
			log.Info("database is ready")
			return
		}
		if !wait(ctx, pause) {
			return
		}
		log.Warn("database is not ready", "err", err)
	}
}

// resume finishes what waits in the spool, now and from time to time.
func resume(ctx context.Context, c *car.Classifier, log *slog.Logger) {
	pause := resumePause
	for {
		done, err := c.Resume(ctx)
		if done > 0 {
			log.Info("finished waiting uploads", "count", done)
		}
		if err == nil {
			pause = resumePause
		} else if ctx.Err() == nil {
			log.Warn("uploads still wait", "err", err)
			pause = min(2*pause, resumeMost)
		}
		if !wait(ctx, pause) {
			return
		}
	}
}

// purge deletes the pictures of deleted uploads that could not be reached at
// once, now and from time to time.
func purge(ctx context.Context, r *car.Remover, log *slog.Logger) {
	for {
		done, err := r.Finish(ctx)
		if done > 0 {
			log.Info("deleted pictures of deleted uploads", "count", done)
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("pictures of deleted uploads are left", "err", err)
		}
		if !wait(ctx, purgePause) {
			return
		}
	}
}

// wait tells whether ctx still runs after the pause.
func wait(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
