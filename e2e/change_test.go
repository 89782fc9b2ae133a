package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/stack"
)

// change is one thing that a user does to a running stack, and everything that follows from it. stack.Diff explains the
// signs. The stack's outputs are not listed, since they follow from the ids.
type change struct {
	name string
	make func(*testing.T, *stack.Stack)
	want []string
}

func set(path, value string) func(*testing.T, *stack.Stack) {
	return func(t *testing.T, s *stack.Stack) { s.Set(t, path, value) }
}

// anotherApp is what follows from another digest of the app.
var anotherApp = []string{
	"+- s3/bucketObjectv2:BucketObjectv2 app [key source]",
	"+- ec2/instance:Instance web-1 [userData]",
	"+- ec2/eipAssociation:EipAssociation web [instanceId]",
	"+- backup/selection:Selection everything [resources]",
}

// changes follow one another on one stack.
var changes = []change{
	{"one line of the app", editApp, anotherApp},
	{"a larger web instance", set("web.instanceType", "t3.medium"), []string{
		"~ ec2/instance:Instance web-1 [instanceType]",
	}},
	{"a larger database instance", set("database.instanceType", "t3.medium"), []string{
		"~ ec2/instance:Instance database [instanceType]",
	}},
	{"the endpoint off", set("model.enabled", "false"), []string{
		"- sagemaker/endpoint:Endpoint endpoint",
	}},
	{"the endpoint on", set("model.enabled", "true"), []string{
		"+ sagemaker/endpoint:Endpoint endpoint",
	}},
	{"a model of one's own", ownModel, []string{
		"+ s3/bucketObjectv2:BucketObjectv2 model",
		"~ iam/rolePolicy:RolePolicy model [policy]",
		"+- sagemaker/model:Model model [enableNetworkIsolation primaryContainer]",
		"+- sagemaker/endpointConfiguration:EndpointConfiguration endpoint [productionVariants]",
		"~ sagemaker/endpoint:Endpoint endpoint [endpointConfigName]",
	}},
	{"the internet off", set("network.internet", "false"), []string{
		"- ec2/route:Route internet",
	}},
	{"the internet on", set("network.internet", "true"), []string{
		"+ ec2/route:Route internet",
	}},
	{"backups at another hour", set("backup.schedule", "cron(0 22 * * ? *)"), []string{
		"~ backup/plan:Plan plan [rules]",
	}},
	{"logs kept longer", set("logs.retentionDays", "90"), []string{
		"~ cloudwatch/logGroup:LogGroup app [retentionInDays]",
		"~ cloudwatch/logGroup:LogGroup database [retentionInDays]",
		"~ cloudwatch/logGroup:LogGroup endpoint [retentionInDays]",
	}},
}

// TestChange changes one thing after another on a running stack: the preview announces exactly what a reader expects, up
// does exactly that, and then there is nothing left to do.
func TestChange(t *testing.T) {
	t.Parallel()
	account := cloud.Start(t, theTools.Python, ".", region)
	s := newStack(t, account, "dev")
	s.Must(t, "change: up", deployLimit, "up", "--yes", "--skip-preview")
	address, files := addressOf(t, account), s.Outputs(t)["fileSystemId"]
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) { apply(t, s, c) })
	}
	if after := addressOf(t, account); after != address {
		t.Errorf("the public address was %s and is %s", address, after)
	}
	if after := s.Outputs(t)["fileSystemId"]; after != files {
		t.Errorf("the file system was %s and is %s", files, after)
	}
	t.Run("the database on another image", func(t *testing.T) { replaceDatabase(t, account, s) })
}

func apply(t *testing.T, s *stack.Stack, c change) {
	t.Helper()
	c.make(t, s)
	sameDiff(t, "preview announces", c.want, s.Diff(t, "change: "+c.name+", preview", planLimit, "preview"))
	sameDiff(t, "up does", c.want, s.Diff(t, "change: "+c.name+", up", deployLimit, "up", "--yes", "--skip-preview"))
	sameDiff(t, "the next preview announces", nil, s.Diff(t, "change: "+c.name+", preview again", planLimit, "preview"))
}

