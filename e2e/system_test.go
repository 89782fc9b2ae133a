package e2e_test

import (
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/stack"
)

// system is what a running stack looks like from outside: AWS's own answers, and the outputs to find things by.
type system struct {
	*cloud.Account
	folder  string // the copy of the checkout that was deployed
	outputs map[string]any
}

func (s system) output(name string) string { return s.outputs[name].(string) }

// must returns the answer of an AWS call.
func must[T any](t *testing.T, what string) func(T, error) T {
	t.Helper()
	return func(answer T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return answer
	}
}

// checkSystem asks AWS for each row of the table in the design's section 2.
func checkSystem(t *testing.T, account *cloud.Account, deployed *stack.Stack) {
	t.Helper()
	s := system{Account: account, folder: deployed.Folder, outputs: deployed.Outputs(t)}
	for _, row := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"web instance", s.webInstance},
		{"model", s.model},
		{"images", s.images},
		{"database", s.database},
		{"shared files", s.sharedFiles},
		{"logs", s.logs},
		{"VPC endpoints", s.vpcEndpoints},
		{"Session Manager", s.sessionManager},
		{"routes and firewall", s.network},
		{"AWS Backup", s.backup},
		{"the app in the artifacts bucket", s.app},
	} {
		t.Run(row.name, row.run)
	}
}

func (s system) instance(t *testing.T, id string) ec2types.Instance {
	t.Helper()
	all := must[[]ec2types.Instance](t, "list instances")(s.Instances(t.Context()))
	at := slices.IndexFunc(all, func(x ec2types.Instance) bool { return aws.ToString(x.InstanceId) == id })
	if at < 0 {
		t.Fatalf("there is no instance %q", id)
	}
	return all[at]
}

func (s system) web(t *testing.T) ec2types.Instance {
	t.Helper()
	return s.instance(t, s.outputs["webInstanceIds"].([]any)[0].(string))
}

// userData is what the instance boots with.
func (s system) userData(t *testing.T, instance ec2types.Instance) string {
	t.Helper()
	answer := must[*ec2.DescribeInstanceAttributeOutput](t, "read user data")(s.EC2.DescribeInstanceAttribute(t.Context(),
		&ec2.DescribeInstanceAttributeInput{InstanceId: instance.InstanceId, Attribute: ec2types.InstanceAttributeNameUserData}))
	text := must[[]byte](t, "decode user data")(base64.StdEncoding.DecodeString(aws.ToString(answer.UserData.Value)))
	if len(text) == 0 || len(text) > 16384 {
		t.Errorf("the user data of %s has %d bytes", *instance.InstanceId, len(text))
	}
	return string(text)
}

// hardened checks what holds for both kinds of instance, and returns the ids of its data volumes.
func (s system) hardened(t *testing.T, instance ec2types.Instance) (data []string) {
	t.Helper()
	options := instance.MetadataOptions
	if options == nil || options.HttpTokens != ec2types.HttpTokensStateRequired || aws.ToInt32(options.HttpPutResponseHopLimit) != 1 {
		t.Errorf("the metadata service of %s is open: %+v", *instance.InstanceId, options)
	}
	if instance.IamInstanceProfile == nil {
		t.Errorf("%s has no instance profile", *instance.InstanceId)
	}
	volumes := must[*ec2.DescribeVolumesOutput](t, "list volumes")(s.EC2.DescribeVolumes(t.Context(), &ec2.DescribeVolumesInput{
		Filters: []ec2types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{*instance.InstanceId}}}}))
	for _, volume := range volumes.Volumes {
		if !aws.ToBool(volume.Encrypted) {
			t.Errorf("the volume %s is not encrypted", *volume.VolumeId)
		}
		if aws.ToString(volume.Attachments[0].Device) != aws.ToString(instance.RootDeviceName) {
			data = append(data, *volume.VolumeId)
		}
	}
	return data
}

func (s system) webInstance(t *testing.T) {
	web := s.web(t)
	s.hardened(t, web)
	if web.InstanceType != ec2types.InstanceTypeT3Small {
		t.Errorf("the web instance is a %s", web.InstanceType)
	}
	if want := "http://" + aws.ToString(web.PublicIpAddress) + ":8080"; s.output("url") != want {
		t.Errorf("the url is %s, the instance's is %s", s.output("url"), want)
	}
	for _, needed := range []string{s.output("imageBucket"), s.output("endpointName"), s.output("fileSystemId"), s.output("logGroup"), "VINFAST_DB_HOST"} {
		if !strings.Contains(s.userData(t, web), needed) {
			t.Errorf("the web instance's user data does not have %q", needed)
		}
	}
}

