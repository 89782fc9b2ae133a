//go:build audit

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vinfast-classifier/e2e/audit"
	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/tools"
)

// Bounds of Prowler's installation (some GB of Python packages) and of its run.
const (
	installLimit = 30 * time.Minute
	auditLimit   = 30 * time.Minute
)

// TestAudit lets Prowler look at the account after `up`. What it finds must be an exception that the documents give a
// reason for; the result is written to docs/audit.md.
func TestAudit(t *testing.T) {
	install, cancel := context.WithTimeout(t.Context(), installLimit)
	defer cancel()
	python, err := tools.Prowler(install, ".", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	exceptions, err := audit.Exceptions(filepath.Join("..", "docs", "exceptions.md"))
	if err != nil {
		t.Fatal(err)
	}
	account := cloud.Start(t, theTools.Python, ".", region)
	s := newStack(t, account, "dev")
	s.Must(t, "up, to be audited", deployLimit, "up", "--yes", "--skip-preview")

	folder := t.TempDir()
	started := time.Now()
	runProwler(t, python, account, folder)
	report.Add("Prowler", time.Since(started), 0, "")

	result, err := audit.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range result.Unexplained(exceptions) {
		t.Errorf("%s: neither met nor in docs/exceptions.md: %s", failure.Check, failure.Says)
	}
	if !t.Failed() {
		text := result.Document(exceptions)
		if err := os.WriteFile(filepath.Join("..", "docs", "audit.md"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func runProwler(t *testing.T, python string, account *cloud.Account, folder string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), auditLimit)
	defer cancel()
	arguments := []string{"-m", "prowler", "aws", "--region", account.Region, "--no-banner", "--no-color", "--output-formats", "csv",
		"--output-directory", folder, "--output-filename", audit.File, "--log-level", "ERROR", "--log-file", filepath.Join(folder, audit.Log),
		"--aws-retries-max-attempts", "1", "--service"}
	command := tools.Command(ctx, python, append(arguments, audit.Services...)...)
	command.Env = append(command.Env, "AWS_ENDPOINT_URL="+account.Endpoint, "AWS_ACCESS_KEY_ID=emulator", "AWS_SECRET_ACCESS_KEY=emulator",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_DEFAULT_REGION="+account.Region, "HOME="+folder)
	output, err := command.CombinedOutput()
	const hasFindings = 3 // Prowler's status when a check failed
	if ended := (*exec.ExitError)(nil); err != nil && !(errors.As(err, &ended) && ended.ExitCode() == hasFindings) {
		t.Fatalf("run Prowler: %v\n%s", err, tail(output))
	}
}

func tail(output []byte) string {
	return fmt.Sprintf("%s", output[max(0, len(output)-4000):])
}
