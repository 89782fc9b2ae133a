package photostore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// ErrForeign: an object has none of the metadata that Put writes, or not all
// of it.
var ErrForeign = errors.New("its metadata is not the app's")

// Object is one line of a listing.
type Object struct {
	Key  string
	Size int64 // bytes
}

// List returns up to 1000 pictures in the order of their keys, from the one
// after the given key on; none means that this was all. What a doctor left
// behind is no picture.
func (s *Store) List(ctx context.Context, after string) ([]Object, error) {
	for {
		in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(pictures)}
		if after != "" {
			in.StartAfter = &after
		}
		out, err := s.client.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list photos after %q: %w", after, err)
		}
		var found []Object
		for _, o := range out.Contents {
			after = aws.ToString(o.Key)
			if !isProbe(after) {
				found = append(found, Object{Key: after, Size: aws.ToInt64(o.Size)})
			}
		}
		if len(found) > 0 || len(out.Contents) == 0 {
			return found, nil
		}
	}
}
