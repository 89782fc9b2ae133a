package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (a *Account) addresses(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Addresses, func(x ec2types.Address) string { return aws.ToString(x.AllocationId) }), nil
}

func (a *Account) endpoints(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.VpcEndpoints, func(x ec2types.VpcEndpoint) string { return aws.ToString(x.VpcEndpointId) }), nil
}

func (a *Account) flowLogs(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.FlowLogs, func(x ec2types.FlowLog) string { return aws.ToString(x.FlowLogId) }), nil
}

func (a *Account) gateways(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.InternetGateways, func(x ec2types.InternetGateway) string { return aws.ToString(x.InternetGatewayId) }), nil
}

// Instances are the instances that are not terminated.
func (a *Account) Instances(ctx context.Context) ([]ec2types.Instance, error) {
	answer, err := a.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	if err != nil {
		return nil, err
	}
	var live []ec2types.Instance
	for _, reservation := range answer.Reservations {
		for _, instance := range reservation.Instances {
			if instance.State.Name != ec2types.InstanceStateNameTerminated {
				live = append(live, instance)
			}
		}
	}
	return live, nil
}

func (a *Account) instances(ctx context.Context) ([]string, error) {
	live, err := a.Instances(ctx)
	return each(live, func(x ec2types.Instance) string { return aws.ToString(x.InstanceId) }), err
}

func (a *Account) interfaces(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.NetworkInterfaces, func(x ec2types.NetworkInterface) string {
		return aws.ToString(x.NetworkInterfaceId) + " " + aws.ToString(x.Description)
	}), nil
}

func (a *Account) networks(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Vpcs, func(x ec2types.Vpc) string { return aws.ToString(x.VpcId) }), nil
}

func (a *Account) routeTables(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.RouteTables, func(x ec2types.RouteTable) string { return aws.ToString(x.RouteTableId) }), nil
}

func (a *Account) groups(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.SecurityGroups, func(x ec2types.SecurityGroup) string { return aws.ToString(x.GroupId) }), nil
}

func (a *Account) rules(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.SecurityGroupRules, func(x ec2types.SecurityGroupRule) string { return aws.ToString(x.SecurityGroupRuleId) }), nil
}

func (a *Account) subnets(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Subnets, func(x ec2types.Subnet) string { return aws.ToString(x.SubnetId) }), nil
}

func (a *Account) volumes(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Volumes, func(x ec2types.Volume) string { return aws.ToString(x.VolumeId) }), nil
}
