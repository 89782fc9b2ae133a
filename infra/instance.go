package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// rootGiB is the size of a root volume: packages, logs, the binary or MySQL.
const rootGiB = 8

// instanceArgs fills in what both kinds of instance have in common.
func instanceArgs(ctx *pulumi.Context, site Site, role, instanceType, amiID string, identity Identity) (*ec2.InstanceArgs, error) {
	ami, err := imageID(ctx, site, instanceType, amiID)
	if err != nil {
		return nil, err
	}
	return &ec2.InstanceArgs{
		Ami:                pulumi.String(ami),
		InstanceType:       pulumi.String(instanceType),
		IamInstanceProfile: identity.Profile.Name,
		EbsOptimized:       pulumi.Bool(isNitro(instanceType)), // older types refuse it
		MetadataOptions: ec2.InstanceMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"),
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		RootBlockDevice: ec2.InstanceRootBlockDeviceArgs{
			Encrypted:           pulumi.Bool(true),
			VolumeType:          pulumi.String("gp3"),
			VolumeSize:          pulumi.Int(rootGiB),
			DeleteOnTermination: pulumi.Bool(true),
			Tags:                site.tags(role), // the default ones, too, would be a diff for ever
		},
		UserDataReplaceOnChange: pulumi.Bool(true),
		Tags:                    site.tags(role),
	}, nil
}

// imageID is the configured image or the newest Amazon Linux 2023.
func imageID(ctx *pulumi.Context, site Site, instanceType, amiID string) (string, error) {
	if amiID != "" {
		return amiID, nil
	}
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[goarch(instanceType)]
	name := "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" + architecture
	parameter, err := ssm.LookupParameter(ctx, &ssm.LookupParameterArgs{Name: name}, pulumi.Provider(site.Provider))
	if err != nil {
		return "", fmt.Errorf("looking up the image in parameter %s: %w", name, err)
	}
	return parameter.Value, nil
}

// keepImage makes an instance stay on the image it was made from: a new one
// appears every two weeks, and each would replace the instance.
func keepImage(amiID string) pulumi.ResourceOption {
	if amiID != "" {
		return pulumi.IgnoreChanges(nil)
	}
	return pulumi.IgnoreChanges([]string{"ami"})
}
