package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"vinfast-classifier/local/program"
)

// ErrNotInstalled: there is no MariaDB or MySQL server on this machine.
var ErrNotInstalled = errors.New("no MariaDB or MySQL server is installed")

// Flavour tells the two families of servers apart: they take different flags.
type Flavour string

// The flavours that Start can run.
const (
	MariaDB Flavour = "MariaDB"
	MySQL   Flavour = "MySQL"
)

// folders besides PATH where packages put a server: Debian and Ubuntu use
// /usr/sbin, Fedora /usr/libexec, Homebrew its own prefixes. An ordinary
// user's PATH has none of them.
var folders = []string{
	"/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin",
	"/opt/homebrew/bin", "/opt/homebrew/opt/mariadb/bin", "/opt/homebrew/opt/mysql/bin",
	"/usr/local/opt/mariadb/bin", "/usr/local/opt/mysql/bin", "/usr/local/mysql/bin",
}

// Find returns the server that Start would run: its flavour and path. The
// error is ErrNotInstalled if there is none.
func Find() (Flavour, string, error) {
	for _, name := range []string{"mariadbd", "mysqld"} {
		path, ok := look(name, folders)
		if !ok {
			continue
		}
		out, err := program.Command(context.Background(), path, "--no-defaults", "--version").CombinedOutput()
		if err != nil {
			return "", "", fmt.Errorf("run %s --version: %w: %s", path, err, strings.TrimSpace(string(out)))
		}
		// Distributions that ship MariaDB link mysqld to it.
		if strings.Contains(string(out), "MariaDB") {
			return MariaDB, path, nil
		}
		return MySQL, path, nil
	}
	return "", "", ErrNotInstalled
}

// look finds an executable on PATH or in one of dirs.
func look(name string, dirs []string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if runtime.GOOS == "windows" {
			path += ".exe"
		}
		if info, err := os.Stat(path); err == nil && !info.IsDir() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0) {
			return path, true
		}
	}
	return "", false
}
