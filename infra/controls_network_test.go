package infra_test

import (
	"fmt"
	"slices"
	"strings"

	"vinfast-classifier/infra/rehearsal"
)

func networkControls() []control {
	return []control{
		{"EC2.2", "default security group emptied", func(p *plan) []string {
			found := each("DefaultSecurityGroup", func(r *record) string {
				if len(texts(r, "ingress"))+len(texts(r, "egress")) > 0 {
					return "has rules"
				}
				return ""
			})(p)
			return append(found, forEvery(p, "Vpc", "DefaultSecurityGroup", "vpcId")...)
		}, drop("DefaultSecurityGroup", "default", "vpcId"), nil},
		{"EC2.15", "subnets give no public address", has("Subnet", "mapPublicIpOnLaunch", "false"),
			drop("Subnet", "public-1", "mapPublicIpOnLaunch"), nil},
		{"CKV_AWS_148", "nothing lives in a default network", func(p *plan) []string {
			var bad []string
			for _, kind := range []string{"DefaultVpc", "DefaultSubnet", "DefaultRouteTable", "DefaultNetworkAcl"} {
				for _, r := range p.Of(kind) {
					bad = append(bad, r.String()+" is a default resource")
				}
			}
			return append(bad, each("SecurityGroup", func(r *record) string { return unless(r.At("vpcId") != nil, "is in the default network") })(p)...)
		}, drop("SecurityGroup", "files", "vpcId"), nil},
		{"vpc_subnet_different_az", "subnets in two zones", func(p *plan) []string {
			zones := map[string]bool{}
			for _, r := range p.Of("Subnet") {
				if z := r.Text("availabilityZone"); z != "" {
					zones[z] = true
				}
			}
			return some(len(zones) >= 2, "all subnets are in %d zone", len(zones))
		}, func(p *plan) {
			for _, name := range []string{"public-2", "private-2"} {
				p.One("Subnet", name).Drop("availabilityZone")
			}
		}, nil},
		{"vpc_subnet_separate_private_public", "private subnets have no way out", func(p *plan) []string {
			var bad []string
			for _, r := range p.Of("Route") {
				if r.Text("routeTableId") != p.One("RouteTable", "public").ID() {
					bad = append(bad, r.String()+" is not in the public table")
				}
			}
			for i := range len(p.Of("Subnet")) / 2 {
				name := fmt.Sprintf("private-%d", i+1)
				a := p.One("RouteTableAssociation", name)
				bad = append(bad, some(a.Text("routeTableId") == p.One("RouteTable", "private").ID(), "%s is not in the private table", name)...)
			}
			return bad
		}, drop("RouteTableAssociation", "private-2", "routeTableId"), nil},
		{"vpc_endpoint_connections_trust_boundaries", "endpoint policies admit our account only", each("VpcEndpoint", trustBoundary),
			drop("VpcEndpoint", "logs", "policy"), nil},
		{"EC2.57", "SSM through an endpoint", endpointFor("ssm"), remove("VpcEndpoint", "ssm"), []string{"D7 endpoints"}},
		{"D7 endpoints", "a way to every service that is used", func(p *plan) []string {
			var bad []string
			for _, service := range []string{"logs", "sagemaker.runtime", "ssm", "ssmmessages"} {
				bad = append(bad, endpointFor(service)(p)...)
			}
			return bad
		}, drop("VpcEndpoint", "sagemaker.runtime", "privateDnsEnabled"), nil},
		{"D7 s3 gateway", "S3 from public and private subnets", func(p *plan) []string {
			gateway := p.One("VpcEndpoint", "s3")
			bad := some(gateway.Text("vpcEndpointType") == "Gateway", "no gateway to S3")
			for _, table := range p.Of("RouteTable") {
				bad = append(bad, some(slices.Contains(texts(gateway, "routeTableIds"), table.ID()), "no way to S3 from %s", table)...)
			}
			return bad
		}, drop("VpcEndpoint", "s3", "routeTableIds"), nil},
		{"D8 anonymous packages", "packages of AWS can be read without signing", func(p *plan) []string {
			for _, s := range p.One("VpcEndpoint", "s3").Statements("policy") {
				if slices.Contains(s.Resource, "arn:aws:s3:::al2023-repos-us-east-1-de612dc2/*") &&
					s.Condition["StringEquals"]["aws:SourceVpc"] != nil && len(s.Condition) == 1 {
					return nil
				}
			}
			return []string{"dnf cannot read its repositories"}
		}, func(p *plan) {
			r := p.One("VpcEndpoint", "s3")
			r.SetStatements("policy", r.Statements("policy")[:1])
		}, nil},
		{"D8 dns", "private names of endpoints resolve", join(
			has("Vpc", "enableDnsSupport", "true"), has("Vpc", "enableDnsHostnames", "true")),
			drop("Vpc", "vpc", "enableDnsHostnames"), nil},
		{"D8 zones", "zones that come and go move no subnet", each("Subnet", func(r *record) string {
			return unless(slices.Contains(r.Options.IgnoreChanges, "availabilityZone"), "follows its zone")
		}), func(p *plan) { p.One("Subnet", "public-1").Options.IgnoreChanges = nil }, nil},
	}
}

