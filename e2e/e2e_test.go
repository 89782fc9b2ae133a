// Package e2e_test runs the Pulumi program through the real engine and the real AWS provider against an emulated account.
package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/stack"
	"vinfast-classifier/e2e/tools"
)

const (
	toolsLimit = 60 * time.Minute // all tools, the first time on a slow machine
	region     = "us-east-1"      // that of Pulumi.dev.yaml
)

var (
	theTools tools.Tools
	report   stack.Report
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), toolsLimit)
	defer cancel()
	started := time.Now()
	var err error
	theTools, err = tools.Prepare(ctx, ".", func(format string, args ...any) {
		fmt.Printf("%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	report.Add("tools", time.Since(started), 0, "")
	code := m.Run()
	fmt.Printf("\n%s\n", &report)
	return code
}

// checkout is the one this module is in, or another one to try.
func checkout(t *testing.T) string {
	t.Helper()
	if other := os.Getenv("VINFAST_E2E_CHECKOUT"); other != "" {
		return other
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// newStack is a stack of the committed program and stack file. MySQL cannot be downloaded on every machine that runs this,
// and nothing here unpacks it: a small archive of our own takes its place.
func newStack(t *testing.T, account *cloud.Account, name string) *stack.Stack {
	t.Helper()
	return newStackOf(t, account, name, checkout(t))
}

// newStackOf is one of another checkout.
func newStackOf(t *testing.T, account *cloud.Account, name, checkout string) *stack.Stack {
	t.Helper()
	s := stack.New(t, theTools, checkout, name, account.Endpoint, &report)
	archive := standIn(t)
	file := filepath.Join(t.TempDir(), "mysql-stand-in.tar.gz")
	if err := os.WriteFile(file, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Set(t, "database.mysqlUrl", "file://"+file)
	s.Set(t, "database.mysqlSha256", digest(archive))
	return s
}

func standIn(t *testing.T) []byte {
	t.Helper()
	const text = "This stands in for MySQL's archive in the end-to-end test.\n"
	var archive bytes.Buffer
	compressed := gzip.NewWriter(&archive)
	files := tar.NewWriter(compressed)
	if err := files.WriteHeader(&tar.Header{Name: "README", Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func inventory(t *testing.T, account *cloud.Account) []string {
	t.Helper()
	all, err := account.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameInventory fails with what came and what went.
func sameInventory(t *testing.T, before, after []string) {
	t.Helper()
	for _, one := range after {
		if !slices.Contains(before, one) {
			t.Errorf("left over: %s", one)
		}
	}
	for _, one := range before {
		if !slices.Contains(after, one) {
			t.Errorf("was there before and is gone: %s", one)
		}
	}
}
