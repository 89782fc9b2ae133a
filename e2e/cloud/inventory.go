package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
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
		{"logs group", a.logGroups}, {"s3 bucket", a.buckets}, {"ssm parameter", a.Parameters},
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

func (a *Account) plans(ctx context.Context) ([]string, error) {
	answer, err := a.Backup.ListBackupPlans(ctx, &backup.ListBackupPlansInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.BackupPlansList, func(x backuptypes.BackupPlansListMember) string { return aws.ToString(x.BackupPlanId) }), nil
}

func (a *Account) vaults(ctx context.Context) ([]string, error) {
	answer, err := a.Backup.ListBackupVaults(ctx, &backup.ListBackupVaultsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.BackupVaultList, func(x backuptypes.BackupVaultListMember) string { return aws.ToString(x.BackupVaultName) }), nil
}

func (a *Account) accessPoints(ctx context.Context) ([]string, error) {
	answer, err := a.EFS.DescribeAccessPoints(ctx, &efs.DescribeAccessPointsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.AccessPoints, func(x efstypes.AccessPointDescription) string { return aws.ToString(x.AccessPointId) }), nil
}

// fileSystems lists their mount targets with them.
func (a *Account) fileSystems(ctx context.Context) ([]string, error) {
	answer, err := a.EFS.DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.FileSystems, func(x efstypes.FileSystemDescription) string {
		return fmt.Sprintf("%s with %d mount targets", aws.ToString(x.FileSystemId), x.NumberOfMountTargets)
	}), nil
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
	return each(answer.LogGroups, func(x logtypes.LogGroup) string { return aws.ToString(x.LogGroupName) }), nil
}

func (a *Account) buckets(ctx context.Context) ([]string, error) {
	answer, err := a.S3.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Buckets, func(x s3types.Bucket) string { return aws.ToString(x.Name) }), nil
}

// Parameters are the account's own. Moto lists AWS's public ones with them, which AWS does not.
func (a *Account) Parameters(ctx context.Context) ([]string, error) {
	var names []string
	p := ssm.NewDescribeParametersPaginator(a.SSM, &ssm.DescribeParametersInput{})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, parameter := range page.Parameters {
			if name := aws.ToString(parameter.Name); !strings.HasPrefix(name, "/aws/") {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func (a *Account) models(ctx context.Context) ([]string, error) {
	answer, err := a.SageMaker.ListModels(ctx, &sagemaker.ListModelsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Models, func(x sagemakertypes.ModelSummary) string { return aws.ToString(x.ModelName) }), nil
}

func (a *Account) configurations(ctx context.Context) ([]string, error) {
	answer, err := a.SageMaker.ListEndpointConfigs(ctx, &sagemaker.ListEndpointConfigsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.EndpointConfigs, func(x sagemakertypes.EndpointConfigSummary) string { return aws.ToString(x.EndpointConfigName) }), nil
}

func (a *Account) sageMakerEndpoints(ctx context.Context) ([]string, error) {
	answer, err := a.SageMaker.ListEndpoints(ctx, &sagemaker.ListEndpointsInput{})
	if err != nil {
		return nil, err
	}
	return each(answer.Endpoints, func(x sagemakertypes.EndpointSummary) string { return aws.ToString(x.EndpointName) }), nil
}
