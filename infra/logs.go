package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// LogsArgs: all fields are required.
type LogsArgs struct {
	Config       LogsConfig
	Site         Site
	EndpointName string
}

// Logs are the log groups. They exist before anything writes, so that nobody
// needs the right to create one and "destroy" leaves none behind.
type Logs struct {
	pulumi.ResourceState

	App, Database, Endpoint *cloudwatch.LogGroup
}

// NewLogs makes the groups.
func NewLogs(ctx *pulumi.Context, name string, args LogsArgs, opts ...pulumi.ResourceOption) (*Logs, error) {
	c := &Logs{}
	if err := ctx.RegisterComponentResource("vinfast:infra:Logs", name, c, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	for _, g := range []struct {
		name, path string
		group      **cloudwatch.LogGroup
	}{
		{"app", "/vinfast/" + args.Site.Stack + "/app", &c.App},
		{"database", "/vinfast/" + args.Site.Stack + "/database", &c.Database},
		// SageMaker chooses this name.
		{"endpoint", "/aws/sagemaker/Endpoints/" + args.EndpointName, &c.Endpoint},
	} {
		group, err := cloudwatch.NewLogGroup(ctx, g.name, &cloudwatch.LogGroupArgs{
			Name:            pulumi.String(g.path),
			RetentionInDays: pulumi.Int(args.Config.RetentionDays),
			Tags:            args.Site.tags(g.name),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("creating log group %s: %w", g.path, err)
		}
		*g.group = group
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"app": c.App.Name, "database": c.Database.Name, "endpoint": c.Endpoint.Name})
}
