package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/stack"
)

// Bounds of one pulumi command. They end a hang; no test is decided by how fast it is.
const (
	planLimit   = 5 * time.Minute // preview, refresh
	deployLimit = 10 * time.Minute
)

// outputs are the stack outputs that users and other tools hold on to.
var outputs = []string{"url", "webInstanceIds", "databaseInstanceId", "imageBucket", "endpointName", "logGroup", "fileSystemId",
	"backupPlanId", "backupVault", "openCommand", "shellCommands", "doctorCommand", "expect"}

// TestLifecycle takes one stack from nothing to nothing. Its steps follow one another: the first that fails ends it.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	account := cloud.Start(t, theTools.Python, ".", region)
	before := inventory(t, account)
	s := newStack(t, account, "dev")
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"first preview makes nothing", func(t *testing.T) {
			s.Must(t, "lifecycle: preview, first", planLimit, "preview")
			sameInventory(t, before, inventory(t, account))
		}},
		{"up", func(t *testing.T) {
			s.Must(t, "lifecycle: up", deployLimit, "up", "--yes", "--skip-preview")
			checkOutputs(t, s.Outputs(t))
		}},
		{"every row of the table is there", func(t *testing.T) { checkSystem(t, account, s) }},
		{"nothing changes by itself", func(t *testing.T) {
			s.Must(t, "lifecycle: preview, nothing changed", planLimit, "preview", "--diff", "--expect-no-changes")
			s.Must(t, "lifecycle: refresh, nothing changed", planLimit, "refresh", "--yes", "--diff", "--expect-no-changes")
			s.Must(t, "lifecycle: preview, after refresh", planLimit, "preview", "--diff", "--expect-no-changes")
		}},
		{"the password stays out of the state", func(t *testing.T) { checkPassword(t, account, s) }},
		{"destroy takes all that came to be inside", func(t *testing.T) {
			fill(t, account, s.Outputs(t))
			s.Must(t, "lifecycle: destroy", deployLimit, "destroy", "--yes", "--skip-preview")
			sameInventory(t, before, inventory(t, account))
		}},
	} {
		if !t.Run(step.name, step.run) {
			return
		}
	}
}

func checkOutputs(t *testing.T, got map[string]any) {
	t.Helper()
	for _, name := range outputs {
		switch value := got[name].(type) {
		case string:
			if value == "" {
				t.Errorf("output %s is empty", name)
			}
		case []any:
			if len(value) == 0 {
				t.Errorf("output %s is empty", name)
			}
		default:
			t.Errorf("output %s is %T, neither a text nor a list", name, value)
		}
	}
}

// checkPassword does what the database instance does at its first boot, behind Pulumi's back.
func checkPassword(t *testing.T, account *cloud.Account, s *stack.Stack) {
	t.Helper()
	const password = "Kf7-made-on-the-instance-9Qz"
	names := parameters(t, account)
	if len(names) != 2 {
		t.Fatalf("the parameters are %q, not a password and a certificate", names)
	}
	for _, name := range names {
		_, err := account.SSM.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: &name, Value: aws.String(password), Type: ssmtypes.ParameterTypeSecureString, Overwrite: aws.Bool(true)})
		if err != nil {
			t.Fatalf("put parameter %q: %v", name, err)
		}
	}
	s.Must(t, "lifecycle: preview, password set", planLimit, "preview", "--diff", "--expect-no-changes")
	s.Must(t, "lifecycle: refresh, password set", planLimit, "refresh", "--yes", "--skip-preview")
	s.Must(t, "lifecycle: preview, password refreshed", planLimit, "preview", "--diff", "--expect-no-changes")
	if state := s.Must(t, "", planLimit, "stack", "export"); strings.Contains(state, password) {
		t.Error("the exported state holds the password in plain")
	}
	shown := s.Must(t, "", planLimit, "stack", "export", "--show-secrets")
	if !strings.Contains(shown, password) {
		t.Error("the state does not hold the password even in secret: that it is not there in plain proves nothing")
	}
}

// fill leaves behind what a used system has in it: objects with versions, log events, a recovery point.
func fill(t *testing.T, account *cloud.Account, outputs map[string]any) {
	t.Helper()
	ctx := t.Context()
	buckets, err := account.S3.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		t.Fatalf("list buckets: %v", err)
	}
	for _, bucket := range buckets.Buckets {
		for _, key := range []string{"images/2026/01/02/a.jpg", "images/2026/01/02/a.jpg", "dumps/b.sql.gz"} {
			if _, err := account.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket.Name, Key: &key, Body: strings.NewReader(key)}); err != nil {
				t.Fatalf("put object %q: %v", key, err)
			}
		}
		if _, err := account.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket.Name, Key: aws.String("dumps/b.sql.gz")}); err != nil {
			t.Fatalf("delete an object: %v", err)
		}
	}
	groups, err := account.Logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		t.Fatalf("list log groups: %v", err)
	}
	for _, group := range groups.LogGroups {
		if _, err := account.Logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group.LogGroupName, LogStreamName: aws.String("i-1")}); err != nil {
			t.Fatalf("create a log stream in %q: %v", *group.LogGroupName, err)
		}
		_, err := account.Logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group.LogGroupName, LogStreamName: aws.String("i-1"),
			LogEvents: []logtypes.InputLogEvent{{Message: aws.String("started"), Timestamp: aws.Int64(time.Now().UnixMilli())}}})
		if err != nil {
			t.Fatalf("put a log event into %q: %v", *group.LogGroupName, err)
		}
	}
	_, err = account.Backup.StartBackupJob(ctx, &backup.StartBackupJobInput{
		BackupVaultName: aws.String(outputs["backupVault"].(string)),
		ResourceArn:     aws.String("arn:aws:s3:::" + outputs["imageBucket"].(string)),
		IamRoleArn:      aws.String("arn:aws:iam::123456789012:role/backup"),
	})
	if err != nil {
		t.Fatalf("start a backup job: %v", err)
	}
}

func parameters(t *testing.T, account *cloud.Account) []string {
	t.Helper()
	names, err := account.Parameters(t.Context())
	if err != nil {
		t.Fatalf("list parameters: %v", err)
	}
	return names
}
