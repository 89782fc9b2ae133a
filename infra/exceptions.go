package infra

// Exception is a control that the system does not meet, on purpose.
type Exception struct {
	Controls string // ids of Security Hub, Checkov or Prowler
	Resource string
	Reason   string
	Cost     string // what meeting it would cost
}

// Exceptions is the source of docs/exceptions.md.
var Exceptions = []Exception{
	{"EC2.6, CKV2_AWS_11, vpc_flow_logs_enabled", "network", "Flow logs are planned and not there yet.", "about 0.50 USD per GB of log"},
	{"EC2.10, vpc_endpoint_for_ec2_enabled", "network", "Nothing inside calls the EC2 API. `network.extraEndpoints: [\"ec2\"]` adds the endpoint.", "7.30 USD a month and zone"},
	{"EC2.55, EC2.56, EC2.58, EC2.60", "network", "No instance pulls container images or talks to Incident Manager.", "7.30 USD a month, endpoint and zone"},
	{"vpc_endpoint_multi_az_enabled", "interface endpoints", "One zone by default; both instances live in it. `network.endpointAzCount: 2` meets it.", "29.20 USD a month more"},
	{"EC2.21, CKV2_AWS_1, ec2_networkacl_allow_ingress_any_port, ec2_networkacl_allow_ingress_tcp_port_22, ec2_networkacl_allow_ingress_tcp_port_3389", "default network ACL", "Security groups decide, rule by rule and by group. An ACL is stateless: it would have to open all high ports to S3 and to browsers anyway.", "no money; rules to keep in step"},
	{"EC2.9, CKV_AWS_88, ec2_instance_internet_facing_with_instance_profile, ec2_instance_public_ip, ec2_securitygroup_allow_ingress_from_internet_to_any_port, ec2_securitygroup_allow_ingress_from_internet_to_high_risk_tcp_ports", "web instance, only with `web.allowedCidrs`", "The operator asked for a public address. Without the list there is none.", "about 17 USD a month for a balancer, once there is one"},
	{"ELB.1, CKV_AWS_2, CKV_AWS_103", "web port 8080, only with `web.allowedCidrs`", "Plain HTTP: a certificate needs a name. Through Session Manager the way is encrypted.", "a domain, and a balancer at about 17 USD a month, once there is one"},
	{"CKV_AWS_126, ec2_instance_detailed_monitoring_enabled", "instances", "Five-minute metrics are enough here.", "2.10 USD a month and instance"},
	{"CKV_AWS_145, S3.17, CKV_AWS_158, CKV_AWS_166, CKV_AWS_184, CKV_AWS_189, CKV_AWS_337, CKV_AWS_98, cloudwatch_log_group_kms_encryption_enabled, s3_bucket_kms_encryption, sagemaker_endpoint_config_kms_encryption_enabled", "buckets, logs, vault, file system, volumes, parameters, endpoint storage", "Everything is encrypted with AWS's own keys; keys of one's own are for those who must be able to take access away from AWS services.", "1 USD a month and key, and requests"},
	{"SSM.2, SSM.3, ssm_managed_compliant_patching", "instances", "No patch associations: an instance is replaced, with a new image, rather than patched.", "no money; reboots at times AWS chooses"},
	{"S3.9, CKV_AWS_18, s3_bucket_server_access_logging_enabled", "buckets", "Access logs need a third bucket, which itself fails the same control.", "cents"},
	{"S3.7, CKV_AWS_144, s3_bucket_cross_region_replication", "buckets", "No second region: AWS Backup and versions cover loss, not the loss of a region.", "storage twice, and transfer"},
	{"S3.15, CKV_AWS_143, s3_bucket_object_lock", "buckets", "Locked objects cannot be deleted, and `pulumi destroy` would stop.", "no money; the clean-up"},
	{"S3.20, s3_bucket_no_mfa_delete", "buckets", "Only the root user can switch it on, by hand.", "no money; every deletion by hand"},
	{"EFS.7, efs_have_backup_enabled", "file system", "Its automatic backup fills a vault that `pulumi destroy` cannot remove. Our own plan backs the file system up.", "no money; a vault left behind"},
	{"SageMaker.5, CKV_AWS_370, sagemaker_models_network_isolation_enabled", "model from the hub", "The container loads the model from huggingface.co. `model.dataPath` turns isolation on.", "storage in S3, cents"},
	{"sagemaker_models_vpc_settings_configured", "model", "The endpoint's interfaces in our network outlive it and block `destroy`.", "no money; slow or broken clean-up"},
	{"SageMaker.4, sagemaker_endpoint_config_prod_variant_instances", "endpoint", "One instance by default; the app keeps uploads while it is away. `model.instanceCount: 2` meets it.", "168 USD a month more"},
	{"sagemaker_models_monitor_enabled, sagemaker_models_registry_in_use, sagemaker_clarify_exists", "model", "One ready-made model: nothing is trained or registered here.", "instances by the hour for each monitoring job"},
	{"CKV_AWS_338, cloudwatch_log_group_retention_policy_specific_days_enabled", "log groups", "30 days by default. `logs.retentionDays: 365` meets it.", "0.03 USD a month per GB"},
	{"iam_role_cross_service_confused_deputy_prevention", "roles of the instances", "EC2 does not say for which account it assumes a role; the condition would lock the instances out. The other roles have it.", "cannot be met"},
	{"backup_reportplans_exist", "backup", "Reports need a bucket of their own; the console shows the jobs.", "cents"},
	{"ec2_ebs_volume_protected_by_backup_plan", "volumes", "Backed up as parts of their instances, which the plan names: a volume named too would be kept twice.", "storage twice"},
	{"CKV_AWS_112, CKV_AWS_113, SSM.6", "Session Manager", "Logging and keys of sessions are settings of the whole account, not of this stack.", "a key at 1 USD a month, and log storage"},
	{"CloudWatch.15, CKV_AWS_319", "alarms", "Alarms are planned and not there yet.", "0.10 USD a month and alarm"},
	{"vpc_different_regions", "network", "One region, as for S3.7.", "everything twice"},
	{"ec2_ebs_volume_snapshots_exists", "volumes", "Snapshots are AWS Backup's, from the first night on.", "met after a day"},
	{"S3.1, EC2.7, EC2.172, GuardDuty.1, Config.1, CloudTrail.1, ec2_ebs_default_encryption, iam_password_policy_*, iam_support_role_created, iam_securityaudit_role_created, iam_check_saml_providers_sts, cloudwatch_changes_to_*, cloudwatch_log_metric_filter_*", "the account", "Settings of the whole account, alarms on its trail among them: a stack must not change them for its neighbours.", "varies; the account's owner decides"},
}
