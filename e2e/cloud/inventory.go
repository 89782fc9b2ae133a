package cloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Inventory lists all that is in the account, as "service kind id", sorted: every kind of thing that the program or AWS on
// its behalf makes. What EC2 keeps showing for a while after its end (terminated, deleted) is not there.
func (a *Account) Inventory(ctx context.Context) ([]string, error) {
	var found []string
	for _, list := range []struct {
		what string
		ids  func(context.Context) ([]string, error)
	}{
		{"ec2 address", a.addresses}, {"ec2 endpoint", a.endpoints}, {"ec2 flow log", a.flowLogs},
		{"ec2 gateway", a.gateways}, {"ec2 instance", a.instances}, {"ec2 interface", a.interfaces},
		{"ec2 network", a.networks}, {"ec2 route table", a.routeTables}, {"ec2 security group", a.groups},
		{"ec2 security group rule", a.rules}, {"ec2 subnet", a.subnets}, {"ec2 volume", a.volumes},
		{"backup plan", a.plans}, {"backup vault", a.vaults},
		{"efs access point", a.accessPoints}, {"efs file system", a.fileSystems},
		{"iam policy", a.policies}, {"iam profile", a.profiles}, {"iam role", a.roles},
		{"logs group", a.logGroups}, {"s3 bucket", a.buckets}, {"ssm parameter", a.parameters},
		{"sagemaker model", a.models}, {"sagemaker configuration", a.configurations}, {"sagemaker endpoint", a.sageMakerEndpoints},
	} {
		ids, err := list.ids(ctx)
		if err != nil {
			return nil, fmt.Errorf("list every %s: %w", list.what, err)
		}
		for _, id := range ids {
			found = append(found, list.what+" "+id)
		}
	}
	slices.Sort(found)
	return found, nil
}

// pages collects the ids of all pages.
func pages[Output any](ctx context.Context, more func() bool, next func(context.Context) (Output, error), ids func(Output) []string) ([]string, error) {
	var all []string
	for more() {
		page, err := next(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, ids(page)...)
	}
	return all, nil
}

// each maps a list to its ids; an empty id is left out.
func each[T any](list []T, id func(T) string) []string {
	var ids []string
	for _, element := range list {
		if text := id(element); text != "" {
			ids = append(ids, text)
		}
	}
	return ids
}

func (a *Account) addresses(ctx context.Context) ([]string, error) {
	answer, err := a.EC2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Addresses, func(x ec2types.Address) string { return aws.ToString(x.AllocationId) }), nil
}

func (a *Account) endpoints(ctx context.Context) ([]string, error) {
	p := ec2.NewDescribeVpcEndpointsPaginator(a.EC2, &ec2.DescribeVpcEndpointsInput{})
	return pages(ctx, p.HasMorePages, func(ctx context.Context) (*ec2.DescribeVpcEndpointsOutput, error) { return p.NextPage(ctx) },
		func(page *ec2.DescribeVpcEndpointsOutput) []string {
			return each(page.VpcEndpoints, func(x ec2types.VpcEndpoint) string {
				if x.State == ec2types.StateDeleted || x.State == "deleted" {
					return ""
				}
				return aws.ToString(x.VpcEndpointId)
			})
		})
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

func (a *Account) plans(ctx context.Context) ([]string, error) {
	answer, err := a.Backup.ListBackupPlans(ctx, &backup.ListBackupPlansInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, plan := range answer.BackupPlansList {
		ids = append(ids, aws.ToString(plan.BackupPlanId))
	}
	return ids, nil
}

func (a *Account) vaults(ctx context.Context) ([]string, error) {
	answer, err := a.Backup.ListBackupVaults(ctx, &backup.ListBackupVaultsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, vault := range answer.BackupVaultList {
		ids = append(ids, aws.ToString(vault.BackupVaultName))
	}
	return ids, nil
}

func (a *Account) accessPoints(ctx context.Context) ([]string, error) {
	answer, err := a.EFS.DescribeAccessPoints(ctx, &efs.DescribeAccessPointsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, point := range answer.AccessPoints {
		ids = append(ids, aws.ToString(point.AccessPointId))
	}
	return ids, nil
}

// fileSystems lists their mount targets with them.
func (a *Account) fileSystems(ctx context.Context) ([]string, error) {
	answer, err := a.EFS.DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, system := range answer.FileSystems {
		ids = append(ids, fmt.Sprintf("%s with %d mount targets", aws.ToString(system.FileSystemId), system.NumberOfMountTargets))
	}
	return ids, nil
}

func (a *Account) policies(ctx context.Context) ([]string, error) {
	answer, err := a.IAM.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal})
	if err != nil {
		return nil, err
	}
	return each(answer.Policies, func(x iamtypes.Policy) string { return aws.ToString(x.Arn) }), nil
}

func (a *Account) profiles(ctx context.Context) ([]string, error) {
	answer, err := a.IAM.ListInstanceProfiles(ctx, &iam.ListInstanceProfilesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.InstanceProfiles, func(x iamtypes.InstanceProfile) string { return aws.ToString(x.InstanceProfileName) }), nil
}

func (a *Account) roles(ctx context.Context) ([]string, error) {
	answer, err := a.IAM.ListRoles(ctx, &iam.ListRolesInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Roles, func(x iamtypes.Role) string { return aws.ToString(x.RoleName) }), nil
}

func (a *Account) logGroups(ctx context.Context) ([]string, error) {
	answer, err := a.Logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, group := range answer.LogGroups {
		ids = append(ids, aws.ToString(group.LogGroupName))
	}
	return ids, nil
}

func (a *Account) buckets(ctx context.Context) ([]string, error) {
	answer, err := a.S3.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, bucket := range answer.Buckets {
		ids = append(ids, aws.ToString(bucket.Name))
	}
	return ids, nil
}

// parameters are the account's own, not AWS's public ones.
func (a *Account) parameters(ctx context.Context) ([]string, error) {
	answer, err := a.SSM.DescribeParameters(ctx, &ssm.DescribeParametersInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, parameter := range answer.Parameters {
		ids = append(ids, aws.ToString(parameter.Name))
	}
	return ids, nil
}

func (a *Account) models(ctx context.Context) ([]string, error) {
	answer, err := a.SageMaker.ListModels(ctx, &sagemaker.ListModelsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, model := range answer.Models {
		ids = append(ids, aws.ToString(model.ModelName))
	}
	return ids, nil
}

func (a *Account) configurations(ctx context.Context) ([]string, error) {
	answer, err := a.SageMaker.ListEndpointConfigs(ctx, &sagemaker.ListEndpointConfigsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, configuration := range answer.EndpointConfigs {
		ids = append(ids, aws.ToString(configuration.EndpointConfigName))
	}
	return ids, nil
}

func (a *Account) sageMakerEndpoints(ctx context.Context) ([]string, error) {
	answer, err := a.SageMaker.ListEndpoints(ctx, &sagemaker.ListEndpointsInput{})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, endpoint := range answer.Endpoints {
		ids = append(ids, aws.ToString(endpoint.EndpointName))
	}
	return ids, nil
}