func sameDiff(t *testing.T, who string, want, got []string) {
	t.Helper()
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(want, got) {
		t.Errorf("%s\n\t%s\nand not\n\t%s", who, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// editApp changes what the app says when it is asked for help.
func editApp(t *testing.T, s *stack.Stack) {
	t.Helper()
	const line, other = "serve     run the web app\n", "serve     run the changed web app\n"
	file := filepath.Join(s.Folder, "app", "main.go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), line) != 1 {
		t.Fatalf("%s has not one line %q to change", file, line)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), line, other, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ownModel sets the path of a folder with a model in it.
func ownModel(t *testing.T, s *stack.Stack) {
	t.Helper()
	folder := filepath.Join(filepath.Dir(s.Folder), "own-model")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "model.safetensors", "preprocessor_config.json"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("{}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.Set(t, "model.dataPath", folder)
}

func addressOf(t *testing.T, account *cloud.Account) string {
	t.Helper()
	answer := must[*ec2.DescribeAddressesOutput](t, "list addresses")(account.EC2.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{}))
	if len(answer.Addresses) != 1 {
		t.Fatalf("there are %d addresses, not one", len(answer.Addresses))
	}
	return aws.ToString(answer.Addresses[0].PublicIp)
}

// replaceDatabase replaces the instance that MySQL runs on. What MySQL keeps and what others know it by stay the same.
func replaceDatabase(t *testing.T, account *cloud.Account, s *stack.Stack) {
	putParameters(t, account)
	before := databaseOf(t, account, s)
	apply(t, s, change{"another database image", set("database.amiId", otherImage(t, account, s)), []string{
		// Address and volume serve one instance at a time, so the old one goes first, and before it what holds its id.
		"-+ backup/selection:Selection everything",
		"-+ ec2/volumeAttachment:VolumeAttachment data",
		"-+ ec2/instance:Instance database [ami]",
	}})
	after := databaseOf(t, account, s)
	if after.instance == before.instance {
		t.Errorf("the instance is still %s", after.instance)
	}
	after.instance = before.instance
	if after != before {
		t.Errorf("the database was\n%+v\nand is\n%+v", before, after)
	}
}

// putParameters does what the instance does at its first boot, behind Pulumi's back.
func putParameters(t *testing.T, account *cloud.Account) {
	t.Helper()
	for _, name := range parameters(t, account) {
		_, err := account.SSM.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: &name, Value: aws.String("made at the first boot: " + name), Type: ssmtypes.ParameterTypeSecureString, Overwrite: aws.Bool(true)})
		if err != nil {
			t.Fatalf("put parameter %q: %v", name, err)
		}
	}
}

// databaseParts are the database instance and what outlives it.
type databaseParts struct {
	instance, volume, networkInterface, address string
	parameters                                  string // names, values and versions
}

// databaseOf finds volume and interface from the instance: they are attached, not only there.
func databaseOf(t *testing.T, account *cloud.Account, s *stack.Stack) databaseParts {
	t.Helper()
	parts := databaseParts{instance: s.Outputs(t)["databaseInstanceId"].(string)}
	instance := system{Account: account}.instance(t, parts.instance)
	parts.networkInterface = aws.ToString(instance.NetworkInterfaces[0].NetworkInterfaceId)
	parts.address = aws.ToString(instance.PrivateIpAddress)
	for _, device := range instance.BlockDeviceMappings {
		if aws.ToString(device.DeviceName) == "/dev/sdf" {
			parts.volume = aws.ToString(device.Ebs.VolumeId)
		}
	}
	if parts.volume == "" {
		t.Errorf("the instance %s has no data volume", parts.instance)
	}
	for _, name := range parameters(t, account) {
		answer := must[*ssm.GetParameterOutput](t, "read a parameter")(account.SSM.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)}))
		parts.parameters += name + " = " + aws.ToString(answer.Parameter.Value) + "\n"
	}
	return parts
}

// otherImage is an image of the same architecture that the instance does not run.
func otherImage(t *testing.T, account *cloud.Account, s *stack.Stack) string {
	t.Helper()
	instance := system{Account: account}.instance(t, s.Outputs(t)["databaseInstanceId"].(string))
	images := must[*ec2.DescribeImagesOutput](t, "list images")(account.EC2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{
		Filters: []ec2types.Filter{{Name: aws.String("architecture"), Values: []string{"x86_64"}}}}))
	for _, image := range images.Images {
		if id := aws.ToString(image.ImageId); id != aws.ToString(instance.ImageId) && image.RootDeviceType == ec2types.DeviceTypeEbs {
			return id
		}
	}
	t.Fatal("the emulator has one image only")
	return ""
}