func (s system) model(t *testing.T) {
	ctx := t.Context()
	endpoint := must[*sagemaker.DescribeEndpointOutput](t, "describe the endpoint")(s.SageMaker.DescribeEndpoint(ctx,
		&sagemaker.DescribeEndpointInput{EndpointName: aws.String(s.output("endpointName"))}))
	configuration := must[*sagemaker.DescribeEndpointConfigOutput](t, "describe its configuration")(s.SageMaker.DescribeEndpointConfig(ctx,
		&sagemaker.DescribeEndpointConfigInput{EndpointConfigName: endpoint.EndpointConfigName}))
	if len(configuration.ProductionVariants) != 1 {
		t.Fatalf("the endpoint has %d variants", len(configuration.ProductionVariants))
	}
	variant := configuration.ProductionVariants[0]
	if *variant.VariantName != "AllTraffic" || variant.InstanceType != "ml.m5.xlarge" {
		t.Errorf("the endpoint's variant is %s on %s", *variant.VariantName, variant.InstanceType)
	}
	model := must[*sagemaker.DescribeModelOutput](t, "describe the model")(s.SageMaker.DescribeModel(ctx,
		&sagemaker.DescribeModelInput{ModelName: variant.ModelName}))
	const image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2.1.0-transformers4.37.0-cpu-py310-ubuntu22.04"
	if got := aws.ToString(model.PrimaryContainer.Image); got != image {
		t.Errorf("the container is %s, not %s", got, image)
	}
	if got := model.PrimaryContainer.Environment["HF_MODEL_ID"]; got != "hungtu/vinfast-car-classifier" {
		t.Errorf("the model is %q", got)
	}
}

func (s system) images(t *testing.T) {
	for _, bucket := range []string{s.output("imageBucket"), s.artifacts(t)} {
		s.privateBucket(t, bucket)
	}
}

// privateBucket checks that a bucket is private, versioned, encrypted, open to TLS only, and seen by AWS Backup.
func (s system) privateBucket(t *testing.T, bucket string) {
	t.Helper()
	ctx := t.Context()
	versioning := must[*s3.GetBucketVersioningOutput](t, "read versioning")(s.S3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &bucket}))
	if versioning.Status != s3types.BucketVersioningStatusEnabled {
		t.Errorf("%s: versioning is %q", bucket, versioning.Status)
	}
	block := must[*s3.GetPublicAccessBlockOutput](t, "read the access block")(s.S3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &bucket}))
	if c := block.PublicAccessBlockConfiguration; !aws.ToBool(c.BlockPublicAcls) || !aws.ToBool(c.BlockPublicPolicy) || !aws.ToBool(c.IgnorePublicAcls) || !aws.ToBool(c.RestrictPublicBuckets) {
		t.Errorf("%s is not blocked for the public: %+v", bucket, c)
	}
	encryption := must[*s3.GetBucketEncryptionOutput](t, "read encryption")(s.S3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &bucket}))
	if len(encryption.ServerSideEncryptionConfiguration.Rules) == 0 {
		t.Errorf("%s is not encrypted", bucket)
	}
	policy := must[*s3.GetBucketPolicyOutput](t, "read the policy")(s.S3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket}))
	if !strings.Contains(*policy.Policy, "aws:SecureTransport") {
		t.Errorf("%s takes requests without TLS: %s", bucket, *policy.Policy)
	}
	events := must[*s3.GetBucketNotificationConfigurationOutput](t, "read events")(s.S3.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: &bucket}))
	if events.EventBridgeConfiguration == nil {
		t.Errorf("%s sends no events", bucket)
	}
}

func (s system) database(t *testing.T) {
	instance := s.instance(t, s.output("databaseInstanceId"))
	data := s.hardened(t, instance)
	if len(data) != 1 {
		t.Errorf("the database instance has the data volumes %q", data)
	}
	if instance.PublicIpAddress != nil {
		t.Errorf("the database instance has the public address %s", *instance.PublicIpAddress)
	}
	text := s.userData(t, instance)
	for _, needed := range append(parameters(t, s.Account), data...) {
		if !strings.Contains(text, needed) {
			t.Errorf("the database instance's user data does not have %q", needed)
		}
	}
	if !strings.Contains(s.userData(t, s.web(t)), aws.ToString(instance.PrivateIpAddress)) {
		t.Error("the web instance does not know the database's address")
	}
	for _, name := range parameters(t, s.Account) {
		parameter := must[*ssm.GetParameterOutput](t, "read a parameter")(s.SSM.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)}))
		if parameter.Parameter.Type != ssmtypes.ParameterTypeSecureString || *parameter.Parameter.Value != "unset" {
			t.Errorf("%s is a %s with the value %q", name, parameter.Parameter.Type, *parameter.Parameter.Value)
		}
	}
}

