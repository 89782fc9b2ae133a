package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Ports of the system.
const (
	webPort   = 8080
	mysqlPort = 3306
	nfsPort   = 2049
	httpsPort = 443
)

// FirewallArgs: all fields are required; AllowedCIDRs may be empty.
type FirewallArgs struct {
	Site         Site
	VPC          pulumi.IDOutput
	AllowedCIDRs []string
}

// Firewall is the security groups and the rules between them. A group opens
// nothing by itself: what is not a rule here (or, to S3, in Endpoints) does not
// pass.
type Firewall struct {
	pulumi.ResourceState

	Web, Database, Endpoints, Files *ec2.SecurityGroup

	// Rules must be in place before an instance boots: its agents give up for
	// half an hour when they find no way out.
	Rules []pulumi.Resource
}

// NewFirewall makes the groups and rules.
func NewFirewall(ctx *pulumi.Context, name string, args FirewallArgs, opts ...pulumi.ResourceOption) (*Firewall, error) {
	c := &Firewall{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Firewall", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	for _, g := range []struct {
		name, description string
		group             **ec2.SecurityGroup
	}{
		{"web", "Web instances", &c.Web},
		{"database", "Database instance", &c.Database},
		{"endpoints", "VPC endpoints", &c.Endpoints},
		{"files", "EFS mount targets", &c.Files},
	} {
		group, err := ec2.NewSecurityGroup(ctx, g.name, &ec2.SecurityGroupArgs{
			VpcId:       args.VPC,
			Description: pulumi.String(g.description),
			Tags:        args.Site.tags(g.name),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("creating security group %s: %w", g.name, err)
		}
		*g.group = group
	}
	if err := c.admit(ctx, args.AllowedCIDRs); err != nil {
		return nil, err
	}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"webGroupId": c.Web.ID(), "databaseGroupId": c.Database.ID()})
}

// admit opens the web port to the ranges of the configuration: the only rules
// that name addresses outside.
func (c *Firewall) admit(ctx *pulumi.Context, cidrs []string) error {
	for _, cidr := range cidrs {
		rule, err := vpc.NewSecurityGroupIngressRule(ctx, "web-"+cidr, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: c.Web.ID(),
			Description:     pulumi.String("Web app from " + cidr),
			CidrIpv4:        pulumi.String(cidr),
			IpProtocol:      pulumi.String("tcp"),
			FromPort:        pulumi.Int(webPort),
			ToPort:          pulumi.Int(webPort),
		}, pulumi.Parent(c))
		if err != nil {
			return fmt.Errorf("creating rule for %s: %w", cidr, err)
		}
		c.Rules = append(c.Rules, rule)
	}
	return nil
}

// connect lets each group reach what it uses, from group to group.
func (c *Firewall) connect(ctx *pulumi.Context) error {
	for _, way := range []struct {
		from, to   string
		a, b       *ec2.SecurityGroup
		port       int
		connection string
	}{
		{"web", "endpoints", c.Web, c.Endpoints, httpsPort, "AWS services for web instances"},
		{"web", "database", c.Web, c.Database, mysqlPort, "MySQL for web instances"},
		{"web", "files", c.Web, c.Files, nfsPort, "EFS for web instances"},
		{"database", "endpoints", c.Database, c.Endpoints, httpsPort, "AWS services for the database instance"},
	} {
		out, err := vpc.NewSecurityGroupEgressRule(ctx, way.from+"-to-"+way.to, &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId:           way.a.ID(),
			ReferencedSecurityGroupId: way.b.ID(),
			Description:               pulumi.String(way.connection),
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(way.port),
			ToPort:                    pulumi.Int(way.port),
		}, pulumi.Parent(c))
		if err != nil {
			return fmt.Errorf("creating rule from %s to %s: %w", way.from, way.to, err)
		}
		in, err := vpc.NewSecurityGroupIngressRule(ctx, way.to+"-from-"+way.from, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId:           way.b.ID(),
			ReferencedSecurityGroupId: way.a.ID(),
			Description:               pulumi.String(way.connection),
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(way.port),
			ToPort:                    pulumi.Int(way.port),
		}, pulumi.Parent(c))
		if err != nil {
			return fmt.Errorf("creating rule at %s from %s: %w", way.to, way.from, err)
		}
		c.Rules = append(c.Rules, out, in)
	}
	return nil
}
