package infra_test

import (
	"slices"
	"strings"
)

func serviceControls() []control {
	return []control{
		{"CKV_AWS_66", "logs expire", has("LogGroup", "retentionInDays", "30"), drop("LogGroup", "app", "retentionInDays"), nil},
		{"D8 endpoint log", "the endpoint's log group is there first", func(p *plan) []string {
			return some(p.One("LogGroup", "endpoint").Text("name") == "/aws/sagemaker/Endpoints/vinfast-dev", "SageMaker would make its own")
		}, drop("LogGroup", "endpoint", "name"), nil},
		{"CKV2_AWS_34", "parameters are encrypted", has("Parameter", "type", "SecureString"), drop("Parameter", "password", "type"), nil},
		{"SSM.4", "no documents of ours", func(p *plan) []string {
			return some(len(p.Of("Document")) == 0, "there is an SSM document")
		}, func(p *plan) {
			p.Resources = append(p.Resources, record{Type: "aws:ssm/document:Document", Name: "shell"})
		}, nil},
		{"D7 no password in state", "the parameters hold a placeholder, as a secret, for ever", func(p *plan) []string {
			return each("Parameter", func(r *record) string {
				return unless(r.Text("value") == "unset" && slices.Contains(r.Secrets, "value") &&
					slices.Contains(r.Options.IgnoreChanges, "value") && slices.Contains(r.Options.IgnoreChanges, "type") &&
					!slices.Contains(r.Options.IgnoreChanges, "name") && !slices.Contains(r.Options.IgnoreChanges, "tags"), "would overwrite or show the value")
			})(p)
		}, func(p *plan) { p.One("Parameter", "password").Secrets = nil }, nil},
		{"SageMaker.5", "a model of our own is isolated, one from the hub is not", func(p *plan) []string {
			return each("Model", func(r *record) string {
				fromS3 := strings.HasPrefix(r.Text("primaryContainer.modelDataUrl"), "s3://artifacts-")
				fromHub := r.Text("primaryContainer.environment.HF_MODEL_ID") != ""
				return unless(fromS3 != fromHub && (r.Text("enableNetworkIsolation") == "true") == fromS3, "isolation does not fit the source")
			})(onlyComponentFree(p))
		}, drop("Model", "model", "enableNetworkIsolation"), nil},
		{"D8 endpoint mode", "an endpoint of another mode is another endpoint", func(p *plan) []string {
			var bad []string
			for _, r := range p.Of("Endpoint") {
				bad = append(bad, some(r.Text("tags.mode") == "real-time" && r.Options.DeleteBeforeReplace &&
					slices.Equal(r.Options.ReplaceOnChanges, []string{"tags.mode"}), "the endpoint would be converted")...)
			}
			return bad
		}, drop("Endpoint", "endpoint", "tags.mode"), nil},
		{"D8 endpoint name", "only the endpoint's own name is fixed", func(p *plan) []string {
			var bad []string
			for _, r := range p.Of("Endpoint") {
				bad = append(bad, some(r.Text("name") == "vinfast-dev", "the endpoint's name is %q", r.Text("name"))...)
			}
			config := p.One("EndpointConfiguration", "endpoint")
			return append(bad, some(config.At("name") == nil && config.At("productionVariants.0.variantName") == "AllTraffic", "the configuration cannot be replaced")...)
		}, drop("EndpointConfiguration", "endpoint", "productionVariants.0.variantName"), nil},
		{"D8 hub container", "the container knows its task", func(p *plan) []string {
			return has("Model", "primaryContainer.environment.HF_TASK", "image-classification")(onlyComponentFree(p))
		}, drop("Model", "model", "primaryContainer.environment.HF_TASK"), nil},
		{"D8 model in use", "the configuration uses the model", has("EndpointConfiguration", "productionVariants.0.modelName", "model-1a2b3c4"),
			drop("EndpointConfiguration", "endpoint", "productionVariants.0.modelName"), nil},
		{"Backup.1", "a vault of our own", func(p *plan) []string {
			return some(len(p.Of("Vault")) == 1 && p.One("Plan", "plan").Text("rules.0.targetVaultName") == "vault-1a2b3c4", "the plan fills another vault")
		}, drop("Plan", "plan", "rules.0.targetVaultName"), nil},
		{"backup_plans_exist", "daily at ten in Bangkok, in an hour and two", func(p *plan) []string {
			plan := p.One("Plan", "plan")
			for path, want := range map[string]string{
				"schedule": "cron(0 10 * * ? *)", "scheduleExpressionTimezone": "Asia/Bangkok",
				"startWindow": "60", "completionWindow": "120", "lifecycle.deleteAfter": "7",
			} {
				if got := plan.Text("rules.0." + path); got != want {
					return []string{path + " is " + got + ", want " + want}
				}
			}
			return nil
		}, drop("Plan", "plan", "rules.0.scheduleExpressionTimezone"), nil},
		{"Backup.2", "recovery points are tagged", has("Plan", "rules.0.recoveryPointTags.Project", "vinfast-classifier"),
			drop("Plan", "plan", "rules.0.recoveryPointTags"), nil},
		{"D8 tags", "few default tags, on everything", func(p *plan) []string {
			tags, _ := p.One("aws", "aws").At("defaultTags.tags").(map[string]any)
			return some(len(tags) >= 3 && len(tags) <= 8, "there are %d default tags", len(tags))
		}, drop("aws", "aws", "defaultTags"), nil},
	}
}

// onlyComponentFree hides our component of the same short name.
func onlyComponentFree(p *plan) *plan {
	var c plan
	for _, r := range p.Resources {
		if r.Custom {
			c.Resources = append(c.Resources, r)
		}
	}
	return &c
}

