package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// announcement is what the hub says of a file before its bytes come.
type announcement struct {
	tag  string // changes with the file's content; the SHA-256 of a large file
	size int64  // bytes; 0 if not said
}

// announced reads the hub's headers: X-Linked-* for large files, which lie
// elsewhere.
func announced(h http.Header) announcement {
	tag := h.Get("X-Linked-Etag")
	if tag == "" {
		tag = h.Get("Etag")
	}
	size, err := strconv.ParseInt(h.Get("X-Linked-Size"), 10, 64)
	if err != nil {
		size = 0
	}
	return announcement{tag: strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), size: size}
}

// or fills in what a does not know.
func (a announcement) or(b announcement) announcement {
	if a.tag == "" {
		a.tag = b.tag
	}
	if a.size == 0 {
		a.size = b.size
	}
	return a
}

// part is a file on its way. The tag of its content lies beside it, so that
// the rest of another file is never appended.
type part struct {
	*os.File
	path string
	size int64 // bytes that are there
	want announcement
}

func openPart(path string) (*part, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.Close())
	}
	return &part{File: f, path: path, size: size}, nil
}

// begin makes ready for the body of resp: to append when it is the rest of the
// same file, else from the start.
func (p *part) begin(resp *http.Response, about announcement) error {
	p.want = about
	before, err := os.ReadFile(p.path + ".tag")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read tag: %w", err)
	}
	same := about.tag != "" && string(before) == about.tag
	from, total := contentRange(resp.Header.Get("Content-Range"))
	switch resp.StatusCode {
	case http.StatusPartialContent:
		if !same || from != p.size {
			return p.startOver()
		}
		p.want = p.want.or(announcement{size: total})
		return nil
	case http.StatusRequestedRangeNotSatisfiable:
		if same && total == p.size {
			p.want = p.want.or(announcement{size: total})
			resp.Body = http.NoBody // all of it was there
			return nil
		}
		return p.startOver()
	}
	if resp.ContentLength > 0 {
		p.want = p.want.or(announcement{size: resp.ContentLength})
	}
	if err := p.empty(); err != nil {
		return err
	}
	if err := os.WriteFile(p.path+".tag", []byte(about.tag), 0o600); err != nil {
		return fmt.Errorf("write tag: %w", err)
	}
	return nil
}

var errChanged = errors.New("the file on the hub has changed since its download began")

// startOver forgets what is there. The next attempt asks for the whole file.
func (p *part) startOver() error {
	return errors.Join(errChanged, p.empty())
}

func (p *part) empty() error {
	if err := p.Truncate(0); err != nil {
		return fmt.Errorf("empty %s: %w", p.path, err)
	}
	p.size = 0
	return nil
}

// contentRange reads "bytes 5-9/10", or "bytes */10".
func contentRange(s string) (from, total int64) {
	if _, err := fmt.Sscanf(s, "bytes */%d", &total); err == nil {
		return 0, total
	}
	var to int64
	if _, err := fmt.Sscanf(s, "bytes %d-%d/%d", &from, &to, &total); err != nil {
		return -1, 0
	}
	return from, total
}

// receive appends body.
func (p *part) receive(body io.Reader, progress func(string, int64, int64)) error {
	if _, err := p.Seek(p.size, io.SeekStart); err != nil {
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if _, err := p.Write(buffer[:n]); err != nil {
			return fmt.Errorf("write %s: %w", p.path, err)
		}
		p.size += int64(n)
		if progress != nil {
			progress(strings.TrimSuffix(filepath.Base(p.path), ".part"), p.size, p.total())
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", p.size, err)
		}
	}
}

func (p *part) total() int64 {
	if p.want.size == 0 {
		return -1
	}
	return p.want.size
}

// check compares size and, where the hub tells it, SHA-256.
func (p *part) check() error {
	if p.want.size > 0 && p.size < p.want.size {
		return fmt.Errorf("only %d of %d bytes came", p.size, p.want.size)
	}
	if p.want.size > 0 && p.size > p.want.size {
		return errors.Join(fmt.Errorf("%w: %d bytes, the hub announced %d", ErrDamaged, p.size, p.want.size), p.empty())
	}
	if digest, err := hex.DecodeString(p.want.tag); err != nil || len(digest) != sha256.Size {
		return nil // the tag of a small file is none
	}
	if _, err := p.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", p.path, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, p); err != nil {
		return fmt.Errorf("read %s: %w", p.path, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != p.want.tag {
		return errors.Join(fmt.Errorf("%w: SHA-256 %s, the hub announced %s", ErrDamaged, got, p.want.tag), p.empty())
	}
	return nil
}

// keep gives the complete, closed file its name.
func (p *part) keep(path string) error {
	if err := os.Rename(p.path, path); err != nil {
		return fmt.Errorf("keep %s: %w", path, err)
	}
	if err := os.Remove(p.path + ".tag"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove tag: %w", err)
	}
	return nil
}
