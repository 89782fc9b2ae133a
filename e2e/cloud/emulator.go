// Package cloud is the emulated AWS account: it starts moto behind its shim, asks it through AWS's own SDK, and lists all
// that is in it.
package cloud

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"vinfast-classifier/e2e/tools"
)

// startLimit ends a hang; no test is decided by how fast the emulator starts.
const startLimit = 5 * time.Minute

// Account is one emulated account. It is empty at first, but for what every account has.
type Account struct {
	Endpoint string // http://127.0.0.1:port
	Region   string

	Backup    *backup.Client
	EC2       *ec2.Client
	EFS       *efs.Client
	IAM       *iam.Client
	Logs      *cloudwatchlogs.Client
	S3        *s3.Client
	SageMaker *sagemaker.Client
	SSM       *ssm.Client
}

// Start runs an emulator until the test ends. Its log is shown if the test fails.
func Start(t *testing.T, python, source, region string) *Account {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "emulator.log"))
	if err != nil {
		t.Fatal(err)
	}
	command := tools.Command(context.Background(), python, "-B", filepath.Join(source, "emulator", "emulator.py"))
	command.Stderr = log
	input, err := command.StdinPipe() // the emulator ends when this closes, however this process ends
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start the emulator: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(input.Close(), command.Wait(), log.Close()); err != nil {
			t.Errorf("end the emulator: %v", err)
		}
		if t.Failed() {
			t.Logf("the emulator's last refusals:\n%s", refusals(log.Name()))
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	go func() {
		<-ctx.Done()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			_ = command.Process.Kill() // the read below then ends
		}
	}()
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the emulator did not say its port within %s: %v\n%s", startLimit, err, refusals(log.Name()))
	}
	return connect("http://127.0.0.1:"+strings.TrimSpace(port), region)
}

func connect(endpoint, region string) *Account {
	settings := aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("emulator", "emulator", ""),
	}
	return &Account{
		Endpoint:  endpoint,
		Region:    region,
		Backup:    backup.NewFromConfig(settings),
		EC2:       ec2.NewFromConfig(settings),
		EFS:       efs.NewFromConfig(settings),
		IAM:       iam.NewFromConfig(settings),
		Logs:      cloudwatchlogs.NewFromConfig(settings),
		S3:        s3.NewFromConfig(settings, func(o *s3.Options) { o.UsePathStyle = true }),
		SageMaker: sagemaker.NewFromConfig(settings),
		SSM:       ssm.NewFromConfig(settings),
	}
}

// refusals is the end of the emulator's log: requests it refused (many of them rightly) and its own failures.
func refusals(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := slices.Collect(strings.Lines(string(text)))
	return strings.Join(lines[max(0, len(lines)-40):], "")
}
