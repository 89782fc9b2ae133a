//go:build !unit

package endpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/program"
)

// seen is what a caller of boto3 gets, either way.
type seen struct {
	Status     int
	Body       string
	Type       string
	Variant    string
	Attributes string
	RequestID  int // its length

	Class, Code, Message string
	OriginalStatusCode   int
	OriginalMessage      string
	LogStreamArn         string
}

// call is the arguments of invoke_endpoint.
type call struct {
	EndpointName     string
	ContentType      string
	Accept           string `json:",omitempty"`
	CustomAttributes string `json:",omitempty"`
	Body             []byte
	Repeat           int    `json:"repeat,omitempty"` // the body so many times
	Unsigned         bool   `json:"unsigned,omitempty"`
	Region           string `json:"region,omitempty"`
}

// python is the interpreter that has boto3.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("VINFAST_TEST_PYTHON")
	if path == "" {
		path = filepath.Join("..", "..", ".local", "venv", "bin", "python")
	}
	if err := program.Command(t.Context(), path, "-c", "import boto3").Run(); err != nil {
		t.Fatalf("%s has no boto3 (%v): run make test-deps", path, err)
	}
	return path
}

// withBoto3 makes the calls to url.
func withBoto3(t *testing.T, url string, calls []call) []seen {
	t.Helper()
	in, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	cmd := program.Command(t.Context(), python(t), filepath.Join("testdata", "client.py"), url)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaints
	cmd.Env = program.Environment("AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true")
	if err := cmd.Run(); err != nil {
		t.Fatalf("client.py: %v\n%s", err, complaints.String())
	}
	var results []seen
	if err := json.Unmarshal(out.Bytes(), &results); err != nil || len(results) != len(calls) {
		t.Fatalf("client.py: %v in %s", err, out.String())
	}
	return results
}

// modelError is what AWS says when the container answers with an error.
func modelError(kind string, status int, original string) seen {
	return seen{Status: 424, Class: "ModelError", Code: "ModelError",
		Message: "Received " + kind + ` from primary with message "` + original + `". See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1` +
			"#logEventViewer:group=/aws/sagemaker/Endpoints/vinfast-test in account 000000000000 for more information.",
		OriginalStatusCode: status, OriginalMessage: original,
		LogStreamArn: "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/vinfast-test"}
}

func TestBoto3(t *testing.T) {
	container := httptest.NewServer(endpoint.Container(sizer{}, 2))
	defer container.Close()
	api := httptest.NewServer(runtime(container.URL, time.Minute))
	defer api.Close()
	photo := read(t, "a.jpg")
	request := func(change func(*call)) call {
		c := call{EndpointName: "vinfast-test", ContentType: "image/jpeg", Body: photo}
		change(&c)
		return c
	}
	ok := func(body, contentType string) seen {
		return seen{Status: 200, Body: body, Type: contentType, Variant: "AllTraffic", Attributes: "tells sizes", RequestID: 36}
	}
	refused := func(status int, class, code, message string) seen {
		return seen{Status: status, Class: class, Code: code, Message: message}
	}
	tests := []struct {
		name string
		call call
		want seen
	}{
		{"jpeg", request(func(*call) {}), ok(five, "application/json")},
		{"csv", request(func(c *call) { c.Accept = "text/csv" }), ok(csv5, "text/csv")},
		{"top_k", request(func(c *call) {
			c.ContentType = "application/json"
			c.Body, _ = json.Marshal(map[string]any{"inputs": photo, "parameters": map[string]int{"top_k": 2}})
		}), ok("["+two+"]", "application/json")},
		{"attributes", request(func(c *call) { c.CustomAttributes = "trace=1" }), ok(five, "application/json")},
		{"not an image", request(func(c *call) { c.Body = []byte("hello") }), modelError("client error (400)", 400, failure(noPIL))},
		{"unsupported", request(func(c *call) { c.ContentType = "text/plain" }), modelError("client error (400)", 400, unsupported("text/plain"))},
		{"no such endpoint", request(func(c *call) { c.EndpointName = "other" }),
			refused(400, "ValidationError", "ValidationError", "Endpoint other of account 000000000000 not found.")},
		{"largest body", request(func(c *call) { c.Body, c.Repeat = []byte("x"), 6_291_456 }), modelError("client error (400)", 400, failure(noPIL))},
		{"body too large", request(func(c *call) { c.Body, c.Repeat = []byte("x"), 6_291_457 }),
			refused(413, "", "413", "HTTP content length exceeded 6291456 bytes.")},
		{"far too large", request(func(c *call) { c.Body, c.Repeat = []byte("x"), 20_000_000 }),
			refused(413, "", "413", "HTTP content length exceeded 6291456 bytes.")},
		{"long attributes", request(func(c *call) { c.CustomAttributes = strings.Repeat("x", 1025) }),
			refused(400, "ValidationError", "ValidationError", "1 validation error detected: Value at 'customAttributes' failed to satisfy constraint: Member must have length less than or equal to 1024")},
		{"not signed", request(func(c *call) { c.Unsigned = true }),
			refused(403, "", "MissingAuthenticationTokenException", "Missing Authentication Token")},
		{"another region", request(func(c *call) { c.Region = "eu-west-1" }),
			refused(403, "", "InvalidSignatureException", "Credential should be scoped to a valid region, not 'eu-west-1'.")},
	}
	var calls []call
	for _, tt := range tests {
		calls = append(calls, tt.call)
	}
	for i, got := range withBoto3(t, api.URL, calls) {
		if got != tests[i].want {
			t.Errorf("%s:\n%+v\nwant\n%+v", tests[i].name, got, tests[i].want)
		}
	}
}

func TestBoto3SlowModel(t *testing.T) {
	container := httptest.NewServer(endpoint.Container(stuck{}, 1))
	defer container.Close()
	api := httptest.NewServer(runtime(container.URL, 50*time.Millisecond))
	defer api.Close()
	got := withBoto3(t, api.URL, []call{{EndpointName: "vinfast-test", ContentType: "image/jpeg", Body: read(t, "a.jpg")}})
	want := modelError("server error (0)", 0, "Your invocation timed out while waiting for a response from container primary. "+
		"Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.")
	if got[0] != want {
		t.Errorf("%+v\nwant\n%+v", got[0], want)
	}
}

// stuck answers only when it is given up.
type stuck struct{ sizer }

func (stuck) Classify(ctx context.Context, _ image.Image) ([]endpoint.Score, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
