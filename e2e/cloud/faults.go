package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Call is one call of the AWS API: the service as in a policy, and the action ("ec2", "RunInstances").
type Call struct {
	Service string `json:"service"`
	Action  string `json:"action"`
}

func (c Call) String() string { return c.Service + ":" + c.Action }

// Fault is a call to refuse, once: the first, second, ... of its kind, counted from 1.
type Fault struct {
	Call
	Occurrence int `json:"occurrence"`
}

func (f Fault) String() string { return fmt.Sprintf("%s number %d", f.Call, f.Occurrence) }

// Refusal is a call that was refused, and the thing that it was for where EC2 does it to things of any kind: the
// tags of "vol-0a1b2c".
type Refusal struct {
	Call
	Thing string `json:"thing"`
}

func (r Refusal) String() string { return strings.TrimSuffix(r.Call.String()+" "+r.Thing, " ") }

// Calls are the calls that were answered with success, in their order.
func (a *Account) Calls(t *testing.T) []Call {
	t.Helper()
	var calls []Call
	a.control(t, http.MethodGet, "/_calls", nil, &calls)
	return calls
}

// Refuse has the emulator refuse these calls as AWS does where no policy allows them. What was set before is
// forgotten.
func (a *Account) Refuse(t *testing.T, faults []Fault) {
	t.Helper()
	var refused []Refusal
	a.control(t, http.MethodPut, "/_faults", faults, &refused)
}

// Refused are the calls refused since Refuse, in their order.
func (a *Account) Refused(t *testing.T) []Refusal {
	t.Helper()
	var refused []Refusal
	a.control(t, http.MethodGet, "/_faults", nil, &refused)
	return refused
}

// control speaks with the emulator itself, not with what it emulates.
func (a *Account) control(t *testing.T, method, path string, sent, answer any) {
	t.Helper()
	body, err := json.Marshal(sent)
	if err != nil {
		t.Fatalf("write what the emulator's %s takes: %v", path, err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, a.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatalf("read the emulator's answer to %s %s (%s): %v", method, path, response.Status, err)
	}
}
