package endpoint_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/local/endpoint"
)

func runtime(container string, timeout time.Duration) http.Handler {
	return endpoint.Runtime{Endpoint: "vinfast-test", Region: "us-east-1", Account: "000000000000", Container: container, Timeout: timeout}.Handler()
}

const signed = "AWS4-HMAC-SHA256 Credential=key/20300101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=00"

func TestRuntimeRefusals(t *testing.T) {
	api := httptest.NewServer(runtime("http://127.0.0.1:1", time.Minute))
	defer api.Close()
	const good = "/endpoints/vinfast-test/invocations"
	tests := map[string]struct {
		method, path, authorization string
		status                      int
		kind, says                  string
	}{
		"other path":        {"POST", "/endpoints", signed, 404, "UnknownOperationException", ""},
		"other method":      {"GET", good, signed, 404, "UnknownOperationException", ""},
		"nothing":           {"POST", good, "", 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"basic":             {"POST", good, "Basic eDp4", 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"no signature":      {"POST", good, strings.TrimSuffix(signed, "00"), 403, "IncompleteSignatureException", "'Signature'"},
		"another service":   {"POST", good, strings.Replace(signed, "sagemaker", "s3", 1), 403, "InvalidSignatureException", "'sagemaker'"},
		"short scope":       {"POST", good, strings.Replace(signed, "key/", "", 1), 403, "InvalidSignatureException", "5 slash-delimited"},
		"impossible name":   {"POST", "/endpoints/a_b/invocations", signed, 400, "ValidationError", "'endpointName' failed to satisfy constraint"},
		"container is gone": {"POST", good, signed, 503, "ServiceUnavailable", "cannot be reached"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp, body := do(t, tt.method, api.URL+tt.path, tt.authorization, "")
			if resp.StatusCode != tt.status || resp.Header.Get("X-Amzn-ErrorType") != tt.kind || !strings.Contains(body, tt.says) {
				t.Errorf("%s %s %s", resp.Status, resp.Header.Get("X-Amzn-ErrorType"), body)
			}
		})
	}
}

func do(t *testing.T, method, url, authorization, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Private", "for us only")
	req.Header.Set("X-Amzn-SageMaker-Custom-Attributes", "trace=1")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(answer)
}

// TestHeaders: only headers of the API pass, in both directions.
func TestHeaders(t *testing.T) {
	var got http.Header
	container := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.Header().Set("X-Private", "for SageMaker only")
		w.Header().Set("X-Amzn-SageMaker-Custom-Attributes", "answered")
		fmt.Fprint(w, "[]")
	}))
	defer container.Close()
	api := httptest.NewServer(runtime(container.URL, time.Minute))
	defer api.Close()
	resp, _ := do(t, http.MethodPost, api.URL+"/endpoints/vinfast-test/invocations", signed, "x")
	if got.Get("X-Amzn-SageMaker-Custom-Attributes") != "trace=1" || got.Get("X-Private") != "" || got.Get("Authorization") != "" {
		t.Errorf("the container got %v", got)
	}
	if resp.Header.Get("X-Amzn-SageMaker-Custom-Attributes") != "answered" || resp.Header.Get("X-Private") != "" {
		t.Errorf("the caller got %v", resp.Header)
	}
}

func TestContainerErrors(t *testing.T) {
	const seeLogs = " See https://us-east-1.console.aws.amazon.com/"
	tests := map[string]struct {
		status     int
		body, says string
	}{
		"client error": {404, "gone", `"Message":"Received client error (404) from primary with message \"gone\".` + seeLogs},
		"server error": {507, "full", `"Message":"Received server error (507) from primary with message \"full\".` + seeLogs},
		"long error":   {500, strings.Repeat("x", 65<<10), `"Message":"Received server error (500) from primary and could not load the entire response body.` + seeLogs},
		"redirect":     {304, "", `"Message":"Received server error (304) from primary with message \"\".` + seeLogs},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			container := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}))
			defer container.Close()
			api := httptest.NewServer(runtime(container.URL, time.Minute))
			defer api.Close()
			resp, body := do(t, http.MethodPost, api.URL+"/endpoints/vinfast-test/invocations", signed, "x")
			if resp.StatusCode != 424 || !strings.Contains(body, tt.says) || !strings.Contains(body, fmt.Sprintf(`"OriginalStatusCode":%d`, tt.status)) {
				t.Errorf("%s %s", resp.Status, body)
			}
		})
	}
}

func TestLargeReply(t *testing.T) {
	container := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", 6<<20+1))
	}))
	defer container.Close()
	api := httptest.NewServer(runtime(container.URL, time.Minute))
	defer api.Close()
	if resp, body := do(t, http.MethodPost, api.URL+"/endpoints/vinfast-test/invocations", signed, "x"); resp.StatusCode != 413 {
		t.Errorf("%s %s", resp.Status, body)
	}
}
