package infra_test

import (
	"fmt"
	"slices"
	"strings"
)

func bucketControls() []control {
	return []control{
		{"S3.8", "public access blocked", func(p *plan) []string {
			bad := forEvery(p, "BucketV2", "BucketPublicAccessBlock", "bucket")
			for _, key := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
				bad = append(bad, has("BucketPublicAccessBlock", key, "true")(p)...)
			}
			return bad
		}, drop("BucketPublicAccessBlock", "images", "restrictPublicBuckets"), nil},
		{"S3.12", "no access lists", func(p *plan) []string {
			return append(forEvery(p, "BucketV2", "BucketOwnershipControls", "bucket"),
				has("BucketOwnershipControls", "rule.objectOwnership", "BucketOwnerEnforced")(p)...)
		}, drop("BucketOwnershipControls", "artifacts", "rule.objectOwnership"), nil},
		{"S3.5", "TLS only", func(p *plan) []string {
			bad := forEvery(p, "BucketV2", "BucketPolicy", "bucket")
			return append(bad, each("BucketPolicy", func(r *record) string {
				for _, s := range r.Statements("policy") {
					if s.Effect == "Deny" && slices.Equal(s.Action, []string{"s3:*"}) && len(s.Resource) == 2 &&
						slices.Equal(s.Condition["Bool"]["aws:SecureTransport"], []string{"false"}) {
						return ""
					}
				}
				return "admits plain HTTP"
			})(p)...)
		}, drop("BucketPolicy", "artifacts", "policy"), nil},
		{"CKV_AWS_19", "encrypted", func(p *plan) []string {
			return append(forEvery(p, "BucketV2", "BucketServerSideEncryptionConfigurationV2", "bucket"),
				has("BucketServerSideEncryptionConfigurationV2", "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm", "AES256")(p)...)
		}, drop("BucketServerSideEncryptionConfigurationV2", "images", "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm"), nil},
		{"S3.14", "versioned", func(p *plan) []string {
			return append(forEvery(p, "BucketV2", "BucketVersioningV2", "bucket"),
				has("BucketVersioningV2", "versioningConfiguration.status", "Enabled")(p)...)
		}, drop("BucketVersioningV2", "images", "versioningConfiguration.status"), nil},
		{"S3.10", "old versions expire", lifecycle("noncurrentVersionExpiration.noncurrentDays", 365),
			drop("BucketLifecycleConfigurationV2", "images", "rules.0.noncurrentVersionExpiration"), nil},
		{"CKV_AWS_300", "broken uploads expire", lifecycle("abortIncompleteMultipartUpload.daysAfterInitiation", 7),
			drop("BucketLifecycleConfigurationV2", "images", "rules.0.abortIncompleteMultipartUpload"), nil},
		{"S3.11", "changes are announced", func(p *plan) []string {
			return append(forEvery(p, "BucketV2", "BucketNotification", "bucket"), has("BucketNotification", "eventbridge", "true")(p)...)
		}, drop("BucketNotification", "images", "eventbridge"), nil},
		{"S3.6", "no bucket policy admits anybody", each("BucketPolicy", func(r *record) string {
			for _, s := range r.Statements("policy") {
				if s.Effect == "Allow" {
					return "statement " + s.Sid + " allows something"
				}
			}
			return ""
		}), func(p *plan) {
			r := p.One("BucketPolicy", "images")
			s := r.Statements("policy")
			extra := s[0]
			extra.Sid, extra.Effect = "Open", "Allow"
			r.SetStatements("policy", append(s, extra))
		}, nil},
		{"s3_bucket_shadow_resource_vulnerability", "names cannot be guessed", each("BucketV2", func(r *record) string {
			return unless(r.At("bucket") == nil && r.At("bucketPrefix") == nil, "has a name of its own")
		}), func(p *plan) { p.One("BucketV2", "images").Put("bucket", "sagemaker-us-east-1-123456789012") }, nil},
		{"D7 destroy", "destroy empties what holds data, unless it is to be kept", func(p *plan) []string {
			kept := p.One("BucketV2", "images").Options.Protect
			want := fmt.Sprint(!kept)
			bad := some(p.One("BucketV2", "images").Text("forceDestroy") == want, "images: forceDestroy is not %s", want)
			bad = append(bad, some(p.One("Vault", "vault").Text("forceDestroy") == want, "vault: forceDestroy is not %s", want)...)
			return append(bad, some(p.One("BucketV2", "artifacts").Text("forceDestroy") == "true", "artifacts are not deleted")...)
		}, drop("Vault", "vault", "forceDestroy"), nil},
		{"D7 artifacts", "files lie under their digest", each("BucketObjectv2", func(r *record) string {
			parts := strings.Split(r.Text("key"), "/")
			return unless(len(parts) == 3 && len(parts[1]) == 64, "key "+r.Text("key")+" holds no digest")
		}), drop("BucketObjectv2", "app", "key"), nil},
	}
}

