//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"vinfast-classifier/local/database"
	"vinfast-classifier/local/installer"
	"vinfast-classifier/local/program"
)

// needDatabase makes sure that there is a database server to run.
func (l *launcher) needDatabase(ctx context.Context) error {
	_, _, err := database.Find()
	if !errors.Is(err, database.ErrNotInstalled) {
		return err
	}
	plan := installer.Choose(installer.Machine{
		Root: os.Geteuid() == 0,
		Has: func(program string) bool {
			_, err := exec.LookPath(program)
			return err == nil
		},
		Sudo: func() bool { return program.Command(ctx, "sudo", "-n", "true").Run() == nil },
	})
	switch {
	case plan.Manager == "":
		return sentence("A database server is missing. Install MariaDB or MySQL 8, then start again.")
	case len(plan.Tries) == 0:
		return sentence("A database server is missing, and only an administrator may install one. Type this, then start again:\n\n  %s\n", plan.Manual)
	}
	l.say("A database server is missing. Installing MariaDB with %s (only once, some minutes) ...", plan.Manager)
	log, err := os.OpenFile(l.path("log", "install.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	last := time.Now()
	say := func(line string) {
		if time.Since(last) > 2*time.Second {
			last = time.Now()
			l.say("  %s", line)
		}
	}
	if err := plan.Run(ctx, log, say); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return sentence("MariaDB could not be installed: %w\nInstall it by hand, then start again:\n\n  %s\n", err, plan.Manual)
	}
	_, _, err = database.Find()
	return err
}
