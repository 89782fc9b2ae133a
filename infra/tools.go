package infra

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// appToolchain builds the app whatever Go is installed: the same source gives
// the same digest on every machine, and so no instance is replaced for nothing.
const appToolchain = "go1.26.8"

// outputDir, below the repository, is where built files wait for their upload.
const outputDir = ".local/deploy"

// RealTools compile with the go command and load from the network.
var RealTools = Tools{BuildApp: buildApp, Download: download, Pack: pack}

// buildApp compiles package app so that only source and toolchain decide about
// the bytes.
func buildApp(ctx context.Context, root, goarch string) (File, error) {
	out, err := filepath.Abs(filepath.Join(root, outputDir, "vinfast-linux-"+goarch))
	if err != nil {
		return File{}, err
	}
	where, err := moduleSettings(ctx, root)
	if err != nil {
		return File{}, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./app")
	cmd.Dir = root
	// To the go command an empty variable is one to look up in the user's file
	// ("go env -w"), so that file is shut off.
	cmd.Env = append(append(inherited(machine...), where...),
		"GOENV=off", "GOTOOLCHAIN="+appToolchain, "GOOS=linux", "GOARCH="+goarch, "GOAMD64=v1", "GOARM64=v8.0",
		"CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		return File{}, fmt.Errorf("%s: %w\n%s", cmd, err, text)
	}
	return digestOf(out)
}

// machine are the variables that say where things are on this machine and how
// it reaches the network. The go command gets these and what is said here, no
// others: not a TMPDIR that is gone, nothing of make's, Pulumi's or AWS's.
var machine = []string{"PATH", "HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}

// inherited are the variables of these names that are set.
func inherited(names ...string) []string {
	var environment []string
	for _, name := range names {
		if value, set := os.LookupEnv(name); set {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// moduleSettings are the settings, from environment or user's file, that say
// where modules come from. go.sum decides what they are.
func moduleSettings(ctx context.Context, root string) ([]string, error) {
	names := []string{"GOPROXY", "GOPRIVATE", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOAUTH", "GOMODCACHE", "GOCACHE"}
	cmd := exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, names...)...)
	cmd.Dir = root
	cmd.Env = inherited(slices.Concat(machine, names, []string{"GOENV", "GOPATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"})...)
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	var values map[string]string
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	var settings []string
	for _, name := range names {
		settings = append(settings, name+"="+values[name])
	}
	return settings, nil
}

// digestOf reads the file at name.
func digestOf(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return File{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return File{Path: name, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// download keeps files in the user's cache folder, under their digest.
func download(ctx context.Context, source, digest string, say func(string)) (File, error) {
	u, err := url.Parse(source)
	if err != nil {
		return File{}, withoutURL(err)
	}
	if u.Scheme == "file" {
		return checked(u.Path, digest)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return File{}, err
	}
	name := filepath.Join(cache, Project, digest[:16]+"-"+path.Base(u.Path))
	if f, err := checked(name, digest); err == nil {
		return f, nil
	}
	say(fmt.Sprintf("Loading %s once, into %s", plainURL(source), name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return File{}, err
	}
	if err := get(ctx, source, name+".part"); err != nil {
		return File{}, err
	}
	if _, err := checked(name+".part", digest); err != nil {
		return File{}, errors.Join(err, os.Remove(name+".part"))
	}
	return File{Path: name, SHA256: digest}, os.Rename(name+".part", name)
}

// plainURL is a URL for messages: a query or a user may hold a token.
func plainURL(source string) string {
	u, err := url.Parse(source)
	if err != nil {
		return "the URL given"
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return plain.String()
}

// withoutURL takes the URL out of an error of net/url or net/http.
func withoutURL(err error) error {
	if fault := (*url.Error)(nil); errors.As(err, &fault) {
		return fault.Err
	}
	return err
}

func checked(name, digest string) (File, error) {
	f, err := digestOf(name)
	if err == nil && f.SHA256 != digest {
		err = fmt.Errorf("%s has the SHA-256 %s, not %s", name, f.SHA256, digest)
	}
	return f, err
}

func get(ctx context.Context, source, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return withoutURL(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", plainURL(source), response.Status)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, response.Body)
	return errors.Join(err, f.Close())
}

// pack makes a .tar.gz of a folder so that equal content gives equal bytes:
// sorted names, no times, no owners, no compression (weights hardly shrink, and
// compressors change from one Go release to the next). A .tar.gz stays as it is.
func pack(root, source string) (File, error) {
	// A walk does not follow a link, not even at its start.
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return File{}, err
	}
	info, err := os.Stat(source)
	if err != nil {
		return File{}, err
	}
	if !info.IsDir() {
		return digestOf(source)
	}
	if err := checkModelFolder(source); err != nil {
		return File{}, err
	}
	dir := filepath.Join(root, outputDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return File{}, err
	}
	name, err := filepath.Abs(filepath.Join(dir, "model.tar.gz"))
	if err != nil {
		return File{}, err
	}
	f, err := os.Create(name)
	if err != nil {
		return File{}, err
	}
	if err := errors.Join(writeTar(f, source), f.Close()); err != nil {
		return File{}, err
	}
	return digestOf(name)
}

// checkModelFolder wants what the container looks for first. Without it the
// endpoint would fail a quarter of an hour later.
func checkModelFolder(dir string) error {
	if info, err := os.Stat(filepath.Join(dir, "config.json")); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%s has no config.json; it is the folder that holds model.safetensors and config.json", dir)
	}
	return nil
}

func writeTar(w io.Writer, source string) error {
	zip, err := gzip.NewWriterLevel(w, gzip.NoCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zip)
	err = filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(entry.Name(), ".") && name != source {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := os.Stat(name) // follows links, which the hub's cache is full of
		if err == nil && info.IsDir() && !entry.IsDir() {
			err = fmt.Errorf("%s is a link to a folder, which is not followed; copy the folder there", name)
		}
		if err != nil || info.IsDir() {
			return err
		}
		relative, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		return addFile(archive, name, filepath.ToSlash(relative), info.Size())
	})
	return errors.Join(err, archive.Close(), zip.Close())
}

func addFile(archive *tar.Writer, name, as string, size int64) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	header := &tar.Header{Name: as, Mode: 0o644, Size: size, Format: tar.FormatPAX}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, f)
	return err
}
