package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var staticFiles embed.FS

// samplesFolder holds the pictures of the page's sample buttons; the file's
// name without its ending is the label of the car it shows. Its folder small has
// the same pictures in the size of a button: the start page shows six of them,
// and they would be most of what it weighs.
const samplesFolder = "samples/"

type asset struct {
	data        []byte
	contentType string
	etag        string
}

// assets are the embedded files by their path under static/.
type assets struct {
	files   map[string]asset
	samples []string
	probe   []byte // a small JPEG to ask the endpoint about
}

func loadAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "static/")
		contentType := mime.TypeByExtension(path.Ext(name))
		if contentType == "" {
			return fmt.Errorf("%s: unknown type", name)
		}
		a.add(name, data, contentType)
		if dir, file := path.Split(name); dir == samplesFolder {
			a.samples = append(a.samples, file)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var grey bytes.Buffer
	if err := jpeg.Encode(&grey, image.NewGray(image.Rect(0, 0, 32, 32)), nil); err != nil {
		return nil, err
	}
	a.probe = grey.Bytes()
	return a, nil
}

func (a *assets) add(name string, data []byte, contentType string) {
	sum := sha256.Sum256(data)
	a.files[name] = asset{data, contentType, hex.EncodeToString(sum[:8])}
}

// url names a file together with its content, so that it may be cached for
// ever.
func (a *assets) url(name string) (string, error) {
	f, ok := a.files[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return "/static/" + name + "?v=" + f.etag, nil
}

// sample returns the bytes of a sample picture.
func (a *assets) sample(name string) ([]byte, bool) {
	f, ok := a.files[samplesFolder+name]
	return f.data, ok
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	f, ok := a.files[name]
	if !ok {
		return noSuchPage(w, r)
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Etag", `"`+f.etag+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == f.etag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.data))
	return nil
}
