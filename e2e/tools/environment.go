package tools

import (
	"context"
	"os"
	"os/exec"
	"slices"
)

// inherited are the variables that a program which is started here gets, if they are set: where programs, home and
// caches are, and how this machine reaches what has to be downloaded. Nothing else comes in: no TMPDIR, whose
// folder is not there in another root, no flags of make, no GOFLAGS, and no setting of AWS or Pulumi that leads to
// a real account.
var inherited = []string{
	"PATH", "HOME", "XDG_CACHE_HOME",
	"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GOPATH", "GOCACHE", "GOMODCACHE", "GOTOOLCHAIN", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB",
	"GOINSECURE", "GOAUTH",
	"PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST", "PIP_CERT",
	"PIP_DEFAULT_TIMEOUT", "REQUESTS_CA_BUNDLE",
}

// Environment is what a program gets of this one's environment, and more, in the form of os.Environ.
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
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = Environment()
	return command
}