func lifecycle(path string, most float64) func(*plan) []string {
	return func(p *plan) []string {
		bad := forEvery(p, "BucketV2", "BucketLifecycleConfigurationV2", "bucket")
		return append(bad, each("BucketLifecycleConfigurationV2", func(r *record) string {
			days, ok := r.At("rules.0." + path).(float64)
			return unless(ok && days >= 1 && days <= most && r.Text("rules.0.status") == "Enabled" && r.Text("rules.0.filter.prefix") == "", path+" is not set for all objects")
		})(p)...)
	}
}

func fileControls() []control {
	return []control{
		{"EFS.1", "encrypted", has("FileSystem", "encrypted", "true"), drop("FileSystem", "files", "encrypted"), nil},
		{"EFS.3", "access point has a root of its own", each("AccessPoint", func(r *record) string {
			return unless(len(r.Text("rootDirectory.path")) > 1, "begins at /")
		}), drop("AccessPoint", "app", "rootDirectory.path"), nil},
		{"EFS.4", "access point has a user of its own", join(has("AccessPoint", "posixUser.uid", "1500"), has("AccessPoint", "posixUser.gid", "1500")),
			drop("AccessPoint", "app", "posixUser"), nil},
		{"EFS.6", "mount targets are private", each("MountTarget", func(r *record) string {
			return unless(strings.HasPrefix(r.Text("subnetId"), "Subnet-private-"), "is in "+r.Text("subnetId"))
		}), func(p *plan) { p.One("MountTarget", "files-1").Put("subnetId", "Subnet-public-1") }, nil},
		{"efs_multi_az_enabled", "mount targets in two zones", func(p *plan) []string {
			return some(len(p.Of("MountTarget")) >= 2, "only %d mount target", len(p.Of("MountTarget")))
		}, remove("MountTarget", "files-2"), nil},
		{"efs_not_publicly_accessible", "a policy admits the web role through the access point", func(p *plan) []string {
			r := p.One("FileSystemPolicy", "files")
			allowed := 0
			for _, s := range r.Statements("policy") {
				if s.Effect != "Allow" {
					continue
				}
				allowed++
				if fmt.Sprint(s.Principal) != "map[AWS:"+p.One("Role", "web").ARN()+"]" ||
					len(s.Condition["StringEquals"]["elasticfilesystem:AccessPointArn"]) != 1 ||
					!slices.Equal(s.Condition["Bool"]["elasticfilesystem:AccessedViaMountTarget"], []string{"true"}) {
					return []string{"statement " + s.Sid + " admits others"}
				}
			}
			return some(allowed == 1, "there is no policy")
		}, without("FileSystemPolicy", "files", "policy", "WebThroughAccessPoint"), nil},
		{"D7 EFS TLS", "EFS over TLS only", func(p *plan) []string {
			for _, s := range p.One("FileSystemPolicy", "files").Statements("policy") {
				if s.Effect == "Deny" && slices.Equal(s.Condition["Bool"]["aws:SecureTransport"], []string{"false"}) {
					return some(strings.Contains(webInstance(p).Text("userData"), "Options=_netdev,tls,iam,accesspoint=fsap-"), "mounted without TLS")
				}
			}
			return []string{"plain NFS is not refused"}
		}, without("FileSystemPolicy", "files", "policy", "TLSOnly"), nil},
		{"D8 mount policy", "the web role itself asks for TLS and the access point", func(p *plan) []string {
			for _, s := range p.One("RolePolicy", "web").Statements("policy") {
				if s.Sid == "SharedFiles" {
					return some(s.Condition["StringEquals"] != nil && s.Condition["Bool"] != nil, "the role may mount without conditions")
				}
			}
			return []string{"the web role may not mount"}
		}, without("RolePolicy", "web", "policy", "SharedFiles"), nil},
		{"EC2.28", "both kinds of instance are backed up", backedUp("Instance"),
			unselect("Instance/web-1"), []string{"D7 backup"}},
		{"EFS.2", "the file system is backed up", backedUp("FileSystem"), unselect("FileSystem/files"), []string{"D7 backup"}},
		{"D7 backup", "everything that holds data is in one selection", func(p *plan) []string {
			return append(join(backedUp("Instance"), backedUp("FileSystem"))(p),
				some(slices.Contains(texts(p.One("Selection", "everything"), "resources"), "arn:aws:s3:::images-1a2b3c4"), "images are not backed up")...)
		}, unselect("images"), nil},
	}
}

func backedUp(kind string) func(*plan) []string {
	return func(p *plan) []string {
		chosen := texts(p.One("Selection", "everything"), "resources")
		var bad []string
		for _, r := range p.Of(kind) {
			bad = append(bad, some(slices.Contains(chosen, r.ARN()), "%s is not backed up", r)...)
		}
		return bad
	}
}

// unselect takes what ends so out of the backup.
func unselect(part string) func(*plan) {
	return func(p *plan) {
		r := p.One("Selection", "everything")
		list := r.At("resources").([]any)
		r.Put("resources", slices.DeleteFunc(list, func(v any) bool { return strings.Contains(fmt.Sprint(v), part) }))
	}
}
