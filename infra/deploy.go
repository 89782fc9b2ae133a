package infra

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Deploy is the program: it declares one stack.
func Deploy(ctx *pulumi.Context) error {
	all, err := parseStackConfig(os.Getenv("PULUMI_CONFIG"))
	if err != nil {
		return err
	}
	outputs, err := Declare(ctx, all, RealTools)
	if err != nil {
		return err
	}
	for name, value := range outputs {
		ctx.Export(name, value)
	}
	return nil
}

// system is everything Deploy makes, for the outputs.
type system struct {
	cfg       Config
	site      Site
	network   *Network
	firewall  *Firewall
	roles     *Identities
	logs      *Logs
	storage   *Storage
	endpoints *Endpoints
	artifacts *Artifacts
	model     *Model
	database  *Database
	web       *Web
	backup    *Backup // nil when switched off
}

// Declare makes every resource of the stack, in deployment order, and returns
// its outputs. all is the whole stack configuration by "namespace:key".
func Declare(ctx *pulumi.Context, all map[string]string, tools Tools) (pulumi.Map, error) {
	cfg, err := LoadConfig(ctx, all)
	if err != nil {
		return nil, err
	}
	provider, err := newProvider(ctx, all)
	if err != nil {
		return nil, err
	}
	site, err := survey(ctx, cfg, provider)
	if err != nil {
		return nil, err
	}
	s := &system{cfg: cfg, site: site}
	for _, step := range []func(*pulumi.Context, Tools, pulumi.ResourceOption) error{
		s.ground, s.paths, s.services, s.instances, s.safety,
	} {
		if err := step(ctx, tools, pulumi.Provider(provider)); err != nil {
			return nil, err
		}
	}
	return s.outputs(), nil
}

// ground lays what everything stands on.
func (s *system) ground(ctx *pulumi.Context, _ Tools, with pulumi.ResourceOption) (err error) {
	if s.network, err = NewNetwork(ctx, "network", NetworkArgs{Config: s.cfg.Network, Site: s.site}, with); err != nil {
		return err
	}
	if s.firewall, err = NewFirewall(ctx, "firewall", FirewallArgs{
		Site:         s.site,
		VPC:          s.network.VPC.ID(),
		AllowedCIDRs: s.cfg.Web.AllowedCIDRs,
	}, with); err != nil {
		return err
	}
	if s.roles, err = NewIdentities(ctx, "identities", with); err != nil {
		return err
	}
	if s.logs, err = NewLogs(ctx, "logs", LogsArgs{
		Config:       s.cfg.Logs,
		Site:         s.site,
		EndpointName: endpointName(s.site.Stack),
	}, with); err != nil {
		return err
	}
	s.storage, err = NewStorage(ctx, "storage", StorageArgs{
		Site:    s.site,
		Keep:    s.cfg.ProtectData,
		Subnets: s.network.Private,
		Group:   s.firewall.Files.ID(),
		WebRole: s.roles.Web.Role.Arn,
	}, with)
	return err
}

// paths opens the ways from the private network to AWS.
func (s *system) paths(ctx *pulumi.Context, _ Tools, with pulumi.ResourceOption) (err error) {
	s.endpoints, err = NewEndpoints(ctx, "endpoints", EndpointsArgs{
		Config:      s.cfg,
		Site:        s.site,
		VPC:         s.network.VPC.ID(),
		Subnets:     s.network.Private[:s.cfg.Network.EndpointAZCount],
		RouteTables: s.network.RouteTables,
		Group:       s.firewall.Endpoints,
		Clients:     map[string]*ec2.SecurityGroup{"web": s.firewall.Web, "database": s.firewall.Database},
		Roles:       []pulumi.StringInput{s.roles.Web.Role.Arn, s.roles.Database.Role.Arn},
		Buckets:     []pulumi.StringInput{s.storage.ImageBucketARN, s.storage.ArtifactBucketARN},
		LogGroups:   []pulumi.StringInput{s.logs.App.Arn, s.logs.Database.Arn},
		Parameters: list(
			s.site.arn("ssm", "parameter"+passwordParameter(s.site.Stack)),
			s.site.arn("ssm", "parameter"+caParameter(s.site.Stack))),
		ModelARN: s.site.arn("sagemaker", "endpoint/"+endpointName(s.site.Stack)),
	}, with)
	return err
}

// services uploads the files and starts the model.
func (s *system) services(ctx *pulumi.Context, tools Tools, with pulumi.ResourceOption) (err error) {
	if s.artifacts, err = NewArtifacts(ctx, "artifacts", ArtifactsArgs{
		Config: s.cfg,
		Tools:  tools,
		Bucket: s.storage.ArtifactBucket,
	}, with); err != nil {
		return err
	}
	s.model, err = NewModel(ctx, "model", ModelArgs{
		Config:         s.cfg.Model,
		Site:           s.site,
		LogGroup:       s.logs.Endpoint.Arn,
		ArtifactBucket: s.storage.ArtifactBucket,
		BucketARN:      s.storage.ArtifactBucketARN,
		Data:           s.artifacts.Model,
	}, with)
	return err
}

