// Command vinfast is the web app: it takes photos of cars, has a SageMaker
// endpoint say which VinFast model they show, and keeps photo and answer.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

func main() { os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }

// run returns the exit status: 0, 1 for a fault, 2 for a wrong command line.
func run(args, environ []string, stdout, stderr io.Writer) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch {
	case command == "serve" && len(args) == 1:
		if err := serve(environ, stderr); err != nil {
			fmt.Fprintf(stderr, "vinfast serve: %v\n", err)
			return 1
		}
	case command == "doctor" && (len(args) == 1 || len(args) == 2 && args[1] == "--json"):
		healthy, err := checkUp(environ, len(args) == 2, stdout)
		if err != nil {
			fmt.Fprintf(stderr, "vinfast doctor: %v\n", err)
		}
		if err != nil || !healthy {
			return 1
		}
	case command == "reindex":
		if err := reindexed(args[1:], environ, stdout, stderr); errors.Is(err, errUsage) {
			fmt.Fprintln(stderr, err)
			return 2
		} else if err != nil {
			fmt.Fprintf(stderr, "vinfast reindex: %v\n", err)
			return 1
		}
	case command == "version" && len(args) == 1:
		fmt.Fprintln(stdout, version())
	case command == "help" && len(args) == 1:
		usage(stdout)
	default:
		usage(stderr)
		return 2
	}
	return 0
}

func usage(w io.Writer) {
	fmt.Fprint(w, `Usage: vinfast <command>

  serve     run the web app
  doctor    check everything the app depends on; --json for programs
  reindex   make the rows of predictions again from the pictures in S3;
            --dry-run counts only, --after KEY goes on after a key
  version   tell what this program was built from
  help      print this text

Environment of serve, doctor and reindex:

`)
	for _, v := range Variables {
		fmt.Fprintf(w, "  %s\n      %s", v.Name, v.Doc)
		if v.Default != "" {
			fmt.Fprintf(w, "; default %s", v.Default)
		}
		fmt.Fprintln(w)
	}
}

// version is one line: module version, commit if the build knows it, Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "vinfast, build unknown"
	}
	line := "vinfast " + info.Main.Version
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if commit := settings["vcs.revision"]; commit != "" {
		line += ", commit " + commit + " of " + settings["vcs.time"]
		if settings["vcs.modified"] == "true" {
			line += " with changes"
		}
	}
	return line + ", " + info.GoVersion
}
