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
