// Package program starts other programs with a list of what they get of the
// environment. What make, a shell or a person has set for something else does
// not reach them.
package program

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
)

// inherited are the variables that a program gets, if they are set: where
// programs, home and caches are, in what language people are spoken to, and how
// this machine reaches what has to be downloaded.
//
// Not among them is TMPDIR: its folder need not be there where the program
// runs. Nor are GOFLAGS and the like, or any setting of AWS.
var inherited = []string{
	"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "XDG_CACHE_HOME",
	"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GOPATH", "GOCACHE", "GOMODCACHE", "GOTOOLCHAIN", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB",
	"GOINSECURE", "GOAUTH", "CC",
}

// Environment is what a program gets of this one's environment, and more, in
// the form of os.Environ.
func Environment(more ...string) []string {
	var environment []string
	for _, name := range inherited {
		if value, set := os.LookupEnv(name); set {
			environment = append(environment, name+"="+value)
		}
	}
	return slices.Concat(environment, more)
}

// Command is exec.CommandContext with that environment.
func Command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = Environment()
	return cmd
}

// FreePort is a port of loopback that nobody listens at, for a program that is
// started next. It is below those that systems hand out by themselves, so nobody
// gets it between this look and the program's.
func FreePort() (int, error) {
	var faults []error
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err == nil {
			return l.Addr().(*net.TCPAddr).Port, l.Close()
		}
		faults = append(faults, err)
	}
	return 0, fmt.Errorf("no free port: %w", errors.Join(faults...))
}
