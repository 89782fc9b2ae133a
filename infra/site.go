package infra

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Site is where a stack goes: what AWS says about account and region.
type Site struct {
	Stack     string
	Account   string            // 12 digits
	Region    string            // us-east-1
	Partition string            // aws; survey refuses the others
	Zones     []string          // names, as many as network.azCount
	Services  map[string]string // interface endpoints: short name to service name
	Provider  *aws.Provider
}

// arn composes an ARN of this account and region.
func (s Site) arn(service, rest string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", s.Partition, service, s.Region, s.Account, rest)
}

// tags names a resource in the console. The provider adds the default tags.
func (s Site) tags(role string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String("vinfast-" + s.Stack + "-" + role)}
}

// defaultTags land on everything, S3 objects too, which take ten at most.
func defaultTags(stack string) map[string]string {
	return map[string]string{"Project": Project, "Stack": stack, "ManagedBy": "pulumi"}
}

// newProvider makes the one provider all resources use. It keeps every "aws:"
// setting of the stack, such as profile, role or endpoints, and adds our tags.
func newProvider(ctx *pulumi.Context, all map[string]string) (*aws.Provider, error) {
	settings, err := providerSettings(ctx, all)
	if err != nil {
		return nil, err
	}
	keep := func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		// The constructor has put the region of the environment there.
		if standard, ok := args.Props.(*aws.ProviderArgs); ok && settings["region"] == nil && standard.Region != nil {
			settings["region"] = standard.Region
		}
		return &pulumi.ResourceTransformationResult{Props: settings, Opts: args.Opts}
	}
	provider, err := aws.NewProvider(ctx, "aws", nil, pulumi.Transformations([]pulumi.ResourceTransformation{keep}))
	if err != nil {
		return nil, fmt.Errorf("creating AWS provider: %w", err)
	}
	return provider, nil
}

func providerSettings(ctx *pulumi.Context, all map[string]string) (pulumi.Map, error) {
	settings := pulumi.Map{}
	tags := map[string]string{}
	for name, raw := range all {
		key, ok := strings.CutPrefix(name, "aws:")
		if !ok {
			continue
		}
		var value any = raw
		if strings.HasPrefix(raw, "{") || strings.HasPrefix(raw, "[") {
			if err := json.Unmarshal([]byte(raw), &value); err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, err)
			}
		}
		if key == "defaultTags" {
			var own struct{ Tags map[string]string }
			if err := json.Unmarshal([]byte(raw), &own); err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, err)
			}
			tags = own.Tags
			continue
		}
		settings[key] = pulumi.Any(value)
		if ctx.IsConfigSecret(name) {
			settings[key] = pulumi.ToSecret(settings[key])
		}
	}
	for k, v := range defaultTags(ctx.Stack()) {
		tags[k] = v
	}
	if len(tags) > 8 {
		return nil, fmt.Errorf("aws:defaultTags: %d tags are too many: with ours at most 8, since S3 objects take 10", len(tags))
	}
	settings["defaultTags"] = pulumi.Map{"tags": pulumi.ToStringMap(tags)}
	return settings, nil
}

// survey asks AWS for account, region and zones. Zones are those that need no
// opt-in and offer every instance type and interface endpoint of the
// configuration; sorted, so that each run takes the same.
func survey(ctx *pulumi.Context, cfg Config, provider *aws.Provider) (Site, error) {
	site := Site{Stack: ctx.Stack(), Provider: provider, Services: map[string]string{}}
	with := pulumi.Provider(provider)
	identity, err := aws.GetCallerIdentity(ctx, nil, with)
	if err != nil {
		return site, fmt.Errorf("asking AWS who we are: %w", err)
	}
	region, err := aws.GetRegion(ctx, nil, with)
	if err != nil {
		return site, fmt.Errorf("asking AWS for the region: %w", err)
	}
	partition, err := aws.GetPartition(ctx, nil, with)
	if err != nil {
		return site, fmt.Errorf("asking AWS for the partition: %w", err)
	}
	if partition.Partition != "aws" {
		return site, fmt.Errorf("aws:region: %s is in the partition %s, where AWS's package buckets and container images have other names; take a region of the partition aws, such as us-east-1",
			region.Name, partition.Partition)
	}
	site.Account, site.Region, site.Partition = identity.AccountId, region.Name, partition.Partition
	if site.Zones, err = openZones(ctx, with); err != nil {
		return site, err
	}
	for _, instanceType := range slices.Compact([]string{cfg.Web.InstanceType, cfg.Database.InstanceType}) {
		offered, err := zonesOffering(ctx, instanceType, with)
		if err != nil {
			return site, err
		}
		site.Zones = intersect(site.Zones, offered)
	}
	for _, name := range interfaceEndpoints(cfg) {
		service, err := ec2.LookupVpcEndpointService(ctx, &ec2.LookupVpcEndpointServiceArgs{Service: pulumi.StringRef(name)}, with)
		if err != nil {
			return site, fmt.Errorf("looking up endpoint service %q: %w", name, err)
		}
		site.Services[name] = service.ServiceName
		site.Zones = intersect(site.Zones, service.AvailabilityZones)
	}
	if len(site.Zones) < cfg.Network.AZCount {
		return site, fmt.Errorf("network.azCount: region %s has %s with every instance type and endpoint of the configuration, fewer than %d",
			site.Region, count(len(site.Zones), "zone"), cfg.Network.AZCount)
	}
	site.Zones = site.Zones[:cfg.Network.AZCount]
	return site, nil
}

func openZones(ctx *pulumi.Context, opt pulumi.InvokeOption) ([]string, error) {
	zones, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
		State:   pulumi.StringRef("available"),
		Filters: []aws.GetAvailabilityZonesFilter{{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}},
	}, opt)
	if err != nil {
		return nil, fmt.Errorf("listing zones: %w", err)
	}
	return slices.Sorted(slices.Values(zones.Names)), nil
}

func zonesOffering(ctx *pulumi.Context, instanceType string, opt pulumi.InvokeOption) ([]string, error) {
	offers, err := ec2.GetInstanceTypeOfferings(ctx, &ec2.GetInstanceTypeOfferingsArgs{
		LocationType: pulumi.StringRef("availability-zone"),
		Filters:      []ec2.GetInstanceTypeOfferingsFilter{{Name: "instance-type", Values: []string{instanceType}}},
	}, opt)
	if err != nil {
		return nil, fmt.Errorf("asking where %s is offered: %w", instanceType, err)
	}
	return offers.Locations, nil
}

// intersect keeps the elements of a that are in b, in a's order.
func intersect(a, b []string) []string {
	var both []string
	for _, x := range a {
		if slices.Contains(b, x) {
			both = append(both, x)
		}
	}
	return both
}
