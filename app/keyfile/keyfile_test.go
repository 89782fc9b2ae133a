package keyfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"vinfast-classifier/app/keyfile"
)

func TestAllWhoStartAtOnceAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "visitor")
	keys := make([][]byte, 20)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = keyfile.Load(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, key := range keys {
		if len(key) != keyfile.Size || !bytes.Equal(key, keys[0]) {
			t.Fatalf("keys differ: %x and %x", key, keys[0])
		}
	}
	if again, err := keyfile.Load(path); err != nil || !bytes.Equal(again, keys[0]) {
		t.Errorf("read again: %x, %v", again, err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("files left: %v, %v", files, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestTwoKeysDiffer(t *testing.T) {
	a, errA := keyfile.Load(filepath.Join(t.TempDir(), "k"))
	b, errB := keyfile.Load(filepath.Join(t.TempDir(), "k"))
	if errA != nil || errB != nil || bytes.Equal(a, b) {
		t.Errorf("%x %v, %x %v", a, errA, b, errB)
	}
}

func TestDamagedFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	if _, err := keyfile.Load(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len("vinfast-key-1 ")] ^= 1
	for name, content := range map[string][]byte{
		"empty": {}, "cut": good[:40], "flipped": flipped, "other": []byte("hello"), "zeros": make([]byte, 90),
		"huge": bytes.Repeat([]byte("x"), 1<<20), "twice": append(bytes.Clone(good), good...),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := keyfile.Load(path)
		if !errors.Is(err, keyfile.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore it from a backup, or remove it") {
			t.Errorf("%s: %v", name, err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, content) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}
