package hub_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vinfast-classifier/local/hub"
)

// weights is a safetensors file whose header describes n bytes and which has
// extra bytes more than that.
func weights(n, extra int) []byte {
	header := fmt.Sprintf(`{"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}`, n, n)
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), bytes.Repeat([]byte{7}, n+extra)...)
}

// fake is a hub with one model. As on the real one, the weights lie on another
// host, and the redirection to it tells their size and digest.
type fake struct {
	files  map[string][]byte // by revision/name
	token  string            // wanted, if not empty
	cut    int               // the weights' first answer breaks off after so many bytes
	digest string            // announced instead of the true one
	store  *httptest.Server

	mu    sync.Mutex // each connection has a goroutine of its own
	asked []string   // paths and ranges
}

// answer notes what was asked and returns the file at a path.
func (f *fake) answer(asked, path string) (file []byte, there bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, asked)
	file, there = f.files[path]
	return file, there
}

// breakOff is where to cut the answer under way, once.
func (f *fake) breakOff() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	cut := f.cut
	f.cut = 0
	return cut
}

func (f *fake) replace(files map[string][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files = files
}

func (f *fake) wasAsked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func start(t *testing.T, f *fake) *httptest.Server {
	t.Helper()
	f.store = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, _ := f.answer("store "+r.Header.Get("Range"), strings.TrimPrefix(r.URL.EscapedPath(), "/"))
		if r.Header.Get("Authorization") != "" {
			t.Error("the token was sent on to the store")
		}
		if cut := f.breakOff(); cut > 0 {
			w.Header().Set("Content-Length", fmt.Sprint(len(file)))
			if _, err := w.Write(file[:cut]); err != nil {
				t.Error(err)
			}
			return // the server closes the connection, as too little was written
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
	}))
	t.Cleanup(f.store.Close)
	// Another host name, as the token's fate depends on it.
	store := strings.Replace(f.store.URL, "127.0.0.1", "localhost", 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/owner/model/resolve/")
		file, there := f.answer(r.URL.EscapedPath(), path)
		switch {
		case f.token != "" && r.Header.Get("Authorization") != "Bearer "+f.token:
			w.WriteHeader(http.StatusUnauthorized)
		case !ok || !there:
			w.WriteHeader(http.StatusNotFound)
		case strings.HasSuffix(path, ".safetensors"):
			sum := sha256.Sum256(file)
			digest := hex.EncodeToString(sum[:])
			if f.digest != "" {
				digest = f.digest
			}
			w.Header().Set("X-Linked-Etag", `"`+digest+`"`)
			w.Header().Set("X-Linked-Size", fmt.Sprint(len(file)))
			http.Redirect(w, r, store+"/"+path, http.StatusFound)
		default:
			w.Header().Set("Etag", `"1234"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func model(revision string, safetensors []byte) map[string][]byte {
	files := map[string][]byte{
		revision + "/config.json":              []byte(`{"model_type":"vit"}`),
		revision + "/preprocessor_config.json": []byte(`{}`),
	}
	if safetensors != nil {
		files[revision+"/model.safetensors"] = safetensors
	}
	return files
}

func TestFetch(t *testing.T) {
	good := weights(1<<20, 0)
	tests := map[string]struct {
		fake  *fake
		name  string
		token string
		want  error
	}{
		"default branch":       {&fake{files: model("main", good)}, "owner/model", "", nil},
		"a revision":           {&fake{files: model("571940a", good)}, "owner/model@571940a", "", nil},
		"a pull request":       {&fake{files: model("refs%2Fpr%2F1", good)}, "owner/model@refs/pr/1", "", nil},
		"breaks off once":      {&fake{files: model("main", good), cut: 300_000}, "owner/model", "", nil},
		"private":              {&fake{files: model("main", good), token: "secret"}, "owner/model", "secret", nil},
		"private, no token":    {&fake{files: model("main", good), token: "secret"}, "owner/model", "", hub.ErrForbidden},
		"no such model":        {&fake{files: model("main", good)}, "owner/other", "", hub.ErrMissing},
		"no such revision":     {&fake{files: model("main", good)}, "owner/model@old", "", hub.ErrMissing},
		"no safetensors":       {&fake{files: model("main", nil)}, "owner/model", "", hub.ErrMissing},
		"wrong digest":         {&fake{files: model("main", good), digest: strings.Repeat("0", 64)}, "owner/model", "", hub.ErrDamaged},
		"weights are missing":  {&fake{files: model("main", weights(1000, -1))}, "owner/model", "", hub.ErrDamaged},
		"weights are too many": {&fake{files: model("main", weights(1000, 1))}, "owner/model", "", hub.ErrDamaged},
		"weights are a pickle": {&fake{files: model("main", []byte("PK\x03\x04 pickled"))}, "owner/model", "", hub.ErrDamaged},
		"weights are empty":    {&fake{files: model("main", []byte{})}, "owner/model", "", hub.ErrDamaged},
		"not an id":            {&fake{}, "model", "", hub.ErrName},
		"path in the id":       {&fake{}, "../model", "", hub.ErrName},
		"path in the revision": {&fake{}, "owner/model@../x", "", hub.ErrName},
	}
	for test, tt := range tests {
		t.Run(test, func(t *testing.T) {
			server := start(t, tt.fake)
			dir := t.TempDir()
			c := hub.Client{URL: server.URL, Token: tt.token, Dir: dir}
			folder, err := c.Fetch(t.Context(), tt.name)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				if names := whole(t, dir); len(names) > 0 {
					t.Errorf("left behind as if whole: %v", names)
				}
				return
			}
			got, err := os.ReadFile(filepath.Join(folder, "model.safetensors"))
			if err != nil || !bytes.Equal(got, good) {
				t.Errorf("weights differ (%d bytes, want %d): %v", len(got), len(good), err)
			}
			if left, err := filepath.Glob(filepath.Join(folder, "*.part*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
			before := len(tt.fake.wasAsked())
			if again, err := c.Fetch(t.Context(), tt.name); err != nil || again != folder || len(tt.fake.wasAsked()) != before {
				t.Errorf("the second time: %s, %v, asked %v", again, err, tt.fake.wasAsked()[before:])
			}
		})
	}
}

// whole lists the folders under dir that would be taken for a model.
func whole(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".partial") {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestResume: a download that was interrupted asks for the rest only, unless
// the file is another one by then.
func TestResume(t *testing.T) {
	old, changed := weights(1<<20, 0), weights(1<<20+5, 0)
	tests := map[string]struct {
		then []byte
		want []string // what the store was asked
	}{
		"the same file": {old, []string{"store ", "store bytes=300000-"}},
		"another file":  {changed, []string{"store ", "store bytes=300000-", "store "}},
	}
	for test, tt := range tests {
		t.Run(test, func(t *testing.T) {
			f := &fake{files: model("main", old), cut: 300_000}
			server := start(t, f)
			dir := t.TempDir()
			var done []int64
			c := hub.Client{URL: server.URL, Dir: dir, Progress: func(file string, at, total int64) {
				if file != "model.safetensors" {
					return
				}
				if at == 300_000 {
					f.replace(model("main", tt.then))
				}
				done = append(done, at)
				if total != int64(len(old)) && total != int64(len(tt.then)) {
					t.Errorf("total %d", total)
				}
			}}
			folder, err := c.Fetch(t.Context(), "owner/model")
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(folder, "model.safetensors"))
			if err != nil || !bytes.Equal(got, tt.then) {
				t.Errorf("weights differ (%d bytes, want %d): %v", len(got), len(tt.then), err)
			}
			var asked []string
			for _, a := range f.wasAsked() {
				if strings.HasPrefix(a, "store") {
					asked = append(asked, a)
				}
			}
			if !slices.Equal(asked, tt.want) {
				t.Errorf("asked %q, want %q", asked, tt.want)
			}
			if len(done) == 0 || done[len(done)-1] != int64(len(tt.then)) {
				t.Errorf("progress ended at %v", done)
			}
		})
	}
}