// orderControls: what must be there before something else boots, mounts or
// goes. None of it is an input, so nothing but the order keeps it.
func orderControls() []control {
	return []control{
		{"D8 order database", "the database instance waits for its way to AWS", waitsFor("database",
			"RolePolicy database", "BucketObjectv2 mysql", "SecurityGroupEgressRule database-to-endpoints", "SecurityGroupIngressRule endpoints-from-database",
			"SecurityGroupEgressRule database-to-s3", "RouteTableAssociation private-1", "VpcEndpoint s3", "VpcEndpoint ssm", "VpcEndpoint ssmmessages", "VpcEndpoint logs"),
			forget("database", "VpcEndpoint", "ssmmessages"), nil},
		{"D8 order web", "a web instance waits for its way to AWS and its files", func(p *plan) []string {
			bad := waitsFor(webInstance(p).Name, "RolePolicy web", "BucketObjectv2 app", "SecurityGroupEgressRule web-to-endpoints", "SecurityGroupIngressRule endpoints-from-web",
				"SecurityGroupEgressRule web-to-s3", "SecurityGroupEgressRule web-to-files", "SecurityGroupIngressRule files-from-web", "SecurityGroupEgressRule web-to-database",
				"RouteTableAssociation public-1", "RouteTableAssociation private-1", "VpcEndpoint s3", "VpcEndpoint ssm", "VpcEndpoint ssmmessages", "VpcEndpoint logs",
				"VpcEndpoint sagemaker.runtime", "MountTarget files-1", "MountTarget files-2", "FileSystemPolicy files")(p)
			return append(bad, each("MountTarget", func(r *record) string { return unless(len(texts(r, "securityGroups")) == 1, "has no group") })(p)...)
		}, forget("web-1", "MountTarget", "files-1"), nil},
		{"D8 order endpoint", "nothing waits for the SageMaker endpoint", func(p *plan) []string {
			var bad []string
			for _, endpoint := range p.Of("Endpoint") {
				for i := range p.Resources {
					bad = append(bad, some(!p.Resources[i].Follows(endpoint), "%s waits for the endpoint", &p.Resources[i])...)
				}
			}
			return bad
		}, func(p *plan) {
			r := p.One("Instance", "web-1")
			r.After = append(r.After, p.One("Endpoint", "endpoint").URN)
		}, nil},
		{"D8 order database user", "only attachment and backup use the database instance", func(p *plan) []string {
			var bad []string
			for i := range p.Resources {
				r := &p.Resources[i]
				used := r.Follows(p.One("Instance", "database")) || (r.Custom && r.Kind() != "Selection" && r.Mentions(p.One("Instance", "database").ID()))
				bad = append(bad, some(!used || r.Kind() == "VolumeAttachment" || r.Kind() == "Selection", "%s hangs on the database instance", r)...)
			}
			return bad
		}, func(p *plan) {
			r := p.One("Instance", "web-1")
			r.After = append(r.After, p.One("Instance", "database").URN)
		}, nil},
		{"D8 order vault", "the vault goes before its role's rights", func(p *plan) []string {
			vault := p.One("Vault", "vault")
			return some(vault.Follows(p.One("RolePolicyAttachment", "backup-1")) && vault.Follows(p.One("RolePolicyAttachment", "backup-2")), "recovery points could not be deleted")
		}, func(p *plan) { p.One("Vault", "vault").After = nil }, nil},
		{"D8 order address", "addresses need the gateway", func(p *plan) []string {
			var bad []string
			for _, r := range slices.Concat(p.Of("Eip"), p.Of("EipAssociation")) {
				bad = append(bad, some(r.Follows(p.One("InternetGateway", "gateway")), "%s does not wait for the gateway", r)...)
			}
			return bad
		}, func(p *plan) { p.One("Eip", "web").After = nil }, nil},
		{"D8 order model", "the model waits for its role's rights", func(p *plan) []string {
			var bad []string
			for _, r := range slices.Concat(p.Of("Model"), p.Of("Endpoint")) {
				if r.Custom {
					bad = append(bad, some(r.Follows(p.One("RolePolicy", "model")), "%s does not wait for its rights", r)...)
				}
			}
			return bad
		}, func(p *plan) { p.One("Endpoint", "endpoint").After = nil }, nil},
		{"D8 order bucket policy", "a bucket's policy comes after its block", each("BucketPolicy", func(r *record) string {
			return unless(slices.ContainsFunc(r.After, func(urn string) bool { return strings.HasSuffix(urn, "BucketPublicAccessBlock::"+r.Name) }), "may collide with the block")
		}), func(p *plan) { p.One("BucketPolicy", "images").After = nil }, nil},
		{"D8 endpoint interfaces", "endpoints get time to go", each("VpcEndpoint", func(r *record) string {
			return unless(r.Text("vpcEndpointType") == "Gateway" || r.Options.DeleteTimeout == "30m", "may time out on delete")
		}), func(p *plan) { p.One("VpcEndpoint", "ssm").Options.DeleteTimeout = "" }, nil},
	}
}

func waitsFor(instance string, others ...string) func(*plan) []string {
	return func(p *plan) []string {
		r := p.One("Instance", instance)
		var bad []string
		for _, other := range others {
			kind, name, _ := strings.Cut(other, " ")
			found := p.One(kind, name)
			if found.Name == "" {
				continue // another rule misses it
			}
			bad = append(bad, some(r.Follows(found), "%s does not wait for %s", r, other)...)
		}
		return bad
	}
}

// forget takes one dependency from an instance.
func forget(instance, kind, name string) func(*plan) {
	return func(p *plan) {
		r, other := p.One("Instance", instance), p.One(kind, name)
		r.After = slices.DeleteFunc(r.After, func(urn string) bool { return urn == other.URN })
	}
}
