package boot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	metadataAddress = "169.254.169.254"
	metadataToken   = "emulated-token"
)

// Identity is what EC2 tells an instance about itself.
type Identity struct {
	InstanceID string
	Region     string
	Role       string // its profile's role
}

// ServeMetadata is the instance metadata service, version 2 only, as part of the emulated account: who the instance is, and
// credentials of its role.
func (h Host) ServeMetadata(t *testing.T, identity Identity) {
	t.Helper()
	server := &http.Server{Handler: identity.handler(), ReadHeaderTimeout: time.Minute}
	listener := h.Listen(t, metadataAddress+":80")
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("end the metadata service: %v", err)
		}
		<-ended
	})
}

func (id Identity) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
		fmt.Fprint(w, metadataToken)
	})
	mux.HandleFunc("GET /{version}/{path...}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Aws-Ec2-Metadata-Token") != metadataToken {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		text, found := id.at(r.PathValue("path"))
		if !found {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, text)
	})
	return mux
}

// at is the document at a path, or the names below it.
func (id Identity) at(path string) (string, bool) {
	documents := id.documents()
	if text, found := documents[path]; found {
		return text, true
	}
	folder := strings.TrimSuffix(path, "/")
	if folder != "" {
		folder += "/"
	}
	var names []string
	for document := range documents {
		if below, inside := strings.CutPrefix(document, folder); inside {
			name, _, more := strings.Cut(below, "/")
			if more {
				name += "/"
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "\n"), len(names) > 0
}

func (id Identity) documents() map[string]string {
	now := time.Now().UTC()
	credentials := map[string]string{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "emulator", "SecretAccessKey": "emulator",
		"Token": "emulator", "LastUpdated": now.Format(time.RFC3339), "Expiration": now.Add(6 * time.Hour).Format(time.RFC3339)}
	document := map[string]string{"instanceId": id.InstanceID, "region": id.Region, "availabilityZone": id.Region + "a"}
	return map[string]string{
		"meta-data/instance-id":                         id.InstanceID,
		"meta-data/local-hostname":                      id.InstanceID,
		"meta-data/placement/region":                    id.Region,
		"meta-data/placement/availability-zone":         id.Region + "a",
		"meta-data/iam/security-credentials/" + id.Role: text(credentials),
		"dynamic/instance-identity/document":            text(document),
	}
}

// text is a map as JSON, which cannot fail.
func text(values map[string]string) string {
	encoded, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}
