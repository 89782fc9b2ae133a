package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// BackupArgs: all fields are required.
type BackupArgs struct {
	Config        BackupConfig
	Site          Site
	Keep          bool
	Resources     []pulumi.StringInput // ARNs of everything that holds data
	InstanceRoles []pulumi.StringInput // ARNs a restored instance may get
}

// Backup is a vault of our own, filled by a daily plan, with one role that
// backs up and one that restores.
type Backup struct {
	pulumi.ResourceState

	Plan  pulumi.IDOutput
	Vault pulumi.StringOutput // name
}

// NewBackup makes vault, plan and selection.
func NewBackup(ctx *pulumi.Context, name string, args BackupArgs, opts ...pulumi.ResourceOption) (*Backup, error) {
	c := &Backup{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Backup", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	role, rights, err := c.role(ctx, args.Site, "backup", "AWS Backup, backing up",
		"service-role/AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup")
	if err != nil {
		return nil, err
	}
	if err := c.restore(ctx, args); err != nil {
		return nil, err
	}
	vault, err := backup.NewVault(ctx, "vault", &backup.VaultArgs{
		// From the first "up": it must be in the state when "destroy" comes.
		ForceDestroy: pulumi.Bool(!args.Keep),
		Tags:         args.Site.tags("vault"),
		// Deleting recovery points needs the role's rights to be still there.
	}, pulumi.Parent(c), pulumi.DependsOn(rights), pulumi.Protect(args.Keep))
	if err != nil {
		return nil, fmt.Errorf("creating backup vault: %w", err)
	}
	plan, err := backup.NewPlan(ctx, "plan", &backup.PlanArgs{
		Rules: backup.PlanRuleArray{backup.PlanRuleArgs{
			RuleName:                   pulumi.String("daily"),
			TargetVaultName:            vault.Name,
			Schedule:                   pulumi.String(args.Config.Schedule),
			ScheduleExpressionTimezone: pulumi.String(args.Config.Timezone),
			StartWindow:                pulumi.Int(args.Config.StartWindowMinutes),
			CompletionWindow:           pulumi.Int(args.Config.CompletionWindowMinutes),
			Lifecycle:                  backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(args.Config.RetentionDays)},
			RecoveryPointTags:          pulumi.ToStringMap(defaultTags(args.Site.Stack)),
		}},
		Tags: args.Site.tags("plan"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("creating backup plan: %w", err)
	}
	_, err = backup.NewSelection(ctx, "everything", &backup.SelectionArgs{
		PlanId:     plan.ID(),
		IamRoleArn: role.Arn,
		Resources:  pulumi.StringArray(args.Resources),
	}, pulumi.Parent(c), pulumi.DependsOn(rights))
	if err != nil {
		return nil, fmt.Errorf("creating backup selection: %w", err)
	}
	c.Plan, c.Vault = plan.ID(), vault.Name
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"planId": c.Plan, "vault": c.Vault})
}

// role makes a role for AWS Backup with AWS's own policies: what a backup does
// to each service is AWS's to say.
func (c *Backup) role(ctx *pulumi.Context, site Site, name, description string, policies ...string) (*iam.Role, []pulumi.Resource, error) {
	role, err := newRole(ctx, name, description, trustOwnAccount(site, "backup.amazonaws.com"), c)
	if err != nil {
		return nil, nil, err
	}
	var attached []pulumi.Resource
	for i, p := range policies {
		attachment, err := iam.NewRolePolicyAttachment(ctx, fmt.Sprintf("%s-%d", name, i+1), &iam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: pulumi.String(fmt.Sprintf("arn:%s:iam::aws:policy/%s", site.Partition, p)),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, nil, fmt.Errorf("attaching policy %s: %w", p, err)
		}
		attached = append(attached, attachment)
	}
	return role, attached, nil
}

// restore makes the role to give when restoring; it may hand a restored
// instance the role its predecessor had.
func (c *Backup) restore(ctx *pulumi.Context, args BackupArgs) error {
	role, _, err := c.role(ctx, args.Site, "restore", "AWS Backup, restoring",
		"service-role/AWSBackupServiceRolePolicyForRestores", "AWSBackupServiceRolePolicyForS3Restore")
	if err != nil {
		return err
	}
	_, err = newRolePolicy(ctx, "restore", role, c, statement{
		Sid:        "InstanceRoles",
		Actions:    []string{"iam:PassRole"},
		Resources:  args.InstanceRoles,
		Conditions: when("StringEquals", "iam:PassedToService", pulumi.String("ec2.amazonaws.com")),
	})
	return err
}
