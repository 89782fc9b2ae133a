//go:build linux

// Command run is the fault harness as a program: make faults.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"vinfast-classifier/local/faults"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit status: 0 if nothing was found wrong, 1, or 2 for a
// wrong command line.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.SetOutput(stderr)
	seed := flags.Uint64("seed", 0, "repeat this run; 0 draws one")
	uploads := flags.Int("uploads", 2000, "pictures to send")
	clients := flags.Int("clients", 8, "clients that send at the same time")
	dir := flags.String("dir", ".local/faults", "folder for everything of the run")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *uploads < 1 || *clients < 1 {
		flags.Usage()
		return 2
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1_000_000) + 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := once(ctx, *dir, faults.Options{Seed: *seed, Uploads: *uploads, Clients: *clients}, stdout); err != nil {
		fmt.Fprintln(stderr, "faults:", err)
		return 1
	}
	return 0
}

func once(ctx context.Context, dir string, o faults.Options, stdout io.Writer) (err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	leave, err := faults.Enter(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	o.Dir, o.Binary = filepath.Join(dir, "run"), filepath.Join(dir, "vinfast")
	if err := faults.Build(ctx, o.Binary); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Seed %d, %d pictures; make faults SEED=%d repeats it.\n", o.Seed, o.Uploads, o.Seed)
	report, err := faults.Run(ctx, o)
	if err != nil {
		return err
	}
	if err := report.Print(stdout); err != nil {
		return err
	}
	if len(report.Wrong) > 0 {
		return fmt.Errorf("%d things are wrong; logs and data are in %s", len(report.Wrong), o.Dir)
	}
	return os.RemoveAll(o.Dir)
}
