package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The schema and the app's user in it.
const (
	databaseName = "prediction_data"
	databaseUser = "vinfast"
)

// unsetParameter is what a parameter holds until the database instance writes
// to it. The instance and the app know this word.
const unsetParameter = "unset"

// Parameters of the database: their names are known before they exist.
func passwordParameter(stack string) string { return "/vinfast/" + stack + "/database/password" }
func caParameter(stack string) string       { return "/vinfast/" + stack + "/database/ca" }

// DatabaseArgs: all fields are required.
type DatabaseArgs struct {
	Config         DatabaseConfig
	Stack          Config // for the rights of the SSM agent
	Site           Site
	Keep           bool
	Identity       Identity
	Subnet         *ec2.Subnet
	Group          pulumi.IDOutput
	MySQL          Artifact
	ArtifactBucket pulumi.IDOutput
	ArtifactARN    pulumi.StringOutput
	ImageBucket    pulumi.IDOutput
	ImageARN       pulumi.StringOutput
	LogGroup       pulumi.StringOutput // ARN
	LogGroupName   pulumi.StringOutput
	Ready          []pulumi.Resource // what must work before the instance boots
}

// Database is MySQL on an instance of its own. Data volume and address outlive
// the instance: a new one finds both.
type Database struct {
	pulumi.ResourceState

	Host        pulumi.StringOutput // private IPv4 address
	Instance    pulumi.IDOutput
	InstanceARN pulumi.StringOutput
	PasswordARN pulumi.StringOutput
	CAARN       pulumi.StringOutput
}

// NewDatabase makes the instance and what outlives it.
func NewDatabase(ctx *pulumi.Context, name string, args DatabaseArgs, opts ...pulumi.ResourceOption) (*Database, error) {
	c := &Database{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Database", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	if err := c.parameters(ctx, args); err != nil {
		return nil, err
	}
	access, err := newRolePolicy(ctx, "database", args.Identity.Role, c, c.rights(args)...)
	if err != nil {
		return nil, err
	}
	address, err := ec2.NewNetworkInterface(ctx, "database", &ec2.NetworkInterfaceArgs{
		SubnetId:        args.Subnet.ID(),
		SecurityGroups:  pulumi.StringArray{args.Group},
		SourceDestCheck: pulumi.Bool(true),
		Description:     pulumi.String("MySQL"),
		Tags:            args.Site.tags("database"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("creating network interface: %w", err)
	}
	c.Host = address.PrivateIp
	volume, err := c.volume(ctx, args)
	if err != nil {
		return nil, err
	}
	if err := c.instance(ctx, args, address, volume, append([]pulumi.Resource{access, args.MySQL.Object}, args.Ready...)); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"host": c.Host, "instanceId": c.Instance})
}

// parameters makes what the instance fills in at its first boot.
func (c *Database) parameters(ctx *pulumi.Context, args DatabaseArgs) error {
	for _, p := range []struct {
		name, path, description string
		arn                     *pulumi.StringOutput
	}{
		{"password", passwordParameter(args.Site.Stack), "MySQL password of the app", &c.PasswordARN},
		{"ca", caParameter(args.Site.Stack), "Certificate that signs MySQL's", &c.CAARN},
	} {
		parameter, err := ssm.NewParameter(ctx, p.name, &ssm.ParameterArgs{
			Name:        pulumi.String(p.path),
			Type:        pulumi.String("SecureString"),
			Value:       pulumi.ToSecret(pulumi.String(unsetParameter)).(pulumi.StringOutput),
			Description: pulumi.String(p.description),
			Tags:        args.Site.tags(p.name),
			// The instance owns the value. Putting it there touches more than the value.
		}, pulumi.Parent(c), pulumi.IgnoreChanges([]string{
			"allowedPattern", "arn", "dataType", "description", "insecureValue", "keyId", "overwrite", "tier", "type", "value",
		}))
		if err != nil {
			return fmt.Errorf("creating parameter %s: %w", p.path, err)
		}
		*p.arn = parameter.Arn
	}
	return nil
}

