package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vinfast-classifier/e2e/boot"
	"vinfast-classifier/e2e/tools"
)

// modelEndpoint starts the checkout's own SageMaker Runtime server with the demo model, under the stack's name, and returns
// its host and port.
func (s *site) modelEndpoint(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "local")
	build := tools.Command(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./local")
	build.Dir = s.folder
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the local endpoint: %v\n%s", err, text)
	}
	var sockets []*os.File // the interface and the container behind it
	var front string
	for range 2 {
		listener := must[net.Listener](t, "open a port")(net.Listen("tcp", "127.0.0.1:0"))
		if front == "" {
			front = listener.Addr().String()
		}
		sockets = append(sockets, must[*os.File](t, "pass a port on")(listener.(*net.TCPListener).File()))
		must[any](t, "close a port")(nil, listener.Close())
	}
	command := tools.Command(context.Background(), program, "endpoint", "-name", s.output("endpointName"))
	command.ExtraFiles = sockets
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	input := must[io.WriteCloser](t, "hold the endpoint")(command.StdinPipe()) // it ends when this closes
	must[any](t, "start the endpoint")(nil, command.Start())
	t.Cleanup(func() {
		if err := input.Close(); err != nil {
			t.Errorf("end the endpoint: %v", err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("the endpoint: %v\n%s", err, &said)
		}
	})
	return front
}

// newWeb is the web instance, in whose network the model endpoint is.
func (s *site) newWeb(t *testing.T) *boot.Machine {
	t.Helper()
	return s.machine(t, s.system.web(t), s.web, 1900, map[string]string{ // t3.small
		"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://" + s.web.Forward(t, s.modelEndpoint(t)),
	})
}

// ask sends a request to the app, from the database's place in the network: the private address is the web instance's.
func (s *site) ask(ctx context.Context, method, path, kind string, body []byte) (int, string, error) {
	client := http.Client{Transport: &http.Transport{DialContext: s.database.Dial, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.web.Address+":8080"+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", kind)
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// ready waits until the app says that all its parts work.
func (s *site) ready(t *testing.T, web *boot.Machine) {
	t.Helper()
	await(t, web, "the app to be ready", func(ctx context.Context) error {
		status, text, err := s.ask(ctx, http.MethodGet, "/readyz", "", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("/readyz answers %d %s", status, text)
		}
		return err
	})
	if restarts := property(t, web, "vinfast.service", "NRestarts"); restarts != "0" {
		t.Errorf("the app was started again %s times", restarts)
	}
}

// classify sends a sample to the app and looks for the label, the object and the row.
func (s *site) classify(t *testing.T, database *boot.Machine) {
	t.Helper()
	photo := must[[]byte](t, "read a sample")(os.ReadFile(filepath.Join(s.folder, "local", "model", "samples", "vf-8-road.jpg")))
	status, text, err := s.ask(t.Context(), http.MethodPost, "/api/v1/predictions", "image/jpeg", photo)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("the app answers %d, %v\n%s", status, err, text)
	}
	var answer struct {
		Predictions []struct{ ID, Label, Stored string }
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Predictions) != 1 {
		t.Fatalf("the app's answer: %v\n%s", err, text)
	}
	got := answer.Predictions[0]
	if !strings.Contains(strings.ToLower(got.Label), "vf") || !strings.Contains(got.Label, "8") || got.Stored != "yes" {
		t.Errorf("a VF 8 is classified as %q, stored: %q", got.Label, got.Stored)
	}
	rows := sql(t, database, "SELECT prediction, image_url FROM prediction_data.predictions")
	if len(rows) != 1 || len(rows[0]) != 2 {
		t.Fatalf("the table has the rows %q", rows)
	}
	label, url := rows[0][0], rows[0][1]
	if !strings.Contains(label, got.Label) {
		t.Errorf("the row says %q, the answer %q", label, got.Label)
	}
	bucket := s.output("imageBucket")
	objects := must[*s3.ListObjectsV2Output](t, "list the images")(s.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("images/")}))
	if len(objects.Contents) != 1 || !strings.HasSuffix(url, *objects.Contents[0].Key) {
		t.Fatalf("the bucket has %d images, the row points to %s", len(objects.Contents), url)
	}
	if object := s.object(t, bucket, *objects.Contents[0].Key); !bytes.Equal(object, photo) {
		t.Errorf("the object has %d bytes and is not the photo, which has %d", len(object), len(photo))
	}
}

func (s *site) object(t *testing.T, bucket, key string) []byte {
	t.Helper()
	answer := must[*s3.GetObjectOutput](t, "get "+key)(s.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
	defer answer.Body.Close()
	return must[[]byte](t, "read "+key)(io.ReadAll(answer.Body))
}
