// Package keyfile keeps a secret key in a file that all instances share.
package keyfile

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Size of a key, in bytes.
const Size = 32

// ErrDamaged: the file does not read back as it was written.
var ErrDamaged = errors.New("key file is damaged")

// A key's file is one line: this word, the key, and the first eight digits of
// its SHA-256, all in hex.
const word = "vinfast-key-1"

// Load returns the key in the file at path. If there is none it makes one; of
// several instances that do so at once all return the same. The folder is made
// if missing.
func Load(path string) ([]byte, error) {
	key, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err == nil {
			key, err = read(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("load key %s: %w", path, err)
	}
	return key, nil
}

// longest is more than a good file has.
const longest = 200

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, longest))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(data))
	if len(fields) != 3 || fields[0] != word {
		return nil, damaged("it is not a key file")
	}
	key, err := hex.DecodeString(fields[1])
	if err != nil || len(key) != Size || fields[2] != check(key) {
		return nil, damaged("its key and its checksum do not fit")
	}
	return key, nil
}

func damaged(what string) error {
	return fmt.Errorf("%w: %s; restore it from a backup, or remove it and start again: "+
		"a new one is made, and visitors then no longer see what they sent before as theirs", ErrDamaged, what)
}

func check(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}

// create writes a new key under a name of its own and links it to path: a link
// fails if the name exists, so the first instance's key stands and is whole.
func create(path string) (err error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	key := make([]byte, Size)
	rand.Read(key) // never fails: it ends the program instead
	_, err = fmt.Fprintf(f, "%s %x %s\n", word, key, check(key))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// The folder, and its name in the folder above, if it is new.
	return errors.Join(syncFolder(folder), syncFolder(filepath.Dir(folder)))
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
