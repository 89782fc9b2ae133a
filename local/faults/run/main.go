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
	"time"

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
	mutations := flags.Bool("mutations", false, "break the app's source in known places, and show that a run notices each")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *uploads < 1 || *clients < 1 {
		flags.Usage()
		return 2
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1_000_000) + 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := faults.Options{Seed: *seed, Uploads: *uploads, Clients: *clients, Drain: drainTime}
	do := once
	if *mutations {
		do = mutated
	}
	if err := inFolder(*dir, o, func(o faults.Options) error { return do(ctx, o, stdout) }); err != nil {
		fmt.Fprintln(stderr, "faults:", err)
		return 1
	}
	return 0
}

// drainTime is more than the app's longest pause between two looks into the
// spool.
const drainTime = 2 * time.Minute

func inFolder(dir string, o faults.Options, do func(faults.Options) error) (err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	leave, err := faults.Enter(dir)
	if err != nil {
		return err
	}
	o.Dir, o.Binary = filepath.Join(dir, "run"), filepath.Join(dir, "vinfast")
	return errors.Join(do(o), leave())
}

func once(ctx context.Context, o faults.Options, stdout io.Writer) error {
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

// mutated makes a run with each mutation. The plain app must pass the same run.
func mutated(ctx context.Context, o faults.Options, stdout io.Writer) error {
	for _, m := range faults.Mutations {
		if _, err := m.Apply("."); err != nil {
			return err
		}
	}
	if err := once(ctx, o, stdout); err != nil {
		return fmt.Errorf("without a mutation: %w", err)
	}
	var faulty []error
	for _, m := range faults.Mutations {
		if err := faults.BuildMutated(ctx, o.Binary, m); err != nil {
			return err
		}
		run := o
		run.Uploads = max(o.Uploads, m.Uploads)
		report, err := faults.Run(ctx, run)
		if err != nil {
			return fmt.Errorf("mutation %q: %w", m.Name, err)
		}
		if finding := m.NoticedBy(report); finding != "" {
			fmt.Fprintf(stdout, "Noticed: %s. %d things are wrong, among them: %.170s\n", m.Name, len(report.Wrong), finding)
		} else {
			faulty = append(faulty, fmt.Errorf("mutation %q was not noticed: nothing says %q among %q", m.Name, m.Want, report.Wrong))
		}
		if err := os.RemoveAll(o.Dir); err != nil {
			return err
		}
	}
	return errors.Join(faulty...)
}
