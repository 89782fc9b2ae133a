package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"vinfast-classifier/app/photostore"
	"vinfast-classifier/app/reindex"
)

// errUsage marks a wrong command line.
var errUsage = errors.New("usage: vinfast reindex [--dry-run] [--after KEY]")

// reindexed is the command reindex: nil if every object has its row.
func reindexed(args, environ []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("reindex", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dry := flags.Bool("dry-run", false, "count only")
	after := flags.String("after", "", "go on after this key")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return errUsage
	}
	c, err := LoadConfig(environ)
	if err != nil {
		return fmt.Errorf("the environment is wrong:\n%w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(c.Region))
	if err != nil {
		return fmt.Errorf("load AWS settings: %w", err)
	}
	rows, err := openDatabase(c, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	run := reindex.Run{Photos: photostore.New(config, c.Bucket), Rows: rows, DryRun: *dry, After: *after, Out: stderr}
	counts, err := run.Do(ctx)
	done := "added"
	if *dry {
		done = "would be added"
	}
	fmt.Fprintf(stdout, "%d objects: %d rows %s, %d were there, %d objects with faults\n", counts.Objects, counts.Added, done, counts.There, counts.Faults)
	if err == nil && counts.Faults > 0 {
		err = fmt.Errorf("%d objects got no row; they are named above", counts.Faults)
	}
	return err
}
