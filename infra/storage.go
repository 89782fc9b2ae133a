package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Prefixes in the image bucket: the app's pictures and the nightly dumps.
const (
	imagePrefix = "images/"
	dumpPrefix  = "dumps/"
)

// dumpDays is how long a nightly dump is kept.
const dumpDays = 30

// appUser is the POSIX identity that owns the shared files: of the access
// point, and of the user vinfast on every web instance.
const appUser = 1500

// StorageArgs: all fields are required.
type StorageArgs struct {
	Site    Site
	Keep    bool // keep data when the stack goes
	Subnets []*ec2.Subnet
	Group   pulumi.IDOutput     // security group of the mount targets
	WebRole pulumi.StringOutput // ARN: who may mount
}

// Storage is the two buckets and the shared file system.
type Storage struct {
	pulumi.ResourceState

	ImageBucket       pulumi.IDOutput
	ImageBucketARN    pulumi.StringOutput
	ArtifactBucket    pulumi.IDOutput
	ArtifactBucketARN pulumi.StringOutput
	FileSystem        pulumi.IDOutput
	FileSystemARN     pulumi.StringOutput
	AccessPoint       pulumi.IDOutput
	AccessPointARN    pulumi.StringOutput
	MountTargets      []pulumi.Resource // with the policy: what a web instance needs to mount
}

// NewStorage makes buckets and file system.
func NewStorage(ctx *pulumi.Context, name string, args StorageArgs, opts ...pulumi.ResourceOption) (*Storage, error) {
	c := &Storage{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Storage", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	images, err := newBucket(ctx, "images", bucketArgs{
		Site:   args.Site,
		Keep:   args.Keep,
		Expire: map[string]int{dumpPrefix: dumpDays},
	}, c)
	if err != nil {
		return nil, err
	}
	c.ImageBucket, c.ImageBucketARN = images.ID(), images.Arn
	// Never kept: everything in it is made again by the next "up".
	artifacts, err := newBucket(ctx, "artifacts", bucketArgs{Site: args.Site}, c)
	if err != nil {
		return nil, err
	}
	c.ArtifactBucket, c.ArtifactBucketARN = artifacts.ID(), artifacts.Arn
	if err := c.files(ctx, args); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"imageBucket":    c.ImageBucket,
		"artifactBucket": c.ArtifactBucket,
		"fileSystemId":   c.FileSystem,
	})
}

func (c *Storage) files(ctx *pulumi.Context, args StorageArgs) error {
	fs, err := efs.NewFileSystem(ctx, "files", &efs.FileSystemArgs{
		Encrypted: pulumi.Bool(true),
		Tags:      args.Site.tags("files"),
	}, pulumi.Parent(c), pulumi.Protect(args.Keep))
	if err != nil {
		return fmt.Errorf("creating file system: %w", err)
	}
	point, err := efs.NewAccessPoint(ctx, "app", &efs.AccessPointArgs{
		FileSystemId: fs.ID(),
		PosixUser:    efs.AccessPointPosixUserArgs{Uid: pulumi.Int(appUser), Gid: pulumi.Int(appUser)},
		RootDirectory: efs.AccessPointRootDirectoryArgs{
			Path: pulumi.String("/vinfast"),
			CreationInfo: efs.AccessPointRootDirectoryCreationInfoArgs{
				OwnerUid: pulumi.Int(appUser), OwnerGid: pulumi.Int(appUser), Permissions: pulumi.String("0750"),
			},
		},
		Tags: args.Site.tags("app"),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("creating access point: %w", err)
	}
	access, err := efs.NewFileSystemPolicy(ctx, "files", &efs.FileSystemPolicyArgs{
		FileSystemId: fs.ID(),
		Policy:       filePolicy(fs, point, args.WebRole),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("setting file system policy: %w", err)
	}
	c.MountTargets = append(c.MountTargets, access)
	for i, subnet := range args.Subnets {
		name := fmt.Sprintf("files-%d", i+1)
		target, err := efs.NewMountTarget(ctx, name, &efs.MountTargetArgs{
			FileSystemId:   fs.ID(),
			SubnetId:       subnet.ID(),
			SecurityGroups: pulumi.StringArray{args.Group},
		}, pulumi.Parent(c))
		if err != nil {
			return fmt.Errorf("creating mount target %s: %w", name, err)
		}
		c.MountTargets = append(c.MountTargets, target)
	}
	c.FileSystem, c.FileSystemARN = fs.ID(), fs.Arn
	c.AccessPoint, c.AccessPointARN = point.ID(), point.Arn
	return nil
}

// filePolicy admits the web role through the access point, over TLS, and
// refuses everything without TLS.
func filePolicy(fs *efs.FileSystem, point *efs.AccessPoint, role pulumi.StringOutput) pulumi.StringOutput {
	return policy(
		statement{
			Sid:       "WebThroughAccessPoint",
			Principal: pulumi.Map{"AWS": role},
			Actions:   []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"},
			Resources: []pulumi.StringInput{fs.Arn},
			Conditions: map[string]map[string][]pulumi.StringInput{
				"StringEquals": {"elasticfilesystem:AccessPointArn": {point.Arn}},
				"Bool": {
					"aws:SecureTransport":                      list("true"),
					"elasticfilesystem:AccessedViaMountTarget": list("true"),
				},
			},
		},
		statement{
			Sid:        "TLSOnly",
			Deny:       true,
			Principal:  pulumi.Map{"AWS": anyone},
			Actions:    []string{"elasticfilesystem:Client*"},
			Resources:  []pulumi.StringInput{fs.Arn},
			Conditions: when("Bool", "aws:SecureTransport", pulumi.String("false")),
		},
	)
}
