package spool

import (
	"errors"
	"io/fs"
	"os"
)

// writeSync writes the parts to f and returns when they are on disk; f is
// closed in any case. A full disk may show at any of the three steps, on NFS
// as late as at the close.
func writeSync(f *os.File, parts ...[]byte) error {
	var err error
	for _, part := range parts {
		if err == nil {
			_, err = f.Write(part)
		}
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// link gives a file a second name; fs.ErrExist if that is taken. An NFS server
// whose answer got lost says so too, after a link that worked: then both names
// are the same file.
func link(from, to string) error {
	err := os.Link(from, to)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	a, errA := os.Stat(from)
	b, errB := os.Stat(to)
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return nil
	}
	return err
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
