package infra_test

import (
	"regexp"
	"slices"
	"strings"
)

var secretPattern = regexp.MustCompile(`(?i)AKIA[0-9A-Z]{16}|-----BEGIN|(password|secret|token)["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{12,}`)

func instanceControls() []control {
	return []control{
		{"EC2.8", "IMDSv2 required", has("Instance", "metadataOptions.httpTokens", "required"),
			drop("Instance", "web-1", "metadataOptions.httpTokens"), nil},
		{"CKV_AWS_341", "metadata stays on the instance", has("Instance", "metadataOptions.httpPutResponseHopLimit", "1"),
			drop("Instance", "database", "metadataOptions.httpPutResponseHopLimit"), nil},
		{"CKV_AWS_8", "root volumes encrypted", has("Instance", "rootBlockDevice.encrypted", "true"),
			drop("Instance", "web-1", "rootBlockDevice.encrypted"), nil},
		{"EC2.3", "data volume encrypted", has("Volume", "encrypted", "true"), drop("Volume", "data", "encrypted"), nil},
		{"EC2.9", "no public address of its own", each("Instance", func(r *record) string {
			return unless(r.At("associatePublicIpAddress") == nil, "asks for a public address, or says something that changes when it gets a fixed one")
		}), func(p *plan) { p.One("Instance", "web-1").Put("associatePublicIpAddress", true) }, nil},
		{"EC2.12", "addresses are in use", func(p *plan) []string {
			return forEvery(p, "Eip", "EipAssociation", "allocationId")
		}, drop("EipAssociation", "web", "allocationId"), nil},
		{"EC2.17", "one network interface", each("Instance", func(r *record) string {
			list, _ := r.At("networkInterfaces").([]any)
			return unless((len(list) == 1) != (r.At("subnetId") != nil), "does not have exactly one interface")
		}), func(p *plan) { p.One("Instance", "database").Put("subnetId", "Subnet-private-1") }, nil},
		{"EC2.180", "source and destination checked", func(p *plan) []string {
			bad := has("NetworkInterface", "sourceDestCheck", "true")(p)
			return append(bad, some(webInstance(p).Text("sourceDestCheck") == "true", "the web instance is not checked")...)
		}, drop("NetworkInterface", "database", "sourceDestCheck"), nil},
		{"CKV_AWS_135", "EBS-optimised where the type can", each("Instance", func(r *record) string {
			return unless(r.Text("ebsOptimized") == "true" || strings.HasPrefix(r.Text("instanceType"), "t2."), "is not EBS-optimised")
		}), drop("Instance", "web-1", "ebsOptimized"), nil},
		{"CKV_AWS_46", "no secret in user data", each("Instance", func(r *record) string {
			return unless(r.Text("userData") != "" && !secretPattern.MatchString(r.Text("userData")), "user data holds "+secretPattern.FindString(r.Text("userData")))
		}), func(p *plan) {
			r := p.One("Instance", "database")
			r.Put("userData", r.Text("userData")+"PASSWORD=correcthorsebattery")
		}, nil},
		{"CKV2_AWS_41", "instances have a role", each("Instance", func(r *record) string {
			return unless(strings.HasPrefix(r.Text("iamInstanceProfile"), "web-") || strings.HasPrefix(r.Text("iamInstanceProfile"), "database-"), "has no role")
		}), drop("Instance", "database", "iamInstanceProfile"), nil},
		{"SSM.1", "roles may register with SSM and open sessions", func(p *plan) []string {
			var bad []string
			for _, role := range []string{"web", "database"} {
				actions := actionsOf(p.One("RolePolicy", role))
				for _, action := range []string{"ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"} {
					bad = append(bad, some(slices.Contains(actions, action), "role %s may not %s", role, action)...)
				}
			}
			return bad
		}, without("RolePolicy", "web", "policy", "SessionChannels"), nil},
		{"CKV_AWS_79 keys", "no key pair", each("Instance", func(r *record) string { return unless(r.At("keyName") == nil, "has a key pair") }),
			func(p *plan) { p.One("Instance", "web-1").Put("keyName", "mine") }, nil},
		{"D7 user data", "user data fits and replaces the instance", each("Instance", func(r *record) string {
			return unless(len(r.Text("userData")) <= 16384 && strings.HasPrefix(r.Text("userData"), "#cloud-config\n") &&
				r.Text("userDataReplaceOnChange") == "true", "user data is too long, no cloud-config, or does not replace the instance")
		}), drop("Instance", "web-1", "userDataReplaceOnChange"), nil},
		{"D8 image", "a new image replaces nothing", each("Instance", func(r *record) string {
			return unless(slices.Equal(r.Options.IgnoreChanges, []string{"ami"}) && r.Text("ami") != "", "follows new images")
		}), func(p *plan) { p.One("Instance", "web-1").Options.IgnoreChanges = nil }, nil},
		{"D8 root tags", "root volumes are tagged, and only so; the provider adds the default tags", each("Instance", func(r *record) string {
			tags, _ := r.At("rootBlockDevice.tags").(map[string]any)
			return unless(len(tags) == 1 && r.Text("rootBlockDevice.tags.Name") != "" && r.At("volumeTags") == nil, "root volume has no name, or tags that differ at the next preview")
		}), drop("Instance", "web-1", "rootBlockDevice.tags"), nil},
		{"D8 database first out", "one database instance at a time", func(p *plan) []string {
			return some(p.One("Instance", "database").Options.DeleteBeforeReplace, "a second database instance would fight for address and volume")
		}, func(p *plan) { p.One("Instance", "database").Options.DeleteBeforeReplace = false }, nil},
		{"D8 detach", "the volume leaves a stopped instance", has("VolumeAttachment", "stopInstanceBeforeDetaching", "true"),
			drop("VolumeAttachment", "data", "stopInstanceBeforeDetaching"), nil},
		{"D8 volume zone", "the data volume is in its subnet's zone and stays", each("Volume", func(r *record) string {
			return unless(r.Text("availabilityZone") == "us-east-1a" && slices.Contains(r.Options.IgnoreChanges, "availabilityZone"), "may move")
		}), drop("Volume", "data", "availabilityZone"), nil},
		{"D8 address outlives", "the database's address is not the instance's", func(p *plan) []string {
			return some(p.One("Instance", "database").Text("networkInterfaces.0.networkInterfaceId") == p.One("NetworkInterface", "database").ID() &&
				strings.Contains(webInstance(p).Text("userData"), "VINFAST_DB_HOST=10.20.128.10\n"), "the address goes with the instance")
		}, drop("Instance", "database", "networkInterfaces"), []string{"EC2.17"}},
	}
}

// webInstance is the first one, whatever its architecture.
func webInstance(p *plan) *record {
	for _, r := range p.Of("Instance") {
		if strings.HasPrefix(r.Name, "web-1") {
			return r
		}
	}
	return &record{}
}

func actionsOf(r *record) []string {
	var all []string
	for _, s := range r.Statements("policy") {
		all = append(all, s.Action...)
	}
	return all
}

// without takes a statement out of a policy.
func without(kind, name, key, sid string) func(*plan) {
	return func(p *plan) {
		r := p.One(kind, name)
		statements := r.Statements(key)
		for i := range statements {
			if statements[i].Sid == sid {
				r.SetStatements(key, slices.Delete(statements, i, i+1))
				return
			}
		}
		panic("no statement " + sid)
	}
}
