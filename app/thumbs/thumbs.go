// Package thumbs caches thumbnails in a folder that all instances share. The
// folder may be lost or emptied at any time: everything in it can be made again.
package thumbs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"
)

// sweepEvery is after how many new thumbnails of this process the folder is
// measured.
const sweepEvery = 200

// Cache is one folder.
type Cache struct {
	dir  string
	most int64
	log  *slog.Logger

	mu  sync.Mutex
	new int // since the last sweep
}

// Open returns the cache in dir, which is made when the first thumbnail comes.
// It holds about most bytes: beyond that the oldest go.
func Open(dir string, most int64, log *slog.Logger) *Cache {
	return &Cache{dir: dir, most: most, log: log, new: sweepEvery - 1}
}

var validID = regexp.MustCompile(`^[0-9a-f-]{36}$`)

// path spreads the files over 256 folders, by the end of the id: its beginning
// is the time.
func (c *Cache) path(id string) string { return filepath.Join(c.dir, id[len(id)-2:], id+".jpg") }

// Get returns the thumbnail of an upload; fs.ErrNotExist if it is to be made.
func (c *Cache) Get(id string) ([]byte, error) {
	if !validID.MatchString(id) {
		return nil, fmt.Errorf("thumbnail %q: %w", id, fs.ErrNotExist)
	}
	data, err := os.ReadFile(c.path(id))
	if err != nil {
		return nil, fmt.Errorf("read thumbnail: %w", err)
	}
	if !whole(data) {
		return nil, fmt.Errorf("thumbnail %q is torn: %w", id, fs.ErrNotExist)
	}
	return data, nil
}

// whole: files are not synced, so a crash can leave one empty or cut.
func whole(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xff, 0xd8}) && bytes.HasSuffix(data, []byte{0xff, 0xd9})
}

// Put keeps the thumbnail of an upload.
func (c *Cache) Put(id string, data []byte) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("keep thumbnail %q: not a valid id", id)
	}
	if err := write(c.path(id), data); err != nil {
		return fmt.Errorf("keep thumbnail: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new++; c.new < sweepEvery {
		return nil
	}
	c.new = 0
	return c.sweep()
}

// write renames a finished file: readers see all of it or nothing.
func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Delete removes the thumbnail of an upload; a missing one is no error.
func (c *Cache) Delete(id string) error {
	if !validID.MatchString(id) {
		return nil
	}
	if err := os.Remove(c.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete thumbnail: %w", err)
	}
	return nil
}

type file struct {
	path string
	size int64
	at   time.Time
}

// sweep removes the oldest files if there is too much, down to nine tenths, so
// that it is not needed again at once. Other instances may sweep too.
func (c *Cache) sweep() error {
	files, sum, err := c.list()
	if err != nil {
		return fmt.Errorf("measure the thumbnails: %w", err)
	}
	if sum <= c.most {
		return nil
	}
	slices.SortFunc(files, func(a, b file) int { return a.at.Compare(b.at) })
	removed := 0
	for _, f := range files {
		if sum <= c.most/10*9 {
			break
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old thumbnail: %w", err)
		}
		sum -= f.size
		removed++
	}
	c.log.Info("removed old thumbnails", "count", removed, "bytes_left", sum)
	return nil
}

func (c *Cache) list() (files []file, sum int64, err error) {
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return nil
		}
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed since the folder was listed
		}
		if err != nil {
			return err
		}
		files = append(files, file{path, info.Size(), info.ModTime()})
		sum += info.Size()
		return nil
	})
	return files, sum, err
}
