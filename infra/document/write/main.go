// Command write writes the generated documents into docs/ of the current
// folder, the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"vinfast-classifier/infra/document"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	files, err := document.All()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join("docs", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
