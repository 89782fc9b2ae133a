// Command pulumi-language-go is the least language host that runs a Go program: it builds the program and starts it with
// the engine's addresses and the stack's configuration in the environment. The harness puts it on PATH beside a Pulumi CLI
// that was built from its module, since the official host is no module of its own that can be had. It downloads no
// plugins, answers no questions about dependencies, and generates no code.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until the engine interrupts or is gone. The engine reads the port from the first line of standard output.
func run() error {
	flags := flag.NewFlagSet("pulumi-language-go", flag.ContinueOnError)
	flags.String("tracing", "", "ignored")
	flags.String("binary", "", "ignored")
	flags.String("root", "", "ignored")
	flags.String("buildTarget", "", "ignored")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	engine := flags.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cancel := make(chan bool)
	go func() {
		<-ctx.Done()
		close(cancel)
	}()
	if err := rpcutil.Healthcheck(ctx, engine, healthInterval, stop); err != nil {
		return fmt.Errorf("watch the engine at %q: %w", engine, err)
	}
	served, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{engine: engine})
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("serve the language host: %w", err)
	}
	fmt.Println(served.Port)
	return <-served.Done
}

// healthInterval is how often the host looks whether the engine is still there.
const healthInterval = 5 * time.Second

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
}

// GetPluginInfo says nothing: the host's version is that of the harness.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages names none: the harness has installed the one plugin before.
func (h *host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Run builds the program and waits for it. A program that ends with an error has already told the user.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	folder, err := os.MkdirTemp("", "pulumi-program-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the program: %w", err)
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "program")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, request.Info.GetEntryPoint())
	build.Dir = request.Info.GetProgramDirectory()
	if text, err := build.CombinedOutput(); err != nil {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("go build %s: %v\n%s", request.Info.GetEntryPoint(), err, text)}, nil
	}
	environment, err := h.environment(request)
	if err != nil {
		return nil, err
	}
	program := exec.CommandContext(ctx, binary)
	program.Dir, program.Env = request.Pwd, append(os.Environ(), environment...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	err = program.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &pulumirpc.RunResponse{Bail: exit.ExitCode() == constant.ExitStatusLoggedError,
			Error: fmt.Sprintf("the program ended with %v", err)}, nil
	}
	return &pulumirpc.RunResponse{}, err
}

// environment is what the Go SDK's pulumi.Run reads.
func (h *host) environment(request *pulumirpc.RunRequest) ([]string, error) {
	config, err := json.Marshal(request.Config)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	secret, err := json.Marshal(request.ConfigSecretKeys)
	if err != nil {
		return nil, fmt.Errorf("write the names of the secrets: %w", err)
	}
	return []string{
		pulumi.EnvOrganization + "=" + request.Organization,
		pulumi.EnvProject + "=" + request.Project,
		pulumi.EnvPulumiRootDirectory + "=" + request.Info.GetRootDirectory(),
		pulumi.EnvStack + "=" + request.Stack,
		pulumi.EnvConfig + "=" + string(config),
		pulumi.EnvConfigSecretKeys + "=" + string(secret),
		pulumi.EnvDryRun + "=" + strconv.FormatBool(request.DryRun),
		pulumi.EnvParallel + "=" + strconv.Itoa(int(request.Parallel)),
		pulumi.EnvMonitor + "=" + request.MonitorAddress,
		pulumi.EnvEngine + "=" + h.engine,
	}, nil
}
