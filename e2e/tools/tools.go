package tools

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Versions that the recipes pin beside their go.sum files and requirements.txt.
const (
	PulumiVersion = "v3.250.0"
	PluginVersion = "6.83.2" // of the AWS SDK the program is written with

	providerSource = "github.com/upbound/terraform-provider-aws@v0.0.0-20241019052313-8fed8454b0e3" // 5.68 with its internals exported
	providerSum    = "h1:f4VOuQgP3QN1+B41l9t3wz4eNWc4Nx2zm/1TVf6aX14="
	smithySource   = "github.com/aws/smithy-go@v1.20.4" // the version that the provider asks for
	smithySum      = "h1:2HK1zBdPgRbjFOHlfeQZfpC4r72MOb9bZkiFwggKO+4="
)

// Tools are the paths of what the harness runs.
type Tools struct {
	Pulumi string // the CLI; its language host is beside it or on PATH
	Plugin string // the folder of the AWS plugin
	Python string // an interpreter that has moto
}

// Prepare finds or makes all tools. Source is this module's folder. The first time on a machine it takes minutes.
func Prepare(ctx context.Context, source string, say func(format string, args ...any)) (Tools, error) {
	b, err := newBuilder(source, say)
	if err != nil {
		return Tools{}, err
	}
	var t Tools
	if t.Pulumi, err = b.pulumi(ctx); err != nil {
		return Tools{}, err
	}
	if os.Getenv("VINFAST_E2E_PLUGIN") == "official" {
		err := b.run(ctx, ".", "downloading the official AWS plugin", nil, t.Pulumi, "plugin", "install", "resource", "aws", "v"+PluginVersion)
		if err != nil {
			return Tools{}, err
		}
	}
	if t.Plugin, err = b.plugin(ctx); err != nil {
		return Tools{}, err
	}
	t.Python, err = b.python(ctx)
	return t, err
}

// pulumi is the CLI on PATH if its Go language host is there too, else one built from its module.
func (b builder) pulumi(ctx context.Context) (string, error) {
	found, err := exec.LookPath("pulumi")
	if err == nil {
		if _, err = exec.LookPath("pulumi-language-go"); err == nil {
			b.say("Pulumi: %s", found)
			return found, nil
		}
	}
	folder, err := b.once(ctx, "pulumi", []string{"engine"}, func(ctx context.Context, folder string) error {
		module := filepath.Join(b.source, "engine")
		err := b.goBuild(ctx, module, filepath.Join(folder, "pulumi"), "compiling the Pulumi CLI (once per machine, some 3 minutes)",
			"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version="+PulumiVersion,
			"github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
		if err != nil {
			return err
		}
		return b.goBuild(ctx, module, filepath.Join(folder, "pulumi-language-go"), "compiling its Go language host", "-s -w", "./pulumi-language-go")
	})
	return filepath.Join(folder, "pulumi"), err
}

// plugin is the official AWS plugin if this user has installed it, else the bridged provider.
func (b builder) plugin(ctx context.Context) (string, error) {
	if home, err := os.UserHomeDir(); err == nil {
		official := filepath.Join(home, ".pulumi", "plugins", "resource-aws-v"+PluginVersion)
		if _, err := os.Stat(filepath.Join(official, "pulumi-resource-aws")); err == nil {
			b.say("AWS provider: the official plugin %s", official)
			return official, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for the official plugin: %w", err)
		}
	}
	recipe := []string{"provider", "tools/trim.go", "tools/patch.go"}
	return b.once(ctx, "provider", recipe, b.bridge)
}

// bridge compiles the provider from a trimmed copy of the Terraform provider's source, and has it write its own schema.
func (b builder) bridge(ctx context.Context, folder string) error {
	work, err := os.MkdirTemp("", "vinfast-e2e-provider-")
	if err != nil {
		return fmt.Errorf("make a folder to build in: %w", err)
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, os.DirFS(filepath.Join(b.source, "provider"))); err != nil {
		return fmt.Errorf("copy the bridge's source: %w", err)
	}
	services, err := tableServices(filepath.Join(work, "resources.txt"))
	if err != nil {
		return err
	}
	original, err := b.download(ctx, providerSource, providerSum)
	if err != nil {
		return err
	}
	if err := TrimProvider(original, filepath.Join(work, "aws"), services); err != nil {
		return err
	}
	runtime, err := b.download(ctx, smithySource, smithySum)
	if err != nil {
		return err
	}
	if err := copyRuntime(runtime, filepath.Join(work, "smithy")); err != nil {
		return err
	}
	binary := filepath.Join(folder, "pulumi-resource-aws")
	if err := b.goBuild(ctx, work, binary, "compiling the AWS provider (once per machine, some 7 minutes)", "-s -w", "."); err != nil {
		return err
	}
	return b.run(ctx, folder, "writing the provider's schema", nil, binary, "schema", "--skip-docs", "--skip-examples", "--out", folder)
}

// tableServices are the service packages that the table of resources names.
func tableServices(table string) ([]string, error) {
	text, err := os.ReadFile(table)
	if err != nil {
		return nil, fmt.Errorf("read the table of resources: %w", err)
	}
	seen := map[string]bool{}
	var services []string
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) == 4 && !strings.HasPrefix(fields[0], "#") && !seen[fields[2]] {
			seen[fields[2]] = true
			services = append(services, fields[2])
		}
	}
	return services, scanner.Err()
}

