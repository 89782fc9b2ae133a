package infra

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// EndpointsArgs: all fields are required.
type EndpointsArgs struct {
	Config Config
	Site   Site

	VPC         pulumi.IDOutput
	Subnets     []*ec2.Subnet // of the zones that get interface endpoints
	RouteTables []*ec2.RouteTable
	Group       *ec2.SecurityGroup            // of the interface endpoints
	Clients     map[string]*ec2.SecurityGroup // role to group: who may reach S3
	Roles       []pulumi.StringInput          // ARNs: who may use our buckets
	Buckets     []pulumi.StringInput          // ARNs of our buckets
	LogGroups   []pulumi.StringInput          // ARNs of the groups instances write to
	Parameters  []pulumi.StringInput          // ARNs of our parameters
	ModelARN    string                        // the SageMaker endpoint
}

// Endpoints are the ways from the private network to AWS: a gateway for S3 and
// interfaces for the other services, each open to what we use and no more.
type Endpoints struct {
	pulumi.ResourceState

	Ready []pulumi.Resource // what an instance needs before it boots
}

// interfaceEndpoints are the services instances call, by short name.
func interfaceEndpoints(cfg Config) []string {
	return append([]string{"logs", "sagemaker.runtime", "ssm", "ssmmessages"}, cfg.Network.ExtraEndpoints...)
}

func hasExtraEndpoint(cfg Config, name string) bool {
	return slices.Contains(cfg.Network.ExtraEndpoints, name)
}

// NewEndpoints makes the endpoints.
func NewEndpoints(ctx *pulumi.Context, name string, args EndpointsArgs, opts ...pulumi.ResourceOption) (*Endpoints, error) {
	c := &Endpoints{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Endpoints", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	if err := c.gateway(ctx, args); err != nil {
		return nil, err
	}
	var subnets pulumi.StringArray
	for _, s := range args.Subnets {
		subnets = append(subnets, s.ID())
	}
	for _, service := range interfaceEndpoints(args.Config) {
		endpoint, err := ec2.NewVpcEndpoint(ctx, service, &ec2.VpcEndpointArgs{
			VpcId:             args.VPC,
			VpcEndpointType:   pulumi.String("Interface"),
			ServiceName:       pulumi.String(args.Site.Services[service]),
			SubnetIds:         subnets,
			SecurityGroupIds:  pulumi.StringArray{args.Group.ID()},
			PrivateDnsEnabled: pulumi.Bool(true),
			Policy:            policy(interfacePolicy(service, args)...),
			Tags:              args.Site.tags(service),
			// Its network interfaces go minutes after the endpoint.
		}, pulumi.Parent(c), pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "30m"}))
		if err != nil {
			return nil, fmt.Errorf("creating endpoint %s: %w", service, err)
		}
		c.Ready = append(c.Ready, endpoint)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// gateway makes the S3 endpoint and lets the clients' groups out to it.
func (c *Endpoints) gateway(ctx *pulumi.Context, args EndpointsArgs) error {
	var tables pulumi.StringArray
	for _, t := range args.RouteTables {
		tables = append(tables, t.ID())
	}
	s3, err := ec2.NewVpcEndpoint(ctx, "s3", &ec2.VpcEndpointArgs{
		VpcId:           args.VPC,
		VpcEndpointType: pulumi.String("Gateway"),
		ServiceName:     pulumi.String("com.amazonaws." + args.Site.Region + ".s3"),
		RouteTableIds:   tables,
		Policy:          policy(s3Policy(args)...),
		Tags:            args.Site.tags("s3"),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("creating endpoint s3: %w", err)
	}
	c.Ready = append(c.Ready, s3)
	for _, client := range sortedKeys(args.Clients) {
		rule, err := vpc.NewSecurityGroupEgressRule(ctx, client+"-to-s3", &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId: args.Clients[client].ID(),
			PrefixListId:    s3.PrefixListId,
			Description:     pulumi.String("S3 through its gateway"),
			IpProtocol:      pulumi.String("tcp"),
			FromPort:        pulumi.Int(httpsPort),
			ToPort:          pulumi.Int(httpsPort),
		}, pulumi.Parent(c))
		if err != nil {
			return fmt.Errorf("creating rule from %s to s3: %w", client, err)
		}
		c.Ready = append(c.Ready, rule)
	}
	return nil
}

// s3Policy opens our buckets to our roles, and AWS's buckets of packages to
// anyone in the network: dnf and the SSM agent read those without signing.
// Allow statements only, and no demand for TLS here: our buckets' own policies
// make it, and the groups let nothing but port 443 out to S3.
func s3Policy(args EndpointsArgs) []statement {
	var objects []pulumi.StringInput
	for _, b := range args.Buckets {
		objects = append(objects, b, pulumi.Sprintf("%s/*", b))
	}
	region := args.Site.Region
	var reads []pulumi.StringInput
	for _, bucket := range []string{
		"al2023-repos-" + region + "-de612dc2", // dnf
		"amazon-ssm-" + region,
		"amazon-ssm-packages-" + region,
		"aws-ssm-" + region,
		"aws-ssm-distributor-file-" + region,
		"aws-ssm-document-attachments-" + region,
		"patch-baseline-snapshot-" + region,
		region + "-birdwatcher-prod",
	} {
		reads = append(reads, pulumi.Sprintf("arn:%s:s3:::%s/*", args.Site.Partition, bucket))
	}
	return []statement{
		{
			Sid:       "OwnBuckets",
			Principal: anyone, // a gateway endpoint knows roles by the condition only
			Actions:   []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"},
			Resources: objects,
			Conditions: map[string]map[string][]pulumi.StringInput{
				"StringEquals": {"aws:PrincipalAccount": list(args.Site.Account)},
				"ArnEquals":    {"aws:PrincipalArn": args.Roles},
			},
		},
		{
			Sid:        "PackagesOfAWS",
			Principal:  anyone,
			Actions:    []string{"s3:GetObject"},
			Resources:  reads,
			Conditions: when("StringEquals", "aws:SourceVpc", pulumi.StringInput(args.VPC.ToStringOutput())),
		},
	}
}

// interfacePolicy opens a service to our account, on our resources.
func interfacePolicy(service string, args EndpointsArgs) []statement {
	own := func(sid string, resources []pulumi.StringInput, actions ...string) statement {
		return statement{
			Sid:        sid,
			Principal:  anyone,
			Actions:    actions,
			Resources:  resources,
			Conditions: when("StringEquals", "aws:PrincipalAccount", pulumi.String(args.Site.Account)),
		}
	}
	switch service {
	case "logs":
		var groups []pulumi.StringInput
		for _, g := range args.LogGroups {
			groups = append(groups, g, pulumi.Sprintf("%s:*", g))
		}
		return []statement{own("OwnLogGroups", groups,
			"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:PutLogEvents")}
	case "sagemaker.runtime":
		return []statement{own("OwnEndpoint", list(args.ModelARN), "sagemaker:InvokeEndpoint")}
	case "ssm":
		return []statement{
			own("OwnParameters", args.Parameters, "ssm:GetParameter", "ssm:PutParameter"),
			own("AnySSMAgentCall", everything, "ssm:UpdateInstanceInformation"),
		}
	case "ssmmessages":
		return []statement{own("AnySessionAction", everything,
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel")}
	default:
		prefix := map[string]string{"monitoring": "cloudwatch"}[service]
		if prefix == "" {
			prefix = service
		}
		return []statement{own("AnyExtraCall", everything, prefix+":*")}
	}
}
