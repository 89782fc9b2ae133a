package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Limits of the SageMaker Runtime API.
const (
	MaxPayload   = 6 << 20          // bytes of a request or a reply
	ModelTimeout = 60 * time.Second // for the container to answer

	maxAttributes = 1024     // characters of the custom attributes
	maxDrain      = 64 << 20 // bytes of an oversized request that are read before it is refused
	maxErrorBody  = 64 << 10 // bytes of a container's error that are quoted; AWS does not say its own bound
)

// Runtime is the SageMaker Runtime API with one endpoint in service. It looks
// at a request's signature but cannot check it: any key is as good as another.
type Runtime struct {
	Endpoint  string        // its name
	Region    string        // requests must be signed for it
	Account   string        // twelve digits, for messages
	Container string        // base URL of the container
	Timeout   time.Duration // for the container to answer: ModelTimeout, but for tests
}

var endpointName = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)

// Handler answers POST /endpoints/{name}/invocations.
func (rt Runtime) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /endpoints/{name}/invocations", rt.invoke)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		apiError(w, http.StatusNotFound, "UnknownOperationException", nil)
	})
	return mux
}

func (rt Runtime) invoke(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amzn-RequestId", uuid.NewString())
	if !rt.authorized(w, r) {
		return
	}
	body, ok := readPayload(w, r)
	if !ok {
		return
	}
	name := r.PathValue("name")
	switch {
	case !endpointName.MatchString(name):
		invalid(w, fmt.Sprintf("1 validation error detected: Value '%s' at 'endpointName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name))
	case len(r.Header.Get(customAttributes)) > maxAttributes:
		invalid(w, "1 validation error detected: Value at 'customAttributes' failed to satisfy constraint: "+
			"Member must have length less than or equal to 1024")
	case name != rt.Endpoint:
		invalid(w, fmt.Sprintf("Endpoint %s of account %s not found.", name, rt.Account))
	default:
		rt.call(w, r, body)
	}
}

// readPayload reads the body up to the limit. Past it the rest is read all the
// same: a client that is still sending would see a broken connection instead
// of the answer.
func readPayload(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
	if err != nil {
		return nil, false // the caller has gone
	}
	if len(body) <= MaxPayload {
		return body, true
	}
	if _, err := io.CopyN(io.Discard, r.Body, maxDrain); err != nil && !errors.Is(err, io.EOF) {
		return nil, false
	}
	apiError(w, http.StatusRequestEntityTooLarge, "", map[string]any{"message": fmt.Sprintf("HTTP content length exceeded %d bytes.", MaxPayload)})
	return nil, false
}

// call passes the request to the container and its answer back. Headers that
// the API does not name are dropped in both directions.
func (rt Runtime) call(w http.ResponseWriter, r *http.Request, body []byte) {
	ctx, cancel := context.WithTimeout(r.Context(), rt.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, rt.Container+"/invocations", bytes.NewReader(body))
	if err != nil {
		apiError(w, http.StatusInternalServerError, "InternalFailure", map[string]any{"Message": err.Error()})
		return
	}
	for _, name := range []string{"Content-Type", "Accept", customAttributes} {
		if v := r.Header.Get(name); v != "" {
			req.Header.Set(name, v)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		rt.unanswered(w, r, err)
		return
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, MaxPayload+1))
	if err != nil {
		rt.unanswered(w, r, err)
		return
	}
	if resp.StatusCode/100 != 2 {
		rt.modelError(w, resp.StatusCode, answer)
		return
	}
	if len(answer) > MaxPayload {
		apiError(w, http.StatusRequestEntityTooLarge, "", map[string]any{"message": fmt.Sprintf("HTTP content length exceeded %d bytes.", MaxPayload)})
		return
	}
	for _, name := range []string{"Content-Type", customAttributes} {
		if v := resp.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.Header().Set("X-Amzn-Invoked-Production-Variant", "AllTraffic")
	_, _ = w.Write(answer) // a caller who has gone away is no fault of ours
}

// unanswered tells a slow container from one that is not there.
func (rt Runtime) unanswered(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case r.Context().Err() != nil: // nobody waits for the answer
	case errors.Is(err, context.DeadlineExceeded):
		rt.modelError(w, 0, []byte("Your invocation timed out while waiting for a response from container primary. "+
			"Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."))
	default:
		apiError(w, http.StatusServiceUnavailable, "ServiceUnavailable", map[string]any{"Message": "The model container cannot be reached: " + err.Error()})
	}
}

// modelError is what a caller gets for a container's own error; status 0 is
// one that did not answer in time.
func (rt Runtime) modelError(w http.ResponseWriter, status int, body []byte) {
	kind, code := "server error", "INTERNAL_FAILURE_FROM_MODEL"
	if status/100 == 4 {
		kind, code = "client error", "CLIENT_ERROR_FROM_MODEL"
	}
	original := string(body)
	quoted := " with message \"" + original + "\""
	if len(body) > maxErrorBody {
		quoted, original = " and could not load the entire response body", ""
	}
	group := "/aws/sagemaker/Endpoints/" + rt.Endpoint
	apiError(w, http.StatusFailedDependency, "ModelError", map[string]any{
		"ErrorCode":    code,
		"LogStreamArn": fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", rt.Region, rt.Account, group),
		"Message": fmt.Sprintf("Received %s (%d) from primary%s. See https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#logEventViewer:group=%s in account %s for more information.",
			kind, status, quoted, rt.Region, rt.Region, group, rt.Account),
		"OriginalMessage":    original,
		"OriginalStatusCode": status,
	})
}

func invalid(w http.ResponseWriter, message string) {
	apiError(w, http.StatusBadRequest, "ValidationError", map[string]any{"Message": message})
}

// apiError writes an error of the AWS JSON protocol. Without a kind a client
// takes the status as the error's code.
func apiError(w http.ResponseWriter, status int, kind string, members map[string]any) {
	body, err := json.Marshal(members)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	if kind != "" {
		w.Header().Set("X-Amzn-ErrorType", kind)
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller who has gone away is no fault of ours
}

// authorized refuses what AWS would refuse before it looks at the key.
func (rt Runtime) authorized(w http.ResponseWriter, r *http.Request) bool {
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		apiError(w, http.StatusForbidden, "MissingAuthenticationTokenException", map[string]any{"message": "Missing Authentication Token"})
		return false
	}
	parameters := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		parameters[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parameters[name] == "" {
			apiError(w, http.StatusForbidden, "IncompleteSignatureException", map[string]any{"message": "Authorization header requires '" + name + "' parameter."})
			return false
		}
	}
	// Credential is KEY/DATE/REGION/SERVICE/aws4_request.
	scope := strings.Split(parameters["Credential"], "/")
	message := ""
	switch {
	case len(scope) != 5 || scope[4] != "aws4_request":
		message = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
	case scope[2] != rt.Region:
		message = "Credential should be scoped to a valid region, not '" + scope[2] + "'."
	case scope[3] != "sagemaker":
		message = "Credential should be scoped to correct service: 'sagemaker'."
	default:
		return true
	}
	apiError(w, http.StatusForbidden, "InvalidSignatureException", map[string]any{"message": message})
	return false
}
