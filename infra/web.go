package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WebArgs: all fields are required.
type WebArgs struct {
	Config         WebConfig
	Stack          Config // for the rights of the SSM agent
	Site           Site
	Identity       Identity
	Subnets        []*ec2.Subnet // public ones if the config asks for an address, else private
	Group          pulumi.IDOutput
	Gateway        *ec2.InternetGateway
	App            Artifact
	ArtifactBucket pulumi.IDOutput
	ArtifactARN    pulumi.StringOutput
	ImageBucket    pulumi.IDOutput
	ImageARN       pulumi.StringOutput
	FileSystem     pulumi.IDOutput
	FileSystemARN  pulumi.StringOutput
	AccessPoint    pulumi.IDOutput
	AccessPointARN pulumi.StringOutput
	LogGroup       pulumi.StringOutput // ARN
	LogGroupName   pulumi.StringOutput
	EndpointName   string
	DatabaseHost   pulumi.StringOutput
	PasswordARN    pulumi.StringOutput
	CAARN          pulumi.StringOutput
	Ready          []pulumi.Resource // what must work before an instance boots
}

// Web is the instances that serve the app, and the address of the first.
type Web struct {
	pulumi.ResourceState

	Instances    []pulumi.IDOutput
	InstanceARNs []pulumi.StringOutput
	Address      pulumi.StringOutput // public IPv4, empty when nobody is allowed in
}

