//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
)

// startStore returns the URL of the object store.
func (l *launcher) startStore(ctx context.Context, s *supervisor) (string, error) {
	l.say("Starting the object storage ...")
	sockets, addresses, err := listen(1)
	if err != nil {
		return "", err
	}
	url := "http://" + addresses[0]
	return url, l.startOwn(ctx, s, "object storage", command{
		args: []string{"s3", "-dir", l.path("objects")}, files: sockets, log: "s3.log", ready: url + "/"})
}

// startEndpoint returns the URL of the SageMaker Runtime API.
func (l *launcher) startEndpoint(ctx context.Context, s *supervisor, folder string) (string, error) {
	name := "demo model"
	if l.model != "" {
		name = "model " + l.model
	}
	if l.latency > 0 {
		name = "endpoint, which answers the same for every picture"
	}
	l.say("Starting the %s ...", name)
	sockets, addresses, err := listen(2)
	if err != nil {
		return "", err
	}
	return "http://" + addresses[0], l.startOwn(ctx, s, "model", command{
		args: []string{"endpoint", "-model", folder, "-latency", l.latency.String()}, files: sockets, log: "endpoint.log", ready: "http://" + addresses[1] + "/ping"})
}

// startOwn starts another copy of this program.
func (l *launcher) startOwn(ctx context.Context, s *supervisor, name string, c command) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	c.path, c.env, c.log = self, l.environment(), l.path("log", c.log)
	return s.add(ctx, c.part(name))
}

func (c command) part(name string) part {
	return part{name, c.log, func(ctx context.Context) (running, error) {
		p, err := c.start(ctx)
		if err != nil {
			return nil, err
		}
		return p, nil
	}}
}

// startApp starts the web app against the other parts. Its own log goes to
// app.log, what it prints besides to app.out.
func (l *launcher) startApp(ctx context.Context, s *supervisor, dsn, store, api string) error {
	l.say("Starting the web app ...")
	env := append(l.environment(),
		fmt.Sprintf("VINFAST_LISTEN=127.0.0.1:%d", l.port),
		"VINFAST_ENDPOINT="+endpointName,
		"VINFAST_BUCKET="+bucketName,
		"VINFAST_DB_DSN="+dsn,
		"VINFAST_SHARED_DIR="+l.path("shared"),
		"VINFAST_LOG_FILE="+l.path("log", "app.log"),
		"AWS_REGION="+region,
		"AWS_ENDPOINT_URL_S3="+store,
		"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME="+api,
		// Nothing of the person's own AWS settings gets in: no real account
		// can be reached or charged.
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
	)
	if err := l.keepEnvironment(env); err != nil {
		return err
	}
	c := command{path: l.app, args: []string{"serve"}, env: env, log: l.path("log", "app.out"), ready: l.url() + "/readyz"}
	if !guarded {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find own program: %w", err)
		}
		c.path, c.args = self, append([]string{"guard", l.app}, c.args...)
	}
	return s.add(ctx, c.part("web app"))
}

// environment is what every part gets of the launcher's own.
func (l *launcher) environment() []string {
	env := []string{"TMPDIR=" + l.path("tmp")}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ",
			// The app's tuning; its wiring is ours.
			"VINFAST_MAX_UPLOAD_BYTES", "VINFAST_MAX_PIXELS", "VINFAST_RATE_PER_MINUTE", "VINFAST_MIN_SCORE":
			env = append(env, v)
		}
	}
	return env
}

// listen opens n sockets on ports that the kernel chooses.
func listen(n int) (sockets []*os.File, addresses []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, fmt.Errorf("open a port: %w", err)
		}
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			return nil, nil, fmt.Errorf("open a port: %w", err)
		}
		addresses = append(addresses, l.Addr().String())
		if err := l.Close(); err != nil { // f keeps it open
			return nil, nil, fmt.Errorf("open a port: %w", err)
		}
		sockets = append(sockets, f)
	}
	return sockets, addresses, nil
}
