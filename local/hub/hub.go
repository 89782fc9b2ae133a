// Package hub gets image classifiers from a Hugging Face hub, once, checked
// and whole.
package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Faults that Fetch tells apart.
var (
	// ErrName: not a model's id.
	ErrName = errors.New("not a Hugging Face model id")
	// ErrMissing: the hub has no such model, revision or file.
	ErrMissing = errors.New("not on the hub")
	// ErrForbidden: the hub wants a token, or another one.
	ErrForbidden = errors.New("access refused by the hub")
	// ErrDamaged: what came is not what the hub announced, or no model.
	ErrDamaged = errors.New("damaged download")
)

// FileError tells which file could not be had.
type FileError struct {
	File, Model string
	Err         error
}

func (e *FileError) Error() string { return fmt.Sprintf("get %s of %s: %v", e.File, e.Model, e.Err) }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Files are what a model consists of here. The weights come last: what is
// small and missing is found before anything large is fetched.
var Files = []string{"config.json", "preprocessor_config.json", "model.safetensors"}

// Client gets models.
type Client struct {
	URL   string // of the hub, https://huggingface.co
	Token string // for private models; may be empty
	Dir   string // models are kept here, each in a folder of its own
	// Progress is told now and then how many bytes of a file are there; total
	// is -1 if the hub does not say.
	Progress func(file string, done, total int64)
}

var nameShape = regexp.MustCompile(`^([\w.-]+/[\w.-]+)(?:@([\w./-]+))?$`)

// Fetch returns the folder of the model name, an id as owner/model, or
// owner/model@revision; the revision is a branch, tag or commit, else main. A
// model that is there already is not asked for again. One that was interrupted
// goes on where it stopped.
func (c Client) Fetch(ctx context.Context, name string) (string, error) {
	parts := nameShape.FindStringSubmatch(name)
	if parts == nil || strings.Contains(name, "..") {
		return "", fmt.Errorf("%w: %q; write owner/model or owner/model@revision", ErrName, name)
	}
	id, revision := parts[1], parts[2]
	if revision == "" {
		revision = "main"
	}
	folder := filepath.Join(c.Dir, strings.ReplaceAll(id, "/", "--")+"@"+strings.ReplaceAll(revision, "/", "--"))
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return folder, err
	}
	partial := folder + ".partial"
	if err := os.MkdirAll(partial, 0o700); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	for _, file := range Files {
		address := fmt.Sprintf("%s/%s/resolve/%s/%s", strings.TrimSuffix(c.URL, "/"), id, url.PathEscape(revision), file)
		if err := c.fetch(ctx, address, filepath.Join(partial, file)); err != nil {
			return "", &FileError{File: file, Model: name, Err: err}
		}
	}
	if err := CheckWeights(filepath.Join(partial, "model.safetensors")); err != nil {
		return "", errors.Join(err, os.RemoveAll(partial))
	}
	if err := os.Rename(partial, folder); err != nil {
		return "", fmt.Errorf("keep model: %w", err)
	}
	return folder, nil
}

// fetch gets one file into path by way of path.part.
func (c Client) fetch(ctx context.Context, address, path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	part, err := openPart(path + ".part")
	if err != nil {
		return err
	}
	// An attempt that got further is worth another one; so is one that found
	// another file on the hub than it had begun.
	for {
		before := part.size
		err = c.transfer(ctx, address, part)
		if err == nil || ctx.Err() != nil || part.size <= before && !errors.Is(err, errChanged) {
			break
		}
	}
	if err != nil {
		return errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return part.keep(path)
}

// transfer asks for what is missing of p and appends it.
func (c Client) transfer(ctx context.Context, address string, p *part) error {
	resp, about, err := c.ask(ctx, address, p)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := refusal(resp); err != nil {
		return err
	}
	if err := p.begin(resp, about); err != nil {
		return err
	}
	if err := p.receive(resp.Body, c.Progress); err != nil {
		return err
	}
	return p.check()
}

// ask sends the request. The hub answers with a file, or for large ones with a
// redirection whose headers tell size and digest; a token is not sent on to
// the other host.
func (c Client) ask(ctx context.Context, address string, p *part) (*http.Response, announcement, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, announcement{}, fmt.Errorf("hub address: %w", err)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	// Compressed on the way, sizes and ranges would not be the file's.
	req.Header.Set("Accept-Encoding", "identity")
	if p.size > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
	}
	var linked announcement
	client := &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) >= 5 {
			return errors.New("redirected too often")
		}
		linked = linked.or(announced(next.Response.Header))
		return nil
	}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, announcement{}, fmt.Errorf("ask the hub: %w", err)
	}
	return resp, linked.or(announced(resp.Header)), nil
}

func refusal(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
		return nil
	case http.StatusNotFound:
		return ErrMissing
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrForbidden
	default:
		return fmt.Errorf("the hub answers %s", resp.Status)
	}
}
