// Package stack runs the Pulumi program as a user does, with the pulumi command, on a copy of the checkout. The copy has the
// committed project and stack files; what points it at the emulator is the environment alone.
package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/e2e/tools"
)

// Passphrase encrypts the stack's secrets. It is long and like no value of the program: the CLI hides every text that
// equals a secret, and a common word would hide half a diff.
const Passphrase = "e2e-passphrase-of-no-other-use"

// shortLimit ends a hang of a command that only reads or writes the stack's files.
const shortLimit = 5 * time.Minute

// Stack is one stack of the program in a folder of its own.
type Stack struct {
	Folder string // the copy of the checkout
	Name   string

	pulumi      string
	environment []string
	report      *Report
}

// New copies the checkout and makes a stack that keeps its state in a folder and talks to AWS at endpoint.
func New(t *testing.T, t0 tools.Tools, checkout, name, endpoint string, report *Report) *Stack {
	t.Helper()
	root := t.TempDir()
	s := &Stack{Folder: filepath.Join(root, "checkout"), Name: name, pulumi: t0.Pulumi, report: report}
	if err := copyCheckout(checkout, s.Folder); err != nil {
		t.Fatal(err)
	}
	home, state := filepath.Join(root, "home"), filepath.Join(root, "state")
	if err := installPlugin(home, t0.Plugin); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	s.environment = tools.Environment(
		"PULUMI_HOME="+home,
		"PULUMI_BACKEND_URL=file://"+state,
		"PULUMI_CONFIG_PASSPHRASE="+Passphrase,
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DEBUG_COMMANDS=true", // the flag --event-log
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		"AWS_ENDPOINT_URL="+endpoint,
		"AWS_ACCESS_KEY_ID=emulator",
		"AWS_SECRET_ACCESS_KEY=emulator",
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true",
	)
	s.Must(t, "", shortLimit, "stack", "init", name)
	return s
}

// copyCheckout copies every file that git knows or would add, as it stands, but for this module's own.
func copyCheckout(from, to string) error {
	list := tools.Command(context.Background(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = from
	names, err := list.Output()
	if err != nil {
		return fmt.Errorf("list the checkout's files with git: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		if strings.HasPrefix(name, "e2e/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed and not yet committed
		}
		if err != nil {
			return fmt.Errorf("read %q of the checkout: %w", name, err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			return fmt.Errorf("make the folder of %q: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			return fmt.Errorf("copy %q: %w", name, err)
		}
	}
	return nil
}

// Move goes on with the stack in another checkout, as after a git pull: the stack's own file stays as the user has it.
func (s *Stack) Move(t *testing.T, checkout string) {
	t.Helper()
	file := "Pulumi." + s.Name + ".yaml"
	settings, err := os.ReadFile(filepath.Join(s.Folder, file))
	if err == nil {
		err = os.RemoveAll(s.Folder)
	}
	if err == nil {
		err = copyCheckout(checkout, s.Folder)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.Folder, file), settings, 0o644)
	}
	if err != nil {
		t.Fatalf("move the stack to %s: %v", checkout, err)
	}
}

// installPlugin links the files of the AWS plugin into the folder that the engine takes plugins from.
func installPlugin(home, plugin string) error {
	folder := filepath.Join(home, "plugins", "resource-aws-v"+tools.PluginVersion)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the plugin's folder: %w", err)
	}
	files, err := os.ReadDir(plugin)
	if err != nil {
		return fmt.Errorf("list the plugin's files: %w", err)
	}
	for _, file := range files {
		if err := os.Symlink(filepath.Join(plugin, file.Name()), filepath.Join(folder, file.Name())); err != nil {
			return fmt.Errorf("link the plugin: %w", err)
		}
	}
	return nil
}

// Run runs pulumi with the arguments and enters it into the report, if the phase has a name.
func (s *Stack) Run(ctx context.Context, phase string, limit time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	command := exec.Command(s.pulumi, append(args, "--non-interactive", "--color=never")...)
	command.Dir, command.Env = s.Folder, s.environment
	started := time.Now()
	output, peak, err := session(ctx, command)
	if phase != "" {
		s.report.Add(phase, time.Since(started), peak, result(string(output), err))
	}
	if err != nil {
		return string(output), fmt.Errorf("pulumi %s: %w", strings.Join(args, " "), err)
	}
	return string(output), nil
}

// Must is Run for a command that has to succeed.
func (s *Stack) Must(t *testing.T, phase string, limit time.Duration, args ...string) string {
	t.Helper()
	output, err := s.Run(t.Context(), phase, limit, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return output
}

// resources matches the last summary in the CLI's output: one line for each kind of change.
var resources = regexp.MustCompile(`(?m)^Resources:\n((?:    .*\n?)+)`)

func result(output string, err error) string {
	summaries := resources.FindAllStringSubmatch(output, -1)
	var words []string
	if len(summaries) > 0 {
		for line := range strings.Lines(summaries[len(summaries)-1][1]) {
			words = append(words, strings.TrimSpace(line))
		}
	}
	if err != nil {
		words = append(words, "failed")
	}
	return strings.Join(words, ", ")
}

// Set sets one configuration value; path may lead into an object: "database.mysqlUrl".
func (s *Stack) Set(t *testing.T, path, value string) {
	t.Helper()
	s.Must(t, "", shortLimit, "config", "set", "--path", path, value)
}

// Outputs are the stack's outputs.
func (s *Stack) Outputs(t *testing.T) map[string]any {
	t.Helper()
	text := s.Must(t, "", shortLimit, "stack", "output", "--json", "--show-secrets")
	var outputs map[string]any
	if err := json.Unmarshal([]byte(text), &outputs); err != nil {
		t.Fatalf("read the stack's outputs: %v\n%s", err, text)
	}
	return outputs
}
