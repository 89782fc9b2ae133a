package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Wildcards are the statements that apply to every resource, by their Sid, and
// why. A statement with "*" whose Sid is not here does not pass the tests.
var Wildcards = map[string]string{
	"SessionChannels":  "ssmmessages has no resource types to name",
	"RegisterWithSSM":  "an instance reports under an id that is not known before it exists",
	"LegacyMessages":   "ec2messages has no resource types to name",
	"RegistryToken":    "ecr:GetAuthorizationToken has no resource types to name",
	"EndpointMetrics":  "cloudwatch:PutMetricData has no resource types to name; the namespace is a condition",
	"AnySessionAction": "endpoint policy: ssmmessages has no resource types to name; the account is a condition",
	"AnySSMAgentCall":  "endpoint policy: agents report under ids that are not known yet; the account is a condition",
	"AnyExtraCall":     "endpoint policy: an endpoint the operator asked for serves his own purposes; the account is a condition",
}

// everything is the resource "*"; its statement's Sid must be in Wildcards.
var everything = []pulumi.StringInput{pulumi.String("*")}

// statement is one IAM statement. Conditions go operator, key, values.
type statement struct {
	Sid        string
	Deny       bool
	Principal  pulumi.Input // nil in identity policies
	Actions    []string
	Resources  []pulumi.StringInput // empty in trust policies
	Conditions map[string]map[string][]pulumi.StringInput
}

// policy marshals statements into a policy document.
func policy(statements ...statement) pulumi.StringOutput {
	list := pulumi.Array{}
	for _, s := range statements {
		m := pulumi.Map{
			"Sid":    pulumi.String(s.Sid),
			"Effect": pulumi.String("Allow"),
			"Action": pulumi.ToStringArray(s.Actions),
		}
		if s.Deny {
			m["Effect"] = pulumi.String("Deny")
		}
		if s.Principal != nil {
			m["Principal"] = s.Principal
		}
		if len(s.Resources) > 0 {
			m["Resource"] = pulumi.StringArray(s.Resources)
		}
		if len(s.Conditions) > 0 {
			m["Condition"] = conditions(s.Conditions)
		}
		list = append(list, m)
	}
	return pulumi.JSONMarshal(pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": list})
}

func conditions(in map[string]map[string][]pulumi.StringInput) pulumi.Map {
	out := pulumi.Map{}
	for operator, keys := range in {
		m := pulumi.Map{}
		for key, values := range keys {
			if len(values) == 1 { // plain, as auditing tools expect it
				m[key] = values[0]
				continue
			}
			m[key] = pulumi.StringArray(values)
		}
		out[operator] = m
	}
	return out
}

// when is a condition with one operator and one key.
func when(operator, key string, values ...pulumi.StringInput) map[string]map[string][]pulumi.StringInput {
	return map[string]map[string][]pulumi.StringInput{operator: {key: values}}
}

func list(values ...string) []pulumi.StringInput {
	var inputs []pulumi.StringInput
	for _, v := range values {
		inputs = append(inputs, pulumi.String(v))
	}
	return inputs
}

// anyone is the principal "*": anonymous callers too.
var anyone = pulumi.String("*")

// trust lets a service assume a role, under conditions if there are any.
func trust(service string, when map[string]map[string][]pulumi.StringInput) pulumi.StringOutput {
	return policy(statement{
		Sid:        "Assume",
		Principal:  pulumi.Map{"Service": pulumi.String(service)},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: when,
	})
}

// trustOwnAccount is trust for services that name the account they act for, so
// that nobody can have them use our role from another account.
func trustOwnAccount(site Site, service string) pulumi.StringOutput {
	return trust(service, when("StringEquals", "aws:SourceAccount", pulumi.String(site.Account)))
}

func newRole(ctx *pulumi.Context, name, description string, trust pulumi.StringOutput, parent pulumi.Resource) (*iam.Role, error) {
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		AssumeRolePolicy:    trust,
		Description:         pulumi.String(description),
		ForceDetachPolicies: pulumi.Bool(true),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating role %s: %w", name, err)
	}
	return role, nil
}

func newRolePolicy(ctx *pulumi.Context, name string, role *iam.Role, parent pulumi.Resource, statements ...statement) (*iam.RolePolicy, error) {
	p, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role:   role.Name,
		Policy: policy(statements...),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating policy %s: %w", name, err)
	}
	return p, nil
}

// Identities are the roles of the two kinds of instance. They come first, bare:
// bucket, file system and endpoint policies name them, and what they may do is
// written where the things they use are made.
type Identities struct {
	pulumi.ResourceState

	Web      Identity
	Database Identity
}

// Identity is a role an instance runs as.
type Identity struct {
	Role    *iam.Role
	Profile *iam.InstanceProfile
}

// NewIdentities makes the roles and their instance profiles.
func NewIdentities(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*Identities, error) {
	c := &Identities{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Identities", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	var err error
	if c.Web, err = c.identity(ctx, "web", "Web instances of the VinFast classifier"); err != nil {
		return nil, err
	}
	if c.Database, err = c.identity(ctx, "database", "Database instance of the VinFast classifier"); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"webRoleArn":      c.Web.Role.Arn,
		"databaseRoleArn": c.Database.Role.Arn,
	})
}

func (c *Identities) identity(ctx *pulumi.Context, name, description string) (Identity, error) {
	role, err := newRole(ctx, name, description, trust("ec2.amazonaws.com", nil), c)
	if err != nil {
		return Identity{}, err
	}
	profile, err := iam.NewInstanceProfile(ctx, name, &iam.InstanceProfileArgs{Role: role.Name}, pulumi.Parent(c))
	if err != nil {
		return Identity{}, fmt.Errorf("creating instance profile %s: %w", name, err)
	}
	return Identity{Role: role, Profile: profile}, nil
}

// managedInstance is what the SSM agent needs for Session Manager. The managed
// policy AmazonSSMManagedInstanceCore would also read every parameter.
func managedInstance(cfg Config) []statement {
	statements := []statement{
		{
			Sid:       "RegisterWithSSM",
			Actions:   []string{"ssm:UpdateInstanceInformation"},
			Resources: everything,
		},
		{
			Sid: "SessionChannels",
			Actions: []string{
				"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
				"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
			},
			Resources: everything,
		},
	}
	if hasExtraEndpoint(cfg, "ec2messages") {
		statements = append(statements, statement{
			Sid: "LegacyMessages",
			Actions: []string{
				"ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage",
				"ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply",
			},
			Resources: everything,
		})
	}
	return statements
}

// writeLogs lets an agent write to one log group, which exists already.
func writeLogs(sid string, group pulumi.StringInput, more ...string) statement {
	return statement{
		Sid:     sid,
		Actions: append([]string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}, more...),
		Resources: []pulumi.StringInput{
			group,
			pulumi.Sprintf("%s:*", group),
		},
	}
}
