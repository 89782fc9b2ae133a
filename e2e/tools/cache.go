// Package tools brings the programs that the harness runs, each made once per machine and kept in a cache outside the
// checkout: the Pulumi CLI with its Go language host, the AWS provider, and moto in a virtual environment.
package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// builder makes tools and keeps them in the folder root, each under a digest of its recipe: a changed recipe is a new tool.
type builder struct {
	root   string // the cache
	source string // this module's folder
	say    func(format string, args ...any)
}

func newBuilder(source string, say func(format string, args ...any)) (builder, error) {
	root, err := cacheRoot()
	if err != nil {
		return builder{}, err
	}
	if source, err = filepath.Abs(source); err != nil {
		return builder{}, fmt.Errorf("find this module's folder: %w", err)
	}
	return builder{root: root, source: source, say: say}, nil
}

// cacheRoot is ${XDG_CACHE_HOME:-~/.cache}/vinfast-e2e.
func cacheRoot() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the home folder: %w", err)
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "vinfast-e2e"), nil
}

// once returns the folder of a tool, and calls make to fill it if this machine has not made it yet. A tool that fails half
// way leaves nothing that a later run would take for whole.
func (b builder) once(ctx context.Context, name string, recipe []string, make func(ctx context.Context, folder string) error) (string, error) {
	digest, err := b.digest(recipe)
	if err != nil {
		return "", err
	}
	final := filepath.Join(b.root, name+"-"+digest[:16])
	unlock, err := b.lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(final); err == nil {
		b.say("%s: in the cache", name)
		return final, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look for %s in the cache: %w", name, err)
	}
	partial := final + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return "", fmt.Errorf("remove what an earlier run left of %s: %w", name, err)
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for %s: %w", name, err)
	}
	started := time.Now()
	if err := make(ctx, partial); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	b.say("%s: made in %s, kept for later runs in %s", name, time.Since(started).Round(time.Second), final)
	return final, os.Rename(partial, final)
}

// digest covers the named files and folders of this module, the Go version and the machine's kind.
func (b builder) digest(recipe []string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range recipe {
		err := filepath.WalkDir(filepath.Join(b.source, name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(b.source, path)
			if err != nil {
				return err
			}
			fmt.Fprintln(sum, rel, len(text))
			sum.Write(text)
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("read the recipe %q: %w", name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// lock keeps two runs on one machine from making the same tool at the same time.
func (b builder) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(b.root, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache: %w", err)
	}
	file, err := os.Create(filepath.Join(b.root, name+".lock"))
	if err != nil {
		return nil, fmt.Errorf("make a lock for %s: %w", name, err)
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // closing unlocks; a read-only file has nothing to lose
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), file.Close())
		}
		if !told {
			b.say("%s: waiting for another run to make it", name)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for the lock of %s: %w", name, ctx.Err()), file.Close())
		case <-time.After(time.Second):
		}
	}
}
