package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"vinfast-classifier/local/program"
)

// install makes the data folder on first use. The tables are made under
// another name, so that an interrupted install is begun again.
func install(ctx context.Context, dir string, flavour Flavour, path string) error {
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, "data.new")); err != nil {
		return fmt.Errorf("clear unfinished database: %w", err)
	}
	cmd, err := installer(ctx, dir, flavour, path)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // see run
	defer runtime.UnlockOSThread()
	cmd.Dir = dir
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make database with %s: %w; it said:\n%s", cmd.Path, err, out[max(0, len(out)-8<<10):])
	}
	if err := os.Rename(filepath.Join(dir, "data.new"), filepath.Join(dir, "data")); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	return nil
}

func installer(ctx context.Context, dir string, flavour Flavour, path string) (*exec.Cmd, error) {
	if flavour == MySQL {
		args := []string{"--no-defaults", "--initialize-insecure", "--datadir=" + filepath.Join(dir, "data.new")}
		if os.Geteuid() == 0 {
			args = append(args, "--user=root")
		}
		return program.Command(ctx, path, args...), nil
	}
	prefix := filepath.Dir(filepath.Dir(path))
	dirs := append([]string{filepath.Join(prefix, "bin"), filepath.Join(prefix, "scripts")}, folders...)
	for _, name := range []string{"mariadb-install-db", "mysql_install_db"} {
		if script, ok := look(name, dirs); ok {
			// The folder is relative, as the script does not quote it.
			// Without --user the script leaves files outside the folder
			// alone; --force spares it looking up the host's name.
			return program.Command(ctx, script, "--no-defaults", "--datadir=./data.new", "--force", "--skip-test-db",
				"--auth-root-authentication-method=socket", "--auth-root-socket-user=root", "--innodb-log-file-size=16M"), nil
		}
	}
	return nil, fmt.Errorf("%w: %s is here, but mariadb-install-db is not", ErrNotInstalled, path)
}

// writeSetup writes the statements that the server runs at every start before
// it accepts connections. They lock root out (there is no socket, and by TCP
// it has no account), so the server needs no administrator.
func writeSetup(o Options, password string) error {
	account := "'" + User + "'@'127.0.0.1'"
	lines := []string{
		"CREATE DATABASE IF NOT EXISTS `" + Schema + "` CHARACTER SET utf8mb4",
		"CREATE USER IF NOT EXISTS " + account,
		"ALTER USER " + account + " IDENTIFIED BY '" + password + "'",
		"GRANT ALL ON `" + strings.ReplaceAll(Schema, "_", `\_`) + "`.* TO " + account,
		"ALTER USER 'root'@'localhost' ACCOUNT LOCK",
	}
	if o.TestSchemas {
		lines = append(lines, "GRANT ALL ON `test\\_%`.* TO "+account)
	}
	// One statement a line: MySQL reads it so.
	return writePrivate(filepath.Join(o.Dir, "setup.sql"), strings.Join(lines, ";\n")+";\n")
}

// readPassword returns the account's password, made on first use.
func readPassword(dir string) (string, error) {
	path := filepath.Join(dir, "password")
	data, err := os.ReadFile(path)
	if err == nil && len(data) > 0 {
		return strings.TrimSpace(string(data)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read database password: %w", err)
	}
	password := rand.Text()
	return password, writePrivate(path, password+"\n")
}

// choosePort returns the port of the last start if it is free, else one that
// the kernel chooses and that is kept for the next start.
func choosePort(dir string) (int, error) {
	path := filepath.Join(dir, "port")
	if data, err := os.ReadFile(path); err == nil {
		port, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err == nil && port > 0 && free(port) == nil {
			return port, nil
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("choose a port for the database: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("choose a port for the database: %w", err)
	}
	return port, writePrivate(path, strconv.Itoa(port)+"\n")
}

func free(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// writePrivate replaces a file as a whole, readable by its owner only.
func writePrivate(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
