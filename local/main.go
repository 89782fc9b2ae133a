//go:build unix

// Command local runs the whole classifier on one machine: database, object
// storage, model endpoint and web app, each a process of its own on loopback,
// with everything they keep in .local/ under the current folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const usage = `usage: local run [-port N] [-model FOLDER|HUGGING-FACE-ID[@REVISION]]
       local doctor [-json]

Runs the whole classifier on this computer, or checks the one that runs. The
other commands (endpoint, s3,
guard) are its own parts.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its exit status: 0 after an orderly end, 2 for a wrong
// command line, 1 for everything else.
func run(args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, []string, io.Writer) error{
		"run": runAll, "doctor": doctor, "endpoint": serveEndpoint, "s3": serveStore, "database": serveDatabase, "guard": guard,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(stderr, usage)
		return 2
	}
	err := commands[args[0]](context.Background(), args[1:], stdout)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, err)
		return 2
	default:
		fmt.Fprintln(stderr, err)
		return 1
	}
}

// errUsage marks a wrong command line.
var errUsage = errors.New("wrong command line")

// sentence is an error that people read as it stands.
func sentence(format string, args ...any) error { return fmt.Errorf(format, args...) }

// parse reads the flags of a command that takes no other arguments.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: unexpected %q", errUsage, flags.Arg(0))
	}
	return nil
}
