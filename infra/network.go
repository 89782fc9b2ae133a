package infra

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// maxZones is how many zones the address plan has room for.
const maxZones = 4

// maxNetworkBits is the smallest network, with 27 addresses in a subnet. The
// first private one can need 13: nine endpoints, mount target, database, a
// closed web instance and the one that replaces it.
const maxNetworkBits = 23

// NetworkArgs: all fields are required.
type NetworkArgs struct {
	Config NetworkConfig
	Site   Site
}

// Network is the VPC with a public and a private subnet in each zone. There is
// no NAT: private subnets have no route to the internet, AWS is reached
// through endpoints.
type Network struct {
	pulumi.ResourceState

	VPC         *ec2.Vpc
	Gateway     *ec2.InternetGateway
	Public      []*ec2.Subnet
	Private     []*ec2.Subnet
	RouteTables []*ec2.RouteTable // public, private
	Routes      []pulumi.Resource // what an instance must find in place before it boots
}

// NewNetwork makes the network.
func NewNetwork(ctx *pulumi.Context, name string, args NetworkArgs, opts ...pulumi.ResourceOption) (*Network, error) {
	c := &Network{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Network", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	if err := c.vpc(ctx, args); err != nil {
		return nil, err
	}
	public, private, err := subnetRanges(args.Config.CIDR, len(args.Site.Zones))
	if err != nil {
		return nil, fmt.Errorf("planning subnets of %s: %w", args.Config.CIDR, err)
	}
	if c.Public, err = c.subnets(ctx, args, "public", public); err != nil {
		return nil, err
	}
	if c.Private, err = c.subnets(ctx, args, "private", private); err != nil {
		return nil, err
	}
	if args.Config.Internet {
		route, err := ec2.NewRoute(ctx, "internet", &ec2.RouteArgs{
			RouteTableId: c.RouteTables[0].ID(),
			// The route out; what may come in and go out is decided by security groups.
			DestinationCidrBlock: pulumi.String("0.0.0.0/0"),
			GatewayId:            c.Gateway.ID(),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("creating default route: %w", err)
		}
		c.Routes = append(c.Routes, route)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"vpcId": c.VPC.ID()})
}

func (c *Network) vpc(ctx *pulumi.Context, args NetworkArgs) error {
	var err error
	c.VPC, err = ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{
		CidrBlock:          pulumi.String(args.Config.CIDR),
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true), // endpoints' private names need both
		Tags:               args.Site.tags("vpc"),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("creating VPC: %w", err)
	}
	// Adopted and emptied: whoever forgets to name a group gets one that is shut.
	_, err = ec2.NewDefaultSecurityGroup(ctx, "default", &ec2.DefaultSecurityGroupArgs{
		VpcId:   c.VPC.ID(),
		Ingress: ec2.DefaultSecurityGroupIngressArray{},
		Egress:  ec2.DefaultSecurityGroupEgressArray{},
		Tags:    args.Site.tags("default-shut"),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("emptying default security group: %w", err)
	}
	// There without a route to it too: public addresses fail without a gateway.
	c.Gateway, err = ec2.NewInternetGateway(ctx, "gateway", &ec2.InternetGatewayArgs{
		VpcId: c.VPC.ID(),
		Tags:  args.Site.tags("gateway"),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("creating internet gateway: %w", err)
	}
	return nil
}

// subnets makes one subnet per zone and a route table they share.
func (c *Network) subnets(ctx *pulumi.Context, args NetworkArgs, kind string, ranges []netip.Prefix) ([]*ec2.Subnet, error) {
	table, err := ec2.NewRouteTable(ctx, kind, &ec2.RouteTableArgs{
		VpcId: c.VPC.ID(),
		Tags:  args.Site.tags(kind),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("creating %s route table: %w", kind, err)
	}
	c.RouteTables = append(c.RouteTables, table)
	var subnets []*ec2.Subnet
	for i, zone := range args.Site.Zones {
		name := fmt.Sprintf("%s-%d", kind, i+1)
		subnet, err := ec2.NewSubnet(ctx, name, &ec2.SubnetArgs{
			VpcId:               c.VPC.ID(),
			CidrBlock:           pulumi.String(ranges[i].String()),
			AvailabilityZone:    pulumi.String(zone),
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                args.Site.tags(name),
			// AWS may add or drop zones; that must not move a subnet.
		}, pulumi.Parent(c), pulumi.IgnoreChanges([]string{"availabilityZone"}))
		if err != nil {
			return nil, fmt.Errorf("creating subnet %s: %w", name, err)
		}
		association, err := ec2.NewRouteTableAssociation(ctx, name, &ec2.RouteTableAssociationArgs{
			SubnetId:     subnet.ID(),
			RouteTableId: table.ID(),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("associating subnet %s: %w", name, err)
		}
		subnets = append(subnets, subnet)
		c.Routes = append(c.Routes, association)
	}
	return subnets, nil
}

// subnetRanges cuts cidr into sixteen equal ranges: the first ones for public,
// the ones from the ninth on for private subnets, so that n can grow to
// maxZones without moving a subnet.
func subnetRanges(cidr string, n int) (public, private []netip.Prefix, err error) {
	whole, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, nil, err
	}
	if !whole.Addr().Is4() || whole.Bits() > maxNetworkBits || n < 1 || n > maxZones {
		return nil, nil, fmt.Errorf("no room for %s in %s", count(n, "zone"), cidr)
	}
	bits := whole.Bits() + 4
	base := whole.Masked().Addr().As4()
	start := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	at := func(i int) netip.Prefix {
		a := start + uint32(i)<<(32-bits)
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}), bits)
	}
	for i := range n {
		public = append(public, at(i))
		private = append(private, at(8+i))
	}
	return public, private, nil
}
