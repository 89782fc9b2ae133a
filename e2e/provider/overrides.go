package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

// special is where the official provider departs from the bridge's defaults, as far as the inputs and outputs in its SDK
// and its published behaviour show.
func special(resource string) *tfbridge.ResourceInfo {
	fields := map[string]*tfbridge.SchemaInfo{}
	info := &tfbridge.ResourceInfo{Fields: fields}
	switch resource {
	case "aws_s3_bucket":
		fields["bucket"] = tfbridge.AutoNameTransform("bucket", 63, strings.ToLower)
		for _, list := range []string{"logging", "replication_configuration", "server_side_encryption_configuration", "versioning", "website"} {
			fields[list] = &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.False()}
		}
	case "aws_s3_object":
		fields["key"] = tfbridge.AutoName("key", 1024, "")
		fields["source"] = &tfbridge.SchemaInfo{Asset: &tfbridge.AssetTranslation{Kind: tfbridge.FileAsset}}
	case "aws_s3_bucket_policy", "aws_vpc_endpoint", "aws_vpc_endpoint_policy", "aws_efs_file_system_policy",
		"aws_backup_vault_policy", "aws_iam_policy", "aws_iam_role_policy":
		fields["policy"] = document()
	case "aws_iam_role":
		fields["name"] = tfbridge.AutoName("name", 64, "-")
		fields["assume_role_policy"] = document()
	case "aws_iam_role_policy_attachment", "aws_efs_mount_target", "aws_security_group_rule",
		"aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule":
		info.DeleteBeforeReplace = true
	case "aws_efs_file_system":
		fields["creation_token"] = tfbridge.AutoName("creationToken", 255, "-")
	case "aws_security_group", "aws_default_security_group", "aws_default_network_acl":
		fields["ingress"] = &tfbridge.SchemaInfo{Name: "ingress"}
		fields["egress"] = &tfbridge.SchemaInfo{Name: "egress"}
	}
	return info
}

// document is a JSON document: two spellings of one document are no difference.
func document() *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Type: "string", Transform: tfbridge.TransformJSONDocument}
}

// config are the provider's own settings whose types differ.
func config() map[string]*tfbridge.SchemaInfo {
	return map[string]*tfbridge.SchemaInfo{
		"skip_metadata_api_check": {Type: "boolean"},
	}
}
