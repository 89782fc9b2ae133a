package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// State is what lies in a spool folder.
type State struct {
	Entries int       // uploads that wait or are worked on
	Bytes   int64     // of all of them
	Oldest  time.Time // when the first of them was last written; zero for none
	Damaged int       // entries that were set aside
}

// Look tells what lies in dir, without opening it as a Spool and so without
// changing anything. A folder that is not there is fs.ErrNotExist.
func Look(dir string) (State, error) {
	var s State
	if err := each(dir, func(info fs.FileInfo) {
		if !validID.MatchString(info.Name()) {
			return
		}
		s.Entries++
		s.Bytes += info.Size()
		if s.Oldest.IsZero() || info.ModTime().Before(s.Oldest) {
			s.Oldest = info.ModTime()
		}
	}); err != nil {
		return State{}, fmt.Errorf("look into spool: %w", err)
	}
	err := each(filepath.Join(dir, damaged), func(fs.FileInfo) { s.Damaged++ })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return State{}, fmt.Errorf("look into spool: %w", err)
	}
	return s, nil
}

// each visits the files of a folder that are still there.
func each(dir string, visit func(fs.FileInfo)) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		visit(info)
	}
	return nil
}
