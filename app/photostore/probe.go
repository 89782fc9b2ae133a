package photostore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Prefixes in the bucket. Probes lie where the app may write, and are no
// pictures.
const (
	pictures = "images/"
	probes   = pictures + "doctor/"
)

// Probe puts an object, reads it back and deletes it, under a key of its own
// that it returns.
func (s *Store) Probe(ctx context.Context, id string) (string, error) {
	key, text := probes+id, []byte("probe "+id)
	if _, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(text)}); err != nil {
		return "", fmt.Errorf("put probe %q: %w", key, err)
	}
	back, err := s.read(ctx, key)
	// Deleted in any case, though the reason of the failure comes first.
	if gone := s.Delete(context.WithoutCancel(ctx), key); err == nil {
		err = gone
	}
	if err != nil {
		return "", fmt.Errorf("probe bucket %q: %w", s.bucket, err)
	}
	if !bytes.Equal(back, text) {
		return "", fmt.Errorf("probe bucket %q: %q has other bytes than were put", s.bucket, key)
	}
	return key, nil
}

func (s *Store) read(ctx context.Context, key string) ([]byte, error) {
	body, _, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1<<10))
	if err != nil {
		return nil, fmt.Errorf("read photo %q: %w", key, err)
	}
	return text, nil
}

// isProbe tells what a doctor that was killed may have left behind.
func isProbe(key string) bool { return strings.HasPrefix(key, probes) }