func (c *Database) rights(args DatabaseArgs) []statement {
	return append(managedInstance(args.Stack),
		statement{
			Sid:       "ReadMySQL",
			Actions:   []string{"s3:GetObject"},
			Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s/*", args.ArtifactARN, mysqlFolder)},
		},
		statement{
			Sid:       "Dumps",
			Actions:   []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
			Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s*", args.ImageARN, dumpPrefix)},
		},
		statement{
			Sid:       "OwnParameters",
			Actions:   []string{"ssm:GetParameter", "ssm:PutParameter"},
			Resources: []pulumi.StringInput{c.PasswordARN, c.CAARN},
		},
		writeLogs("DatabaseLog", args.LogGroup),
	)
}

func (c *Database) volume(ctx *pulumi.Context, args DatabaseArgs) (*ebs.Volume, error) {
	volumeArgs := &ebs.VolumeArgs{
		AvailabilityZone: args.Subnet.AvailabilityZone,
		Encrypted:        pulumi.Bool(true),
		Type:             pulumi.String("gp3"),
		Size:             pulumi.Int(args.Config.VolumeGiB),
		Tags:             args.Site.tags("database"),
	}
	if args.Config.SnapshotID != "" {
		volumeArgs.SnapshotId = pulumi.String(args.Config.SnapshotID)
	}
	volume, err := ebs.NewVolume(ctx, "data", volumeArgs, pulumi.Parent(c),
		pulumi.Protect(args.Keep), pulumi.IgnoreChanges([]string{"availabilityZone"}))
	if err != nil {
		return nil, fmt.Errorf("creating data volume: %w", err)
	}
	return volume, nil
}

func (c *Database) instance(ctx *pulumi.Context, args DatabaseArgs, address *ec2.NetworkInterface, volume *ebs.Volume, ready []pulumi.Resource) error {
	instance, err := instanceArgs(ctx, args.Site, "database", args.Config.InstanceType, args.Config.AMIID, args.Identity)
	if err != nil {
		return err
	}
	instance.NetworkInterfaces = ec2.InstanceNetworkInterfaceArray{ec2.InstanceNetworkInterfaceArgs{
		DeviceIndex:         pulumi.Int(0),
		NetworkInterfaceId:  address.ID(),
		DeleteOnTermination: pulumi.Bool(false),
	}}
	instance.UserData = c.userData(args, volume)
	mysql, err := ec2.NewInstance(ctx, "database", instance, pulumi.Parent(c), keepImage(args.Config.AMIID),
		pulumi.DependsOn(ready),
		// The address and the volume serve one instance at a time.
		pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return fmt.Errorf("creating database instance: %w", err)
	}
	_, err = ec2.NewVolumeAttachment(ctx, "data", &ec2.VolumeAttachmentArgs{
		InstanceId:                  mysql.ID(),
		VolumeId:                    volume.ID(),
		DeviceName:                  pulumi.String("/dev/sdf"), // Nitro shows it under the volume's id
		StopInstanceBeforeDetaching: pulumi.Bool(true),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("attaching data volume: %w", err)
	}
	c.Instance, c.InstanceARN = mysql.ID(), mysql.Arn
	return nil
}

func (c *Database) userData(args DatabaseArgs, volume *ebs.Volume) pulumi.StringOutput {
	return pulumi.All(args.ArtifactBucket, args.ImageBucket, volume.ID(), c.Host, args.LogGroupName).ApplyT(
		func(v []any) (string, error) {
			return DatabaseUserData{
				Region:            args.Site.Region,
				ArtifactBucket:    string(v[0].(pulumi.ID)),
				MySQLKey:          args.MySQL.Key,
				MySQLSHA256:       args.MySQL.SHA256,
				Volume:            string(v[2].(pulumi.ID)),
				Address:           v[3].(string),
				PasswordParameter: passwordParameter(args.Site.Stack),
				CAParameter:       caParameter(args.Site.Stack),
				Database:          databaseName,
				User:              databaseUser,
				DumpBucket:        string(v[1].(pulumi.ID)),
				DumpPrefix:        dumpPrefix,
				LogGroup:          v[4].(string),
			}.Render()
		}).(pulumi.StringOutput)
}
