// Package installer puts a database server on this machine through its own
// package manager, where that may be done without asking for a password.
package installer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"vinfast-classifier/local/program"
)

// Machine is what a choice depends on.
type Machine struct {
	Root bool
	// Has tells whether a program is there.
	Has func(program string) bool
	// Sudo tells whether sudo works without a password.
	Sudo func() bool
}

// Plan is how a database server gets here.
type Plan struct {
	// Manager is the package manager; empty if none is known.
	Manager string
	// Tries are sequences of commands; one that succeeds is enough. None: this
	// user may not install.
	Tries [][][]string
	// Manual is the command line that does it by hand.
	Manual string
}

// Packages of the Debian family: the server alone, without the service that
// the full package would start.
var debian = []string{"mariadb-server-core", "mariadb-client-core"}

// Choose makes the plan for a machine.
func Choose(m Machine) Plan {
	switch {
	case m.Has("apt-get"):
		update := []string{"apt-get", "update"}
		install := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, debian...)
		return privileged(m, Plan{Manager: "apt-get", Tries: [][][]string{{install}, {update, install}},
			Manual: "sudo apt-get update && sudo apt-get install -y --no-install-recommends " + strings.Join(debian, " ")})
	case m.Has("dnf"):
		return privileged(m, Plan{Manager: "dnf", Manual: "sudo dnf install mariadb-server",
			// Amazon Linux names its only version.
			Tries: [][][]string{{{"dnf", "install", "-y", "mariadb-server"}}, {{"dnf", "install", "-y", "mariadb105-server"}}}})
	case m.Has("brew"): // refuses to run as root, and needs none
		p := Plan{Manager: "brew", Manual: "brew install mariadb"}
		if !m.Root {
			p.Tries = [][][]string{{{"brew", "install", "mariadb"}}}
		}
		return p
	default:
		return Plan{}
	}
}

// privileged prefixes the commands for a user who is not root, or takes them
// away from one who may not become root.
func privileged(m Machine, p Plan) Plan {
	prefix := []string{"env", "DEBIAN_FRONTEND=noninteractive"}
	switch {
	case m.Root:
	case m.Has("sudo") && m.Sudo():
		prefix = append([]string{"sudo", "-n"}, prefix...)
	default:
		p.Tries = nil
		return p
	}
	for _, try := range p.Tries {
		for i, command := range try {
			try[i] = append(append([]string{}, prefix...), command...)
		}
	}
	return p
}

// Run carries the plan out. All output goes to log; say gets the lines that
// tell how far it is. The error quotes the last lines of the last try.
func (p Plan) Run(ctx context.Context, log io.Writer, say func(string)) error {
	err := errors.New("nothing to try")
	for _, try := range p.Tries {
		for _, command := range try {
			if err = run(ctx, command, log, say); err != nil {
				break
			}
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func run(ctx context.Context, command []string, log io.Writer, say func(string)) error {
	if _, err := fmt.Fprintln(log, "$", strings.Join(command, " ")); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	out := &lines{log: log, say: say}
	cmd := program.Command(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	// A package manager that is killed leaves its locks and half a package.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w; its last words:\n    %s", strings.Join(command, " "), err, strings.Join(out.last, "\n    "))
	}
	return nil
}

// lines passes output on line by line.
type lines struct {
	log  io.Writer
	say  func(string)
	rest []byte
	last []string
}

// progress begins the lines that tell how far a package manager is.
var progress = []string{"Get:", "Unpacking ", "Setting up ", "Installing ", "Downloading ", "==> "}

func (l *lines) Write(p []byte) (int, error) {
	if _, err := l.log.Write(p); err != nil {
		return 0, fmt.Errorf("write log: %w", err)
	}
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.rest = rest
		l.line(strings.TrimSpace(string(line)))
	}
}

func (l *lines) line(text string) {
	if text == "" {
		return
	}
	l.last = append(l.last, text)
	l.last = l.last[max(0, len(l.last)-10):]
	for _, begin := range progress {
		if strings.HasPrefix(text, begin) {
			l.say(text)
		}
	}
}
