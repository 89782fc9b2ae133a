package e2e_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// vpcEndpoints checks the ways to AWS that need no internet.
func (s system) vpcEndpoints(t *testing.T) {
	endpoints := must[*ec2.DescribeVpcEndpointsOutput](t, "list endpoints")(s.EC2.DescribeVpcEndpoints(t.Context(), &ec2.DescribeVpcEndpointsInput{}))
	found := map[string]ec2types.VpcEndpoint{}
	for _, endpoint := range endpoints.VpcEndpoints {
		found[strings.TrimPrefix(*endpoint.ServiceName, "com.amazonaws."+s.Region+".")] = endpoint
	}
	gateway, ok := found["s3"]
	if !ok || gateway.VpcEndpointType != ec2types.VpcEndpointTypeGateway || len(gateway.RouteTableIds) != 2 {
		t.Errorf("S3 has no gateway at both route tables: %+v", gateway)
	}
	for _, service := range []string{"logs", "ssm", "ssmmessages", "sagemaker.runtime"} {
		endpoint, ok := found[service]
		if !ok || endpoint.VpcEndpointType != ec2types.VpcEndpointTypeInterface || !aws.ToBool(endpoint.PrivateDnsEnabled) || len(endpoint.SubnetIds) == 0 {
			t.Errorf("%s has no interface endpoint with a private name: %+v", service, endpoint)
		}
	}
	for service, endpoint := range found {
		if !strings.Contains(aws.ToString(endpoint.PolicyDocument), `"Condition"`) {
			t.Errorf("the policy of the endpoint %s allows everybody everything: %s", service, aws.ToString(endpoint.PolicyDocument))
		}
	}
}

// sessionManager checks that both instances may open a session, which needs no open port.
func (s system) sessionManager(t *testing.T) {
	for _, instance := range []ec2types.Instance{s.web(t), s.instance(t, s.output("databaseInstanceId"))} {
		profile := (*instance.IamInstanceProfile.Arn)[strings.LastIndex(*instance.IamInstanceProfile.Arn, "/")+1:]
		answer := must[*iam.GetInstanceProfileOutput](t, "read the instance profile")(s.IAM.GetInstanceProfile(t.Context(), &iam.GetInstanceProfileInput{InstanceProfileName: &profile}))
		role := answer.InstanceProfile.Roles[0].RoleName
		rights := ""
		names := must[*iam.ListRolePoliciesOutput](t, "list the role's policies")(s.IAM.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: role}))
		for _, name := range names.PolicyNames {
			policy := must[*iam.GetRolePolicyOutput](t, "read a policy")(s.IAM.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: role, PolicyName: &name}))
			rights += must[string](t, "decode a policy")(url.QueryUnescape(*policy.PolicyDocument))
		}
		for _, action := range []string{"ssm:UpdateInstanceInformation", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"} {
			if !strings.Contains(rights, action) {
				t.Errorf("the role %s lacks %s", *role, action)
			}
		}
	}
	for _, output := range []string{"openCommand", "doctorCommand"} {
		if command := s.output(output); !strings.Contains(command, *s.web(t).InstanceId) {
			t.Errorf("%s is %q and does not name the web instance", output, command)
		}
	}
}

// network checks who can come in, and that only public subnets have a way out.
func (s system) network(t *testing.T) {
	ctx := t.Context()
	web := s.web(t)
	rules := must[*ec2.DescribeSecurityGroupRulesOutput](t, "list rules")(s.EC2.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{}))
	vpc := must[*ec2.DescribeSecurityGroupsOutput](t, "list groups")(s.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{
		Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{*web.VpcId}}}}))
	var world []string
	for _, rule := range rules.SecurityGroupRules {
		ours := slices.ContainsFunc(vpc.SecurityGroups, func(x ec2types.SecurityGroup) bool { return aws.ToString(x.GroupId) == aws.ToString(rule.GroupId) })
		if !ours {
			continue
		}
		if aws.ToString(rule.CidrIpv4) != "" || aws.ToString(rule.CidrIpv6) != "" {
			world = append(world, *rule.GroupId)
			if aws.ToBool(rule.IsEgress) || aws.ToInt32(rule.FromPort) != 8080 || aws.ToInt32(rule.ToPort) != 8080 {
				t.Errorf("the rule %s opens ports %d to %d", *rule.SecurityGroupRuleId, aws.ToInt32(rule.FromPort), aws.ToInt32(rule.ToPort))
			}
		}
	}
	if len(world) != 1 || len(web.SecurityGroups) != 1 || world[0] != aws.ToString(web.SecurityGroups[0].GroupId) {
		t.Errorf("the groups %q have addresses in their rules, the web instance's are %+v", world, web.SecurityGroups)
	}
	tables := must[*ec2.DescribeRouteTablesOutput](t, "list route tables")(s.EC2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{
		Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{*web.VpcId}}}}))
	for _, table := range tables.RouteTables {
		out := slices.ContainsFunc(table.Routes, func(x ec2types.Route) bool { return aws.ToString(x.DestinationCidrBlock) == "0.0.0.0/0" })
		public := slices.ContainsFunc(table.Associations, func(x ec2types.RouteTableAssociation) bool { return aws.ToString(x.SubnetId) == *web.SubnetId })
		if out != public {
			t.Errorf("the route table %s: has the web instance's subnet %t, a route out %t", *table.RouteTableId, public, out)
		}
	}
}

// backup checks the plan's hours and that everything with data is selected.
func (s system) backup(t *testing.T) {
	ctx := t.Context()
	id := aws.String(s.output("backupPlanId"))
	plan := must[*backup.GetBackupPlanOutput](t, "read the plan")(s.Backup.GetBackupPlan(ctx, &backup.GetBackupPlanInput{BackupPlanId: id}))
	rule := plan.BackupPlan.Rules[0]
	if *rule.TargetBackupVaultName != s.output("backupVault") || *rule.ScheduleExpression != "cron(0 10 * * ? *)" || *rule.ScheduleExpressionTimezone != "Asia/Bangkok" ||
		*rule.StartWindowMinutes != 60 || *rule.CompletionWindowMinutes != 120 {
		t.Errorf("the rule is %s %s, start within %d, complete within %d minutes", *rule.ScheduleExpression, *rule.ScheduleExpressionTimezone,
			*rule.StartWindowMinutes, *rule.CompletionWindowMinutes)
	}
	selections := must[*backup.ListBackupSelectionsOutput](t, "list selections")(s.Backup.ListBackupSelections(ctx, &backup.ListBackupSelectionsInput{BackupPlanId: id}))
	var selected []string
	for _, listed := range selections.BackupSelectionsList {
		selection := must[*backup.GetBackupSelectionOutput](t, "read a selection")(s.Backup.GetBackupSelection(ctx,
			&backup.GetBackupSelectionInput{BackupPlanId: id, SelectionId: listed.SelectionId}))
		selected = append(selected, selection.BackupSelection.Resources...)
	}
	for _, holder := range []string{*s.web(t).InstanceId, s.output("databaseInstanceId"), s.output("fileSystemId"), s.output("imageBucket")} {
		if !slices.ContainsFunc(selected, func(arn string) bool {
			return strings.HasSuffix(arn, "/"+holder) || strings.HasSuffix(arn, ":::"+holder)
		}) {
			t.Errorf("%s is not backed up; these are: %q", holder, selected)
		}
	}
}