// instances starts database and web. Neither waits for the other nor for the
// endpoint, the slowest of all.
func (s *system) instances(ctx *pulumi.Context, _ Tools, with pulumi.ResourceOption) (err error) {
	ready := slices.Concat(s.network.Routes, s.firewall.Rules, s.endpoints.Ready)
	if s.database, err = NewDatabase(ctx, "database", DatabaseArgs{
		Config:         s.cfg.Database,
		Stack:          s.cfg,
		Site:           s.site,
		Keep:           s.cfg.ProtectData,
		Identity:       s.roles.Database,
		Subnet:         s.network.Private[0],
		Group:          s.firewall.Database.ID(),
		MySQL:          s.artifacts.MySQL,
		ArtifactBucket: s.storage.ArtifactBucket,
		ArtifactARN:    s.storage.ArtifactBucketARN,
		ImageBucket:    s.storage.ImageBucket,
		ImageARN:       s.storage.ImageBucketARN,
		LogGroup:       s.logs.Database.Arn,
		LogGroupName:   s.logs.Database.Name,
		Ready:          ready,
	}, with); err != nil {
		return err
	}
	subnets := s.network.Private
	if s.cfg.Web.public() {
		subnets = s.network.Public
	}
	s.web, err = NewWeb(ctx, "web", WebArgs{
		Config:         s.cfg.Web,
		Stack:          s.cfg,
		Site:           s.site,
		Identity:       s.roles.Web,
		Subnets:        subnets,
		Group:          s.firewall.Web.ID(),
		Gateway:        s.network.Gateway,
		App:            s.artifacts.App,
		ArtifactBucket: s.storage.ArtifactBucket,
		ArtifactARN:    s.storage.ArtifactBucketARN,
		ImageBucket:    s.storage.ImageBucket,
		ImageARN:       s.storage.ImageBucketARN,
		FileSystem:     s.storage.FileSystem,
		FileSystemARN:  s.storage.FileSystemARN,
		AccessPoint:    s.storage.AccessPoint,
		AccessPointARN: s.storage.AccessPointARN,
		LogGroup:       s.logs.App.Arn,
		LogGroupName:   s.logs.App.Name,
		EndpointName:   s.model.EndpointName,
		DatabaseHost:   s.database.Host,
		PasswordARN:    s.database.PasswordARN,
		CAARN:          s.database.CAARN,
		Ready:          slices.Concat(ready, s.storage.MountTargets),
	}, with)
	return err
}

// safety backs up everything that holds data.
func (s *system) safety(ctx *pulumi.Context, _ Tools, with pulumi.ResourceOption) (err error) {
	if !s.cfg.Backup.Enabled {
		return nil
	}
	// An instance brings its volumes.
	holders := []pulumi.StringInput{s.database.InstanceARN, s.storage.FileSystemARN, s.storage.ImageBucketARN}
	for _, arn := range s.web.InstanceARNs {
		holders = append(holders, arn)
	}
	s.backup, err = NewBackup(ctx, "backup", BackupArgs{
		Config:        s.cfg.Backup,
		Site:          s.site,
		Keep:          s.cfg.ProtectData,
		Resources:     holders,
		InstanceRoles: []pulumi.StringInput{s.roles.Web.Role.Arn, s.roles.Database.Role.Arn},
	}, with)
	return err
}

// outputs are what people and scripts read from the stack.
func (s *system) outputs() pulumi.Map {
	web := pulumi.StringArray{}
	shells := pulumi.StringArray{}
	var doctors []any
	for _, id := range s.web.Instances {
		web = append(web, id)
		shells = append(shells, s.sessionCommand(id, ""))
		doctors = append(doctors, s.sessionCommand(id,
			` --document-name AWS-StartNonInteractiveCommand --parameters '{"command":["sudo /usr/local/bin/vinfast-doctor"]}'`))
	}
	shells = append(shells, s.sessionCommand(s.database.Instance, ""))
	first := s.web.Instances[0]
	out := pulumi.Map{
		"url":                pulumi.Sprintf("http://%s:%d", s.web.Address, webPort),
		"webInstanceIds":     web,
		"databaseInstanceId": s.database.Instance,
		"imageBucket":        s.storage.ImageBucket,
		"endpointName":       pulumi.String(s.model.EndpointName),
		"logGroup":           s.logs.App.Name,
		"fileSystemId":       s.storage.FileSystem,
		"backupPlanId":       pulumi.String(""),
		"backupVault":        pulumi.String(""),
		"openCommand": s.sessionCommand(first, fmt.Sprintf(
			` --document-name AWS-StartPortForwardingSession --parameters '{"portNumber":["%d"],"localPortNumber":["%d"]}'`, webPort, webPort)),
		"shellCommands": shells,
		"doctorCommand": pulumi.Sprintf(strings.TrimSuffix(strings.Repeat("%s; ", len(doctors)), "; "), doctors...),
		"expect":        pulumi.String(s.expect()),
	}
	if !s.reachable() {
		out["url"] = pulumi.String(fmt.Sprintf("http://127.0.0.1:%d", webPort)) // while openCommand runs
	}
	if s.backup != nil {
		out["backupPlanId"], out["backupVault"] = s.backup.Plan, s.backup.Vault
	}
	return out
}

// reachable reports whether the page answers at a public address.
func (s *system) reachable() bool { return s.cfg.Web.public() && s.cfg.Network.Internet }

func (s *system) sessionCommand(instance pulumi.IDOutput, more string) pulumi.StringOutput {
	return pulumi.Sprintf("aws ssm start-session --region %s --target %s%s", s.site.Region, instance, more)
}

// expect says what happens in the next minutes, and what it costs.
func (s *system) expect() string {
	text := "The instances install themselves in about five minutes; then the page answers, and doctorCommand checks every path from the web instance. "
	if !s.reachable() {
		text += "The page is reachable through openCommand only. "
	}
	if !s.cfg.Model.Enabled {
		text += "The endpoint is off: uploads are answered with 503 until model.enabled is true. "
	}
	return text + costSentence(s.cfg)
}