// NewWeb makes the instances.
func NewWeb(ctx *pulumi.Context, name string, args WebArgs, opts ...pulumi.ResourceOption) (*Web, error) {
	c := &Web{Address: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource("vinfast:infra:Web", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	access, err := newRolePolicy(ctx, "web", args.Identity.Role, c, c.rights(args)...)
	if err != nil {
		return nil, err
	}
	for i := range args.Config.Count {
		instance, err := instanceArgs(ctx, args.Site, "web", args.Config.InstanceType, args.Config.AMIID, args.Identity)
		if err != nil {
			return nil, err
		}
		instance.SubnetId = args.Subnets[i%len(args.Subnets)].ID()
		instance.VpcSecurityGroupIds = pulumi.StringArray{args.Group}
		// Whether it gets a public address is not said here: no subnet gives one, and
		// a "false" would differ from what AWS reports once publish has run.
		instance.SourceDestCheck = pulumi.Bool(true)
		instance.UserData = c.userData(args)
		web, err := ec2.NewInstance(ctx, webName(args.Config, i), instance, pulumi.Parent(c), keepImage(args.Config.AMIID),
			pulumi.DependsOn(append([]pulumi.Resource{access, args.App.Object}, args.Ready...)))
		if err != nil {
			return nil, fmt.Errorf("creating web instance %d: %w", i+1, err)
		}
		c.Instances = append(c.Instances, web.ID())
		c.InstanceARNs = append(c.InstanceARNs, web.Arn)
	}
	if args.Config.public() {
		if err := c.publish(ctx, args); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"address": c.Address})
}

// webName is the logical name of an instance. It tells the architecture apart:
// a kept image (see keepImage) would not start on a processor of another kind,
// under another name the instance is a new one with an image of its own.
func webName(c WebConfig, i int) string {
	if isARM(c.InstanceType) {
		return fmt.Sprintf("web-%d-arm64", i+1)
	}
	return fmt.Sprintf("web-%d", i+1)
}

// publish gives the first instance an address that stays when it is replaced.
func (c *Web) publish(ctx *pulumi.Context, args WebArgs) error {
	afterGateway := pulumi.DependsOn([]pulumi.Resource{args.Gateway})
	address, err := ec2.NewEip(ctx, "web", &ec2.EipArgs{
		Domain: pulumi.String("vpc"),
		Tags:   args.Site.tags("web"),
	}, pulumi.Parent(c), afterGateway)
	if err != nil {
		return fmt.Errorf("creating address: %w", err)
	}
	if _, err := ec2.NewEipAssociation(ctx, "web", &ec2.EipAssociationArgs{
		AllocationId: address.ID(),
		InstanceId:   c.Instances[0],
	}, pulumi.Parent(c), afterGateway); err != nil {
		return fmt.Errorf("associating address: %w", err)
	}
	c.Address = address.PublicIp
	return nil
}

func (c *Web) rights(args WebArgs) []statement {
	return append(managedInstance(args.Stack),
		statement{
			Sid:       "ReadApp",
			Actions:   []string{"s3:GetObject"},
			Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s/*", args.ArtifactARN, appFolder)},
		},
		statement{
			Sid:       "Images",
			Actions:   []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"},
			Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s*", args.ImageARN, imagePrefix)},
		},
		statement{
			// Without it, S3 answers 403 instead of 404 for an image that is not there.
			Sid:       "ListImages",
			Actions:   []string{"s3:ListBucket"},
			Resources: []pulumi.StringInput{args.ImageARN},
		},
		statement{
			Sid:       "SharedFiles",
			Actions:   []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"},
			Resources: []pulumi.StringInput{args.FileSystemARN},
			Conditions: map[string]map[string][]pulumi.StringInput{
				"StringEquals": {"elasticfilesystem:AccessPointArn": {args.AccessPointARN}},
				"Bool":         {"aws:SecureTransport": list("true")},
			},
		},
		statement{
			Sid:       "Classify",
			Actions:   []string{"sagemaker:InvokeEndpoint"},
			Resources: list(args.Site.arn("sagemaker", "endpoint/"+args.EndpointName)),
		},
		statement{
			Sid:       "DatabaseAccess",
			Actions:   []string{"ssm:GetParameter"},
			Resources: []pulumi.StringInput{args.PasswordARN, args.CAARN},
		},
		// The doctor looks for its own line.
		writeLogs("AppLog", args.LogGroup, "logs:FilterLogEvents"),
	)
}

// environment is the app's, in the order of app/config.go, but for the name of
// the log file, which holds the instance's id and is written at boot, and for
// limits, whose defaults are the app's own.
func environment(site Site, endpoint, imageBucket, databaseHost, logGroup string) []Variable {
	return []Variable{
		{"VINFAST_LISTEN", fmt.Sprintf(":%d", webPort)},
		{"AWS_REGION", site.Region},
		{"VINFAST_ENDPOINT", endpoint},
		{"VINFAST_BUCKET", imageBucket},
		{"VINFAST_DB_HOST", databaseHost},
		{"VINFAST_DB_NAME", databaseName},
		{"VINFAST_DB_USER", databaseUser},
		{"VINFAST_DB_PASSWORD_PARAMETER", passwordParameter(site.Stack)},
		{"VINFAST_DB_CA_PARAMETER", caParameter(site.Stack)},
		{"VINFAST_SHARED_DIR", "/srv/vinfast"},
		{"VINFAST_LOG_GROUP", logGroup},
	}
}

func (c *Web) userData(args WebArgs) pulumi.StringOutput {
	return pulumi.All(args.ArtifactBucket, args.ImageBucket, args.FileSystem, args.AccessPoint, args.LogGroupName, args.DatabaseHost).ApplyT(
		func(v []any) (string, error) {
			return WebUserData{
				Region:         args.Site.Region,
				ArtifactBucket: string(v[0].(pulumi.ID)),
				AppKey:         args.App.Key,
				AppSHA256:      args.App.SHA256,
				AppUser:        appUser,
				FileSystem:     string(v[2].(pulumi.ID)),
				AccessPoint:    string(v[3].(pulumi.ID)),
				LogGroup:       v[4].(string),
				Environment:    environment(args.Site, args.EndpointName, string(v[1].(pulumi.ID)), v[5].(string), v[4].(string)),
			}.Render()
		}).(pulumi.StringOutput)
}
