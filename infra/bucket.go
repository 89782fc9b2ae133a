package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// This is the only file that knows pulumi-aws's S3 resources. Version 6 calls
// them ...V2, version 7 drops the suffix: the move touches this file.

// bucketArgs: Keep is required; Expire is optional.
type bucketArgs struct {
	Site   Site
	Keep   bool           // do not delete the bucket, nor what is in it
	Expire map[string]int // prefix to days after which its objects go
}

// noncurrentDays is how long replaced and deleted versions can be brought back.
const noncurrentDays = 30

// newBucket makes a private, versioned, encrypted bucket that speaks TLS only.
func newBucket(ctx *pulumi.Context, name string, args bucketArgs, parent pulumi.Resource) (*s3.BucketV2, error) {
	under := pulumi.Parent(parent)
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{
		ForceDestroy: pulumi.Bool(!args.Keep),
		Tags:         args.Site.tags(name),
	}, under, pulumi.Protect(args.Keep))
	if err != nil {
		return nil, fmt.Errorf("creating bucket %s: %w", name, err)
	}
	block, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.ID(),
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, under)
	if err != nil {
		return nil, fmt.Errorf("blocking public access to bucket %s: %w", name, err)
	}
	if _, err := s3.NewBucketOwnershipControls(ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(),
		Rule:   s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, under); err != nil {
		return nil, fmt.Errorf("setting owner of bucket %s: %w", name, err)
	}
	if _, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"),
			},
		}},
	}, under); err != nil {
		return nil, fmt.Errorf("encrypting bucket %s: %w", name, err)
	}
	if err := keepVersions(ctx, name, bucket, args, under); err != nil {
		return nil, err
	}
	// One after the other: S3 answers two changes of a bucket's access at once with a conflict.
	if _, err := s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: bucket.ID(),
		Policy: policy(statement{
			Sid:        "TLSOnly",
			Deny:       true,
			Principal:  anyone,
			Actions:    []string{"s3:*"},
			Resources:  []pulumi.StringInput{bucket.Arn, pulumi.Sprintf("%s/*", bucket.Arn)},
			Conditions: when("Bool", "aws:SecureTransport", pulumi.String("false")),
		}),
	}, under, pulumi.DependsOn([]pulumi.Resource{block})); err != nil {
		return nil, fmt.Errorf("setting policy of bucket %s: %w", name, err)
	}
	// AWS Backup follows changes of a bucket through EventBridge.
	if _, err := s3.NewBucketNotification(ctx, name, &s3.BucketNotificationArgs{
		Bucket:      bucket.ID(),
		Eventbridge: pulumi.Bool(true),
	}, under); err != nil {
		return nil, fmt.Errorf("setting events of bucket %s: %w", name, err)
	}
	return bucket, nil
}

// keepVersions turns versioning on and sweeps what nobody will ask for again.
func keepVersions(ctx *pulumi.Context, name string, bucket *s3.BucketV2, args bucketArgs, under pulumi.ResourceOption) error {
	versioning, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket:                  bucket.ID(),
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, under)
	if err != nil {
		return fmt.Errorf("versioning bucket %s: %w", name, err)
	}
	rules := s3.BucketLifecycleConfigurationV2RuleArray{s3.BucketLifecycleConfigurationV2RuleArgs{
		Id:     pulumi.String("sweep"),
		Status: pulumi.String("Enabled"),
		Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
		AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
			DaysAfterInitiation: pulumi.Int(7),
		},
		NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
			NoncurrentDays: pulumi.Int(noncurrentDays),
		},
		// What a delete leaves behind when the last version is gone.
		Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{ExpiredObjectDeleteMarker: pulumi.Bool(true)},
	}}
	for _, prefix := range sortedKeys(args.Expire) {
		rules = append(rules, s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:         pulumi.String("expire " + prefix),
			Status:     pulumi.String("Enabled"),
			Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(prefix)},
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(args.Expire[prefix])},
		})
	}
	if _, err := s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules:  rules,
	}, under, pulumi.DependsOn([]pulumi.Resource{versioning})); err != nil {
		return fmt.Errorf("setting lifecycle of bucket %s: %w", name, err)
	}
	return nil
}

// newObject puts a local file into a bucket. The key holds the file's digest,
// so that a changed file is another object and an unchanged one no diff. The
// old object goes last: an "up" that fails half-way must not take away what
// instances and endpoint still run.
func newObject(ctx *pulumi.Context, name string, bucket pulumi.IDOutput, key, path string, parent pulumi.Resource) (*s3.BucketObjectv2, error) {
	object, err := s3.NewBucketObjectv2(ctx, name, &s3.BucketObjectv2Args{
		Bucket:      bucket,
		Key:         pulumi.String(key),
		Source:      pulumi.NewFileAsset(path),
		ContentType: pulumi.String("application/octet-stream"),
	}, pulumi.Parent(parent), pulumi.DeleteBeforeReplace(false)) // the provider's own choice, since the key is given
	if err != nil {
		return nil, fmt.Errorf("uploading %s: %w", key, err)
	}
	return object, nil
}