func endpointFor(service string) func(*plan) []string {
	return func(p *plan) []string {
		r := p.One("VpcEndpoint", service)
		return some(r.Text("vpcEndpointType") == "Interface" && r.Text("privateDnsEnabled") == "true" &&
			r.Text("serviceName") == "com.amazonaws.us-east-1."+service && len(texts(r, "subnetIds")) > 0,
			"no interface endpoint to %s", service)
	}
}

// trustBoundary is Prowler's reading: every statement counts, Deny too; one for
// everybody needs a condition that names our account or network.
func trustBoundary(r *record) string {
	statements := r.Statements("policy")
	if len(statements) == 0 {
		return "has no policy of its own"
	}
	for _, s := range statements {
		own := s.Condition["StringEquals"]
		bounded := slices.Equal(own["aws:PrincipalAccount"], []string{rehearsal.Account}) || len(own["aws:SourceVpc"]) == 1
		if s.Effect != "Allow" || !bounded {
			return "statement " + s.Sid + " reaches beyond our account"
		}
	}
	return ""
}

func firewallControls() []control {
	return []control{
		{"CKV_AWS_23", "groups and rules are described", func(p *plan) []string {
			var bad []string
			for _, r := range slices.Concat(p.Of("SecurityGroup"), p.Of("SecurityGroupIngressRule"), p.Of("SecurityGroupEgressRule")) {
				bad = append(bad, some(r.Text("description") != "", "%s has no description", r)...)
			}
			return bad
		}, drop("SecurityGroupEgressRule", "web-to-s3", "description"), nil},
		{"EC2.18", "nothing is open but the web port to web.allowedCidrs", each("SecurityGroupIngressRule", func(r *record) string {
			cidr := r.Text("cidrIpv4")
			fromOutside := cidr != "" || r.Text("cidrIpv6") != "" || r.Text("prefixListId") != ""
			if !fromOutside {
				return unless(r.Text("referencedSecurityGroupId") != "", "has no source")
			}
			return unless(cidr == "203.0.113.0/24" && r.Text("fromPort") == "8080" && r.Text("toPort") == "8080" &&
				r.Text("ipProtocol") == "tcp" && r.Text("securityGroupId") == "SecurityGroup-web", "is open to "+cidr)
		}), func(p *plan) {
			r := p.One("SecurityGroupIngressRule", "database-from-web")
			r.Drop("referencedSecurityGroupId")
			r.Put("cidrIpv4", "0.0.0.0/0")
		}, nil},
		{"EC2.13", "no port 22 or 3389 anywhere", func(p *plan) []string {
			var bad []string
			for _, r := range slices.Concat(p.Of("SecurityGroupIngressRule"), p.Of("SecurityGroupEgressRule")) {
				for _, port := range []float64{22, 3389} {
					from, ok1 := r.At("fromPort").(float64)
					to, ok2 := r.At("toPort").(float64)
					bad = append(bad, some(ok1 && ok2 && (port < from || port > to), "%s lets port %v through", r, port)...)
				}
			}
			return bad
		}, drop("SecurityGroupIngressRule", "files-from-web", "fromPort"), nil},
		{"CKV_AWS_382", "nothing may go everywhere", each("SecurityGroupEgressRule", func(r *record) string {
			return unless(r.Text("referencedSecurityGroupId") != "" || r.Text("prefixListId") != "", "has no target of ours")
		}), drop("SecurityGroupEgressRule", "web-to-s3", "prefixListId"), nil},
		{"CKV_AWS_382 inline", "no rules inside groups", each("SecurityGroup", func(r *record) string {
			return unless(len(texts(r, "ingress"))+len(texts(r, "egress")) == 0, "has inline rules, which would fight with the others")
		}), func(p *plan) { p.One("SecurityGroup", "web").Put("egress", []any{"all"}) }, nil},
		{"EC2.22", "every group is in use", func(p *plan) []string {
			var bad []string
			for _, g := range p.Of("SecurityGroup") {
				used := slices.ContainsFunc(p.Resources, func(r record) bool {
					return !strings.HasPrefix(r.Kind(), "SecurityGroup") && r.Mentions(g.ID())
				})
				bad = append(bad, some(used, "%s is not used", g)...)
			}
			return bad
		}, func(p *plan) {
			for _, r := range p.Of("MountTarget") {
				r.Drop("securityGroups")
			}
		}, []string{"D8 order web"}},
	}
}

// unless returns the complaint if the condition does not hold.
func unless(ok bool, complaint string) string {
	if ok {
		return ""
	}
	return complaint
}

// some is unless for a list of complaints.
func some(ok bool, format string, args ...any) []string {
	if ok {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}
