package predictions_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"vinfast-classifier/app/predictions"
)

// parameters serves Parameter Store's GetParameter over its JSON protocol.
func parameters(t *testing.T, values map[string]string) *ssm.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Name           string
			WithDecryption bool
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSSM.GetParameter" || !in.WithDecryption {
			t.Errorf("request %v %+v, %v", r.Header, in, err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		value, ok := values[in.Name]
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			w.Write([]byte(`{"__type":"ParameterNotFound"}`))
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"Parameter": map[string]any{"Name": in.Name, "Type": "SecureString", "Value": value}})
	}))
	t.Cleanup(server.Close)
	return ssm.New(ssm.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
}

func TestFromParameters(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]string
		check  func(error) bool
	}{
		"both there":     {map[string]string{"/db/password": "p", "/db/ca": "c"}, func(err error) bool { return err == nil }},
		"password unset": {map[string]string{"/db/password": "unset", "/db/ca": "c"}, func(err error) bool { return errors.Is(err, predictions.ErrNotReady) }},
		"CA unset":       {map[string]string{"/db/password": "p", "/db/ca": "unset"}, func(err error) bool { return errors.Is(err, predictions.ErrNotReady) }},
		"CA missing": {map[string]string{"/db/password": "p"}, func(err error) bool {
			return errors.As(err, new(*types.ParameterNotFound)) && strings.Contains(err.Error(), "/db/ca")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			read := predictions.FromParameters(parameters(t, c.values), "/db/password", "/db/ca")
			got, err := read(t.Context())
			if !c.check(err) {
				t.Errorf("got error %v", err)
			}
			if want := (predictions.Credentials{Password: "p", CA: "c"}); err == nil && got != want {
				t.Errorf("got %+v", got)
			}
		})
	}
}
