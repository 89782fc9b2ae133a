package thumbs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"vinfast-classifier/app/thumbs"
)

func id(n int) string { return fmt.Sprintf("0195f7a0-0000-7000-8000-%012x", n) }

func jpeg(n, size int) []byte {
	data := bytes.Repeat([]byte{byte(n)}, size)
	copy(data, "\xff\xd8")
	copy(data[size-2:], "\xff\xd9")
	return data
}

func open(t *testing.T, most int64) (*thumbs.Cache, string) {
	dir := filepath.Join(t.TempDir(), "thumbs")
	return thumbs.Open(dir, most, slog.New(slog.DiscardHandler)), dir
}

func TestPutAndGet(t *testing.T) {
	c, dir := open(t, 1<<20)
	if _, err := c.Get(id(1)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	if err := c.Put(id(1), jpeg(1, 100)); err != nil {
		t.Fatal(err)
	}
	if data, err := c.Get(id(1)); err != nil || !bytes.Equal(data, jpeg(1, 100)) {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
	for range 2 {
		if err := c.Delete(id(1)); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Get(id(1)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after: %v", err)
	}
	if err := c.Put(id(2), jpeg(1, 100)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := c.Put(id(3), jpeg(1, 100)); err != nil {
		t.Errorf("the folder was lost: %v", err)
	}
}

func TestATornFileIsMadeAgain(t *testing.T) {
	c, dir := open(t, 1<<20)
	if err := c.Put(id(1), jpeg(1, 100)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.jpg"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for _, size := range []int64{0, 50} {
		if err := os.Truncate(files[0], size); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(id(1)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestAnIDIsNoPath(t *testing.T) {
	c, dir := open(t, 1<<20)
	for _, bad := range []string{"", "../../../../../../../../tmp/x", "x", id(1) + "/"} {
		if err := c.Put(bad, jpeg(1, 9)); err == nil {
			t.Errorf("%q was kept", bad)
		}
		if _, err := c.Get(bad); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", bad, err)
		}
		if err := c.Delete(bad); err != nil {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
}

func TestTheOldestGo(t *testing.T) {
	c, dir := open(t, 100_000)
	for i := range 401 { // the last one is measured
		if err := c.Put(id(i), jpeg(i, 1000)); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(dir, id(i)[34:], id(i)+".jpg"), at, at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.jpg"))
	if err != nil || len(files) > 100 || len(files) < 80 {
		t.Errorf("%d files of 1000 bytes, %v", len(files), err)
	}
	if _, err := c.Get(id(400)); err != nil {
		t.Errorf("the newest: %v", err)
	}
	if _, err := c.Get(id(5)); err == nil {
		t.Error("an old one is still there")
	}
}

func TestManyAtOnce(t *testing.T) {
	c, _ := open(t, 50_000)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 250 {
				if err := c.Put(id(i), jpeg(worker, 1000)); err != nil {
					t.Error(err)
				}
				if data, err := c.Get(id(i)); err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && len(data) != 1000 {
					t.Errorf("%d bytes, %v", len(data), err)
				}
			}
		})
	}
	wg.Wait()
}
