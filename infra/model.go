package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sagemaker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	modelRepository = "huggingface-pytorch-inference"
	modelVariant    = "AllTraffic"
	modelTask       = "image-classification"
	// The container loads hundreds of megabytes before it answers its first ping.
	modelStartSeconds = 900
)

// endpointName is known before the endpoint is: the app's environment, roles
// and log group name it, also while it is switched off.
func endpointName(stack string) string { return "vinfast-" + stack }

// ModelArgs: Data is optional, the rest required.
type ModelArgs struct {
	Config         ModelConfig
	Site           Site
	LogGroup       pulumi.StringOutput // ARN
	ArtifactBucket pulumi.IDOutput
	BucketARN      pulumi.StringOutput
	Data           *Artifact // the model in the artifacts bucket, nil for the hub
}

// Model is the SageMaker endpoint with what it is made of. Switched off, only
// the endpoint goes: the rest costs nothing.
type Model struct {
	pulumi.ResourceState

	EndpointName string
}

// NewModel makes model and endpoint.
func NewModel(ctx *pulumi.Context, name string, args ModelArgs, opts ...pulumi.ResourceOption) (*Model, error) {
	c := &Model{EndpointName: endpointName(args.Site.Stack)}
	if err := ctx.RegisterComponentResource("vinfast:infra:Model", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	image, err := sagemaker.GetPrebuiltEcrImage(ctx, &sagemaker.GetPrebuiltEcrImageArgs{
		RepositoryName: modelRepository,
		ImageTag:       pulumi.StringRef(args.Config.ImageTag),
		Region:         pulumi.StringRef(args.Site.Region),
	}, pulumi.Provider(args.Site.Provider))
	if err != nil {
		return nil, fmt.Errorf("looking up container image: %w", err)
	}
	role, access, err := c.role(ctx, args, image.RegistryId)
	if err != nil {
		return nil, err
	}
	needs := []pulumi.Resource{access}
	if args.Data != nil {
		needs = append(needs, args.Data.Object)
	}
	model, err := sagemaker.NewModel(ctx, "model", &sagemaker.ModelArgs{
		ExecutionRoleArn: role.Arn,
		PrimaryContainer: c.container(args, image.RegistryPath),
		// From the hub the container needs the internet, from S3 it does not.
		EnableNetworkIsolation: pulumi.Bool(args.Data != nil),
		Tags:                   args.Site.tags("model"),
	}, pulumi.Parent(c), pulumi.DependsOn(needs))
	if err != nil {
		return nil, fmt.Errorf("creating model: %w", err)
	}
	config, err := sagemaker.NewEndpointConfiguration(ctx, "endpoint", &sagemaker.EndpointConfigurationArgs{
		ProductionVariants: sagemaker.EndpointConfigurationProductionVariantArray{
			sagemaker.EndpointConfigurationProductionVariantArgs{
				VariantName:          pulumi.String(modelVariant),
				ModelName:            model.Name,
				InstanceType:         pulumi.String(args.Config.InstanceType),
				InitialInstanceCount: pulumi.Int(args.Config.InstanceCount),
				ContainerStartupHealthCheckTimeoutInSeconds: pulumi.Int(modelStartSeconds),
				ModelDataDownloadTimeoutInSeconds:           pulumi.Int(modelStartSeconds),
			},
		},
		Tags: args.Site.tags("endpoint"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("creating endpoint configuration: %w", err)
	}
	if args.Config.Enabled {
		if err := c.endpoint(ctx, args, config, access); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"endpointName": pulumi.String(c.EndpointName)})
}

func (c *Model) endpoint(ctx *pulumi.Context, args ModelArgs, config *sagemaker.EndpointConfiguration, access pulumi.Resource) error {
	tags := args.Site.tags("endpoint")
	// A real-time endpoint cannot become a serverless one: the tag replaces it.
	tags["mode"] = pulumi.String("real-time")
	_, err := sagemaker.NewEndpoint(ctx, "endpoint", &sagemaker.EndpointArgs{
		Name:               pulumi.String(c.EndpointName),
		EndpointConfigName: config.Name,
		Tags:               tags,
	}, pulumi.Parent(c),
		pulumi.DependsOn([]pulumi.Resource{access}), // and by it on the log group, which SageMaker would make itself
		pulumi.DeleteBeforeReplace(true),            // the name is taken until it is gone
		pulumi.ReplaceOnChanges([]string{"tags.mode"}))
	if err != nil {
		return fmt.Errorf("creating endpoint: %w", err)
	}
	return nil
}

func (c *Model) container(args ModelArgs, image string) sagemaker.ModelPrimaryContainerArgs {
	environment := pulumi.StringMap{
		"HF_TASK":                       pulumi.String(modelTask),
		"SAGEMAKER_CONTAINER_LOG_LEVEL": pulumi.String("20"),
		"SAGEMAKER_REGION":              pulumi.String(args.Site.Region),
	}
	container := sagemaker.ModelPrimaryContainerArgs{Image: pulumi.String(image), Environment: environment}
	if args.Data != nil {
		container.ModelDataUrl = pulumi.Sprintf("s3://%s/%s", args.ArtifactBucket, args.Data.Key)
		return container
	}
	environment["HF_MODEL_ID"] = pulumi.String(args.Config.HuggingFaceID)
	if args.Config.Revision != "" {
		environment["HF_MODEL_REVISION"] = pulumi.String(args.Config.Revision)
	}
	return container
}

// role is what the endpoint runs as: pull the image, write its log, read the
// model if it is ours.
func (c *Model) role(ctx *pulumi.Context, args ModelArgs, registry string) (*iam.Role, pulumi.Resource, error) {
	role, err := newRole(ctx, "model", "SageMaker endpoint of the VinFast classifier", trustOwnAccount(args.Site, "sagemaker.amazonaws.com"), c)
	if err != nil {
		return nil, nil, err
	}
	statements := []statement{
		{Sid: "RegistryToken", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: everything},
		{
			Sid:     "PullImage",
			Actions: []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
			Resources: list(fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s",
				args.Site.Partition, args.Site.Region, registry, modelRepository)),
		},
		{
			Sid:        "EndpointMetrics",
			Actions:    []string{"cloudwatch:PutMetricData"},
			Resources:  everything,
			Conditions: when("StringLike", "cloudwatch:namespace", pulumi.String("/aws/sagemaker/*"), pulumi.String("AWS/SageMaker")),
		},
		writeLogs("EndpointLog", args.LogGroup),
	}
	if args.Data != nil {
		statements = append(statements, statement{
			Sid:       "ReadModel",
			Actions:   []string{"s3:GetObject"},
			Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s/*", args.BucketARN, modelFolder)},
		})
	}
	access, err := newRolePolicy(ctx, "model", role, c, statements...)
	return role, access, err
}