// download fetches a module's source. The public checksum database does not know it, so its sum stands here.
func (b builder) download(ctx context.Context, module, sum string) (string, error) {
	b.say("downloading %s ...", module)
	command := Command(ctx, "go", "mod", "download", "-json", module)
	command.Dir = os.TempDir() // outside any module
	command.Env = append(append(command.Env, goEnvironment...), "GONOSUMDB=*")
	text, err := command.Output()
	var answer struct{ Dir, Sum, Error string }
	if decoding := json.Unmarshal(text, &answer); err == nil {
		err = decoding
	}
	switch {
	case answer.Error != "":
		return "", fmt.Errorf("download %s: %s", module, answer.Error)
	case err != nil:
		return "", fmt.Errorf("download %s: %w", module, err)
	case answer.Sum != sum:
		return "", fmt.Errorf("download %s: its sum is %s, not %s", module, answer.Sum, sum)
	}
	return answer.Dir, nil
}

// python is an interpreter that has moto.
func (b builder) python(ctx context.Context) (string, error) {
	return b.environment(ctx, "moto", "emulator/requirements.txt")
}

// environment makes a virtual environment with what the file of requirements names, one for each Python version, and
// returns its interpreter.
func (b builder) environment(ctx context.Context, what, requirements string) (string, error) {
	const need = "Python 3.10 or newer with its venv module is needed (Debian: apt-get install python3-venv)"
	version, err := Command(ctx, "python3", "-c", "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])").Output()
	if err != nil {
		return "", fmt.Errorf("run python3: %w\n%s", err, need)
	}
	name := what + "-python" + strings.TrimSpace(string(version))
	folder, err := b.once(ctx, name, []string{requirements}, func(ctx context.Context, folder string) error {
		if err := b.run(ctx, folder, "making a Python environment", nil, "python3", "-m", "venv", folder); err != nil {
			return fmt.Errorf("%w\n%s", err, need)
		}
		return b.run(ctx, folder, "installing "+what, []string{"PIP_DISABLE_PIP_VERSION_CHECK=1"},
			filepath.Join(folder, "bin", "python"), "-m", "pip", "install", "-r", filepath.Join(b.source, requirements))
	})
	return filepath.Join(folder, "bin", "python"), err
}

// Prowler is an interpreter that has the program that audits an account: it is large, and only the audit needs it.
func Prowler(ctx context.Context, source string, say func(format string, args ...any)) (string, error) {
	b, err := newBuilder(source, say)
	if err != nil {
		return "", err
	}
	return b.environment(ctx, "prowler", "audit/requirements.txt")
}
