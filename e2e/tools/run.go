package tools

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

const (
	progressEvery = 15 * time.Second
	tailLines     = 30 // of a failed command's output
)

// run starts a command of a recipe, says now and then how many lines it has printed (for go build -v: packages compiled),
// and shows the end of its output if it fails.
func (b builder) run(ctx context.Context, folder, what string, environment []string, name string, args ...string) error {
	b.say("%s ...", what)
	command := Command(ctx, name, args...)
	command.Dir = folder
	command.Env = append(command.Env, environment...)
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	var lines atomic.Int64
	var tail []string
	read := make(chan struct{})
	go func() {
		defer close(read)
		scanner := bufio.NewScanner(reader)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			lines.Add(1)
			tail = append(tail[max(0, len(tail)-tailLines+1):], scanner.Text())
		}
		_, _ = io.Copy(io.Discard, reader) // a line beyond the buffer must not block the command
	}()
	done := make(chan struct{})
	go b.progress(what, &lines, done)
	err := command.Run()
	close(done)
	if closing := writer.Close(); err == nil {
		err = closing
	}
	<-read
	if err != nil {
		return fmt.Errorf("%s: %s %s: %w\n%s", what, name, strings.Join(args, " "), err, strings.Join(tail, "\n"))
	}
	return nil
}

func (b builder) progress(what string, lines *atomic.Int64, done <-chan struct{}) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	started := time.Now()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			b.say("%s: %s, %d lines so far", what, time.Since(started).Round(time.Second), lines.Load())
		}
	}
}

// goEnvironment decides what is built. GOFLAGS and GOEXPERIMENT keep out the user's file ("go env -w").
var goEnvironment = []string{"GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "CGO_ENABLED=0"}

// goBuild compiles one package of a module folder.
func (b builder) goBuild(ctx context.Context, folder, output, what, ldflags, pkg string) error {
	return b.run(ctx, folder, what, goEnvironment,
		"go", "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", output, pkg)
}