func (s system) sharedFiles(t *testing.T) {
	ctx := t.Context()
	id := aws.String(s.output("fileSystemId"))
	systems := must[*efs.DescribeFileSystemsOutput](t, "describe the file system")(s.EFS.DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{FileSystemId: id}))
	if !aws.ToBool(systems.FileSystems[0].Encrypted) {
		t.Error("the file system is not encrypted")
	}
	targets := must[*efs.DescribeMountTargetsOutput](t, "list mount targets")(s.EFS.DescribeMountTargets(ctx, &efs.DescribeMountTargetsInput{FileSystemId: id}))
	if len(targets.MountTargets) != 2 {
		t.Errorf("the file system has %d mount targets, not one in each of two zones", len(targets.MountTargets))
	}
	points := must[*efs.DescribeAccessPointsOutput](t, "list access points")(s.EFS.DescribeAccessPoints(ctx, &efs.DescribeAccessPointsInput{FileSystemId: id}))
	if len(points.AccessPoints) != 1 || !strings.Contains(s.userData(t, s.web(t)), aws.ToString(points.AccessPoints[0].AccessPointId)) {
		t.Errorf("the web instance does not mount the one access point of %d", len(points.AccessPoints))
	}
	policy := must[*efs.DescribeFileSystemPolicyOutput](t, "read its policy")(s.EFS.DescribeFileSystemPolicy(ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: id}))
	for _, needed := range []string{"aws:SecureTransport", "elasticfilesystem:AccessPointArn"} {
		if !strings.Contains(*policy.Policy, needed) {
			t.Errorf("the file system's policy does not ask for %s", needed)
		}
	}
}

func (s system) logs(t *testing.T) {
	groups := must[*cloudwatchlogs.DescribeLogGroupsOutput](t, "list log groups")(s.Logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}))
	var names []string
	for _, group := range groups.LogGroups {
		names = append(names, *group.LogGroupName)
		if aws.ToInt32(group.RetentionInDays) != 30 {
			t.Errorf("%s keeps its lines for %d days", *group.LogGroupName, aws.ToInt32(group.RetentionInDays))
		}
	}
	for _, needed := range []string{s.output("logGroup"), "/aws/sagemaker/Endpoints/" + s.output("endpointName")} {
		if !slices.Contains(names, needed) {
			t.Errorf("there is no log group %s among %q", needed, names)
		}
	}
}

// artifacts is the bucket that is not in the outputs.
func (s system) artifacts(t *testing.T) string {
	t.Helper()
	buckets := must[*s3.ListBucketsOutput](t, "list buckets")(s.S3.ListBuckets(t.Context(), &s3.ListBucketsInput{}))
	var others []string
	for _, bucket := range buckets.Buckets {
		if *bucket.Name != s.output("imageBucket") {
			others = append(others, *bucket.Name)
		}
	}
	if len(others) != 1 {
		t.Fatalf("beside the image bucket there are %q", others)
	}
	return others[0]
}

// app checks that what an instance will fetch is the binary that was built, under its digest, and that it asks for it.
func (s system) app(t *testing.T) {
	built, err := filepath.Glob(filepath.Join(s.folder, ".local", "deploy", "vinfast-linux-*"))
	if err != nil || len(built) != 1 {
		t.Fatalf("the program built %q, %v", built, err)
	}
	binary := must[[]byte](t, "read the app")(os.ReadFile(built[0]))
	key := "app/" + digest(binary) + "/vinfast"
	object := must[*s3.GetObjectOutput](t, "get "+key)(s.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(s.artifacts(t)), Key: &key}))
	defer object.Body.Close()
	uploaded := must[[]byte](t, "read "+key)(io.ReadAll(object.Body))
	if !slices.Equal(binary, uploaded) {
		t.Errorf("the object has %d bytes and is not the app, which has %d", len(uploaded), len(binary))
	}
	for _, needed := range []string{key, digest(binary)} {
		if !strings.Contains(s.userData(t, s.web(t)), needed) {
			t.Errorf("the web instance's user data does not have %q", needed)
		}
	}
}
