//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// environmentFile holds what the web app was last started with, one variable a
// line: the ports are others at each start. Only this user may read it.
const environmentFile = "app.env"

func (l *launcher) keepEnvironment(env []string) error {
	if err := os.WriteFile(l.path(environmentFile), []byte(strings.Join(env, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the app's environment: %w", err)
	}
	return nil
}

// doctor is the command "doctor": the app's own, in the environment of the
// system that runs here.
func doctor(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	app := flags.String("app", filepath.Join(".local", "bin", "vinfast"), "program of the web app")
	asJSON := flags.Bool("json", false, "print JSON")
	if err := parse(flags, args); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(".local", environmentFile))
	if errors.Is(err, os.ErrNotExist) {
		return sentence("Nothing has run in this folder yet. Start the system first: make run")
	}
	if err != nil {
		return fmt.Errorf("read the app's environment: %w", err)
	}
	cmd := exec.CommandContext(ctx, *app, "doctor")
	if *asJSON {
		cmd.Args = append(cmd.Args, "--json")
	}
	cmd.Env = strings.Split(strings.TrimSpace(string(text)), "\n")
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return sentence("Not everything works; is \"make run\" running? .local/log/ has each part's own words.")
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", *app, err)
	}
	return nil
}
