package objectstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"vinfast-classifier/local/objectstore"
)

const bucket = "images"

// open serves the store in dir and returns a client of it and what stops it.
func open(t *testing.T, dir string) (*s3.Client, func()) {
	t.Helper()
	handler, store, err := objectstore.New(dir, slog.New(slog.NewTextHandler(t.Output(), nil)), bucket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	stop := sync.OnceFunc(func() {
		server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return client(server.URL), stop
}

// client has the SDK's defaults: checksums are sent and checked.
func client(url string) *s3.Client {
	return s3.New(s3.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(url),
		UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})
}

func put(ctx context.Context, c *s3.Client, key string, body []byte) error {
	_, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(body),
		ContentType: aws.String("image/png"), IfNoneMatch: aws.String("*"),
		Metadata: map[string]string{"label": "Vinfast_VF_8", "upload-id": key},
	})
	return err
}

func get(t *testing.T, c *s3.Client, key, span string) (*s3.GetObjectOutput, []byte) {
	t.Helper()
	in := &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key}
	if span != "" {
		in.Range = &span
	}
	out, err := c.GetObject(t.Context(), in)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return out, body
}

func TestObjectKeepsEverythingOverARestart(t *testing.T) {
	dir := t.TempDir()
	c, stop := open(t, dir)
	photo := bytes.Repeat([]byte{0, 0xff, 'x'}, 1<<20)
	if err := put(t.Context(), c, "images/2024/01/02/a.png", photo); err != nil {
		t.Fatal(err)
	}
	stop()
	c, _ = open(t, dir)
	out, body := get(t, c, "images/2024/01/02/a.png", "")
	if !bytes.Equal(body, photo) {
		t.Errorf("%d bytes came back, want the %d that were put", len(body), len(photo))
	}
	if aws.ToString(out.ContentType) != "image/png" || out.Metadata["label"] != "Vinfast_VF_8" || out.Metadata["upload-id"] != "images/2024/01/02/a.png" {
		t.Errorf("content type %q, metadata %v", aws.ToString(out.ContentType), out.Metadata)
	}
	part, body := get(t, c, "images/2024/01/02/a.png", "bytes=1-3")
	if !bytes.Equal(body, photo[1:4]) || aws.ToString(part.ContentRange) != fmt.Sprintf("bytes 1-3/%d", len(photo)) {
		t.Errorf("range gave %v with %q", body, aws.ToString(part.ContentRange))
	}
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("images/2024/01/02/a.png")})
	if err != nil || aws.ToInt64(head.ContentLength) != int64(len(photo)) || head.Metadata["label"] != "Vinfast_VF_8" {
		t.Errorf("head: %v, %+v", err, head)
	}
}

func TestConcurrentPutsOfOneKeyKeepTheFirst(t *testing.T) {
	c, _ := open(t, t.TempDir())
	var wg sync.WaitGroup
	results := make(chan error, 32)
	for i := range cap(results) {
		wg.Go(func() { results <- put(t.Context(), c, "one", []byte{byte(i)}) })
	}
	wg.Wait()
	close(results)
	kept := 0
	for err := range results {
		var fault smithy.APIError
		switch {
		case err == nil:
			kept++
		case !errors.As(err, &fault) || fault.ErrorCode() != "PreconditionFailed":
			t.Errorf("got %v, want PreconditionFailed", err)
		}
	}
	if kept != 1 {
		t.Errorf("%d puts of one key succeeded, want 1", kept)
	}
}

func TestConcurrentPutsListPageByPage(t *testing.T) {
	c, _ := open(t, t.TempDir())
	var wg sync.WaitGroup
	keys := make(chan string)
	for range 16 {
		wg.Go(func() {
			for key := range keys {
				if err := put(t.Context(), c, key, []byte(key)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 200 {
		keys <- fmt.Sprintf("images/%03d", i)
	}
	close(keys)
	wg.Wait()
	seen := 0
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), MaxKeys: aws.Int32(30)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			if want := fmt.Sprintf("images/%03d", seen); *object.Key != want {
				t.Fatalf("object %d is %s, want %s", seen, *object.Key, want)
			}
			seen++
		}
	}
	if seen != 200 {
		t.Errorf("%d objects, want 200", seen)
	}
}

func TestMissingThings(t *testing.T) {
	c, _ := open(t, t.TempDir())
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")})
	if !errors.As(err, new(*types.NoSuchKey)) {
		t.Errorf("get a missing key: %v", err)
	}
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")}); err != nil {
		t.Errorf("delete a missing key: %v", err)
	}
	if _, err := c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Errorf("head the bucket: %v", err)
	}
	if _, err := c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("another")}); !errors.As(err, new(*types.NotFound)) {
		t.Errorf("head a missing bucket: %v", err)
	}
}

func TestABodyCutShortIsNotStored(t *testing.T) {
	c, _ := open(t, t.TempDir())
	url := aws.ToString(c.Options().BaseEndpoint) + "/" + bucket + "/torn"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, io.MultiReader(bytes.NewReader(make([]byte, 1000)), broken{}))
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 2000
	if reply, err := http.DefaultClient.Do(request); err == nil {
		reply.Body.Close()
		t.Fatalf("a broken upload was answered with %s", reply.Status)
	}
	if err := put(t.Context(), c, "torn", []byte("whole")); err != nil {
		t.Errorf("put after a broken upload: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("line cut") }

func TestFaultsOfNew(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, _, err := objectstore.New(dir, slog.New(slog.DiscardHandler), bucket); !errors.Is(err, objectstore.ErrInUse) {
		t.Errorf("second store in a folder: %v, want ErrInUse", err)
	}
	if _, _, err := objectstore.New(t.TempDir(), slog.New(slog.DiscardHandler), "Not A Bucket"); err == nil {
		t.Error("a bad bucket name passed")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := objectstore.New(file, slog.New(slog.DiscardHandler), bucket); err == nil {
		t.Error("a file passed as folder")
	}
}
