package infra_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/infra"
)

func TestPackIsDeterministic(t *testing.T) {
	source := t.TempDir()
	write(t, filepath.Join(source, "config.json"), "{}")
	write(t, filepath.Join(source, "code", "inference.py"), "pass")
	write(t, filepath.Join(source, ".git", "HEAD"), "no part of the model")
	blob := filepath.Join(t.TempDir(), "blob")
	write(t, blob, "weights")
	if err := os.Symlink(blob, filepath.Join(source, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	first, err := infra.RealTools.Pack(t.TempDir(), source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(source, "config.json"), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(source, "config.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := infra.RealTools.Pack(t.TempDir(), source)
	if err != nil {
		t.Fatal(err)
	}
	if first.SHA256 != second.SHA256 {
		t.Errorf("times and modes change the digest: %s, %s", first.SHA256, second.SHA256)
	}
	if got, want := content(t, first.Path), []string{"code/inference.py=pass", "config.json={}", "model.safetensors=weights"}; !slices.Equal(got, want) {
		t.Errorf("packed %v, want %v", got, want)
	}
	again, err := infra.RealTools.Pack(t.TempDir(), first.Path)
	if err != nil || again != first {
		t.Errorf("a .tar.gz became %v, %v; want %v as it is", again, err, first)
	}
}

func TestPackFollowsTheWayToTheFolder(t *testing.T) {
	source, link := t.TempDir(), filepath.Join(t.TempDir(), "current")
	write(t, filepath.Join(source, "config.json"), "{}")
	if err := os.Symlink(source, link); err != nil {
		t.Fatal(err)
	}
	f, err := infra.RealTools.Pack(t.TempDir(), link)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := content(t, f.Path), []string{"config.json={}"}; !slices.Equal(got, want) {
		t.Errorf("packed %v through a link, want %v", got, want)
	}
}

func TestPackRefusesWhatItWouldLeaveOut(t *testing.T) {
	linked, none, folder := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, filepath.Join(linked, "config.json"), "{}")
	write(t, filepath.Join(none, "model.safetensors"), "weights")
	write(t, filepath.Join(folder, "config.json", "readme"), "a folder")
	if err := os.Symlink(none, filepath.Join(linked, "code")); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		linked:                             "code is a link to a folder",
		none:                               "has no config.json",
		folder:                             "has no config.json",
		filepath.Join(t.TempDir(), "gone"): "no such file",
	} {
		if f, err := infra.RealTools.Pack(t.TempDir(), source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error with %q", source, f, err, want)
		}
	}
}

// A go command that tells how it was called stands in for the real one.
func TestBuildDependsOnNoSettingOfTheUser(t *testing.T) {
	tools, root := t.TempDir(), t.TempDir()
	write(t, filepath.Join(tools, "go"), `#!/bin/sh
if [ "$1" = env ]; then env >"$(dirname "$0")/asked"; echo '{"GOPROXY":"https://proxy.example.com","GOMODCACHE":"/cache","GOSUMDB":"off"}'; exit; fi
while [ "$1" != -o ]; do shift; done
mkdir -p "$(dirname "$2")"
env >"$2"
`)
	if err := os.Chmod(filepath.Join(tools, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	for _, setting := range []string{"GOFLAGS", "GOEXPERIMENT", "GOFIPS140", "GOENV", "GOAMD64", "GOWORK", "CGO_ENABLED", "GOTOOLCHAIN", "GOPROXY",
		"TMPDIR", "GOTMPDIR", "MAKEFLAGS", "PULUMI_HOME", "AWS_PROFILE", "CC", "MARKER"} {
		t.Setenv(setting, "theirs")
	}
	t.Setenv("HTTPS_PROXY", "http://proxy.example.com")
	f, err := infra.RealTools.BuildApp(t.Context(), root, "arm64")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, want := range []string{"GOENV=off", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOAMD64=v1", "GOARM64=v8.0", "GOWORK=off", "CGO_ENABLED=0",
		"GOTOOLCHAIN=go1.26.8", "GOOS=linux", "GOARCH=arm64", "GOPROXY=https://proxy.example.com", "GOMODCACHE=/cache", "GOSUMDB=off", "HTTPS_PROXY=http://proxy.example.com"} {
		if !slices.Contains(lines, want) {
			t.Errorf("the compiler is not told %s", want)
		}
	}
	if strings.Contains(string(text), "theirs") {
		t.Errorf("the compiler gets a setting of the user:\n%s", text)
	}
	asked, err := os.ReadFile(filepath.Join(tools, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	// Where modules come from is the user's to say, and what make says is not.
	for setting, want := range map[string]bool{"GOPROXY": true, "GOENV": true, "GOFLAGS": false, "MAKEFLAGS": false, "AWS_PROFILE": false} {
		if got := strings.Contains(string(asked), setting+"=theirs\n"); got != want {
			t.Errorf("go env gets the user's %s: %t, want %t", setting, got, want)
		}
	}
}

func TestDownload(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path != "/mysql.tar.xz" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "mysql")
	}))
	defer server.Close()
	const digest = "3820153dbc6f3d48eb2c98f1b6f1e2b7c4b2c3b5f0a0d9a1c4f0f0d9e0a7b5c1"
	real := digestOf(t, "mysql")
	var said []string
	say := func(s string) { said = append(said, s) }
	for range 2 {
		f, err := infra.RealTools.Download(t.Context(), server.URL+"/mysql.tar.xz", real, say)
		if err != nil || f.SHA256 != real {
			t.Fatalf("%v, %v", f, err)
		}
	}
	if asked != 1 || len(said) != 1 {
		t.Errorf("asked %d times and said %q; the second time the file was there", asked, said)
	}
	if _, err := infra.RealTools.Download(t.Context(), server.URL+"/mysql.tar.xz", digest, say); err == nil || !strings.Contains(err.Error(), digest) {
		t.Errorf("a wrong digest: %v", err)
	}
	if _, err := infra.RealTools.Download(t.Context(), server.URL+"/gone.tar.xz", digest, say); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a missing file: %v", err)
	}
	dead := httptest.NewServer(nil)
	dead.Close()
	for _, source := range []string{server.URL + "/gone.tar.xz", dead.URL + "/mysql.tar.xz", "http://h:port:8/mysql.tar.xz"} {
		source = strings.Replace(source, "://", "://user:hunter2@", 1) + "?token=hunter2"
		if _, err := infra.RealTools.Download(t.Context(), source, digest, say); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("of a URL with a token is said: %v", err)
		}
	}
	if text := strings.Join(said, " "); strings.Contains(text, "hunter2") {
		t.Errorf("while loading is said: %s", text)
	}
	local := filepath.Join(t.TempDir(), "own.tar.xz")
	write(t, local, "mysql")
	if f, err := infra.RealTools.Download(t.Context(), "file://"+local, real, say); err != nil || f.Path != local {
		t.Errorf("a local file: %v, %v", f, err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for r := tar.NewReader(zip); ; {
		header, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, header.Name+"="+string(text))
	}
}

func digestOf(t *testing.T, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
