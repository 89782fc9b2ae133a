// Package photostore keeps the photos' original bytes in S3, each with its
// prediction as metadata.
package photostore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"vinfast-classifier/app/car"
)

// Bounds of one call. A body may take as long as the caller's context allows:
// the caller knows how slow its own client is.
const (
	dialTimeout   = 3 * time.Second
	answerTimeout = 5 * time.Second // from the end of the request to the first byte
	attempts      = 3
	maxBackoff    = time.Second
)

// Store implements car.Photos.
type Store struct {
	client *s3.Client
	bucket string
}

// New returns a store in bucket, by the region, credentials and endpoint of
// config.
func New(config aws.Config, bucket string) *Store {
	client := s3.NewFromConfig(config, func(o *s3.Options) {
		// A server of one's own has no DNS name for each bucket.
		o.UsePathStyle = o.BaseEndpoint != nil
		o.Retryer = retry.AddWithErrorCodes(retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = attempts, maxBackoff
		}), conflict)
		// Built upon, not replaced: config may have brought authorities.
		if c, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = c.WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
				WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerTimeout })
		}
	})
	return &Store{client: client, bucket: bucket}
}

// Codes of S3's errors. A conflict is another conditional write of the key
// under way; the next try finds its outcome.
const (
	conflict     = "ConditionalRequestConflict"
	precondition = "PreconditionFailed"
	noSuchKey    = "NoSuchKey"
	notFound     = "NotFound" // of HEAD, which has no body to tell more
)

// unfit are the codes for what S3 will never take, whoever asks.
var unfit = map[string]bool{"KeyTooLongError": true, "MetadataTooLarge": true, "EntityTooLarge": true}

// Put stores body under p.Key with the prediction as metadata. An object that
// is there already stays as it is: the condition is checked by S3 itself, so
// of several writers, and of a try whose answer got lost and its repetition,
// exactly one writes.
func (s *Store) Put(ctx context.Context, p car.Prediction, body io.ReadSeeker) error {
	meta, err := encode(p)
	if err != nil {
		return fmt.Errorf("put photo %q: %w: %w", p.Key, car.ErrUnfit, err)
	}
	_, err = s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:      &s.bucket,
		Key:         &p.Key,
		Body:        body,
		ContentType: &p.ContentType,
		Metadata:    meta,
		IfNoneMatch: aws.String("*"),
	})
	if unfit[code(err)] {
		err = fmt.Errorf("%w: %w", car.ErrUnfit, err)
	}
	if err != nil && code(err) != precondition {
		return fmt.Errorf("put photo %q: %w", p.Key, err)
	}
	return nil
}

// Get opens the photo under key and tells its size in bytes; car.ErrNotFound
// if there is none. The caller closes it.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return nil, 0, fmt.Errorf("get photo %q: %w", key, missing(err))
	}
	return out.Body, aws.ToInt64(out.ContentLength), nil
}

// Describe returns the prediction that Put wrote with the photo under key;
// car.ErrNotFound if there is no photo, ErrForeign if it was not Put here.
func (s *Store) Describe(ctx context.Context, key string) (car.Prediction, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return car.Prediction{}, fmt.Errorf("describe photo %q: %w", key, missing(err))
	}
	p, err := decode(out.Metadata)
	if err != nil {
		return car.Prediction{}, fmt.Errorf("describe photo %q: %w: %w", key, ErrForeign, err)
	}
	p.Key, p.ContentType = key, aws.ToString(out.ContentType)
	return p, nil
}

// Delete removes the photo under key; a missing one is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key}); err != nil {
		return fmt.Errorf("delete photo %q: %w", key, err)
	}
	return nil
}

// Ping tells whether the bucket is there and ours to use.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket}); err != nil {
		return fmt.Errorf("head bucket %q: %w", s.bucket, err)
	}
	return nil
}

// missing puts car.ErrNotFound in the place of S3's two errors for it.
func missing(err error) error {
	if c := code(err); c == noSuchKey || c == notFound {
		return car.ErrNotFound
	}
	return err
}

func code(err error) string {
	var fault smithy.APIError
	if errors.As(err, &fault) {
		return fault.ErrorCode()
	}
	return ""
}
