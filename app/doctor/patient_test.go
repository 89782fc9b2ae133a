//go:build !unit

package doctor_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"

	"vinfast-classifier/app/doctor"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/app/spool"
	"vinfast-classifier/local/database"
)

// patient is one instance on which everything works, until a test breaks it.
type patient struct {
	t        *testing.T
	settings doctor.Settings
	hosts    map[string]string // of AWS's names, where they lead
	metadata map[string]string // path to answer of the metadata service
	ready    int               // status of the app's /readyz
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	p := &patient{t: t, ready: http.StatusOK, hosts: map[string]string{}, metadata: map[string]string{
		"dynamic/instance-identity/document":  `{"instanceId":"i-0123456789abcdef0","region":"us-east-1","availabilityZone":"us-east-1a","instanceType":"t3.small"}`,
		"meta-data/iam/security-credentials/": "vinfast-web",
	}}
	for name, to := range map[string]string{"ssm": world.moto, "logs": world.moto, "runtime.sagemaker": world.model} {
		p.hosts[name+"."+region+".amazonaws.com:443"] = to
	}
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "shared", "spool", "damaged"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "app.log"), nil, 0o600))
	id := "/" + uuid.NewString()
	p.settings = doctor.Settings{
		Version: "vinfast test", AWS: p.config(), Endpoint: modelName, Bucket: bucket, Listen: p.serve(p.app),
		SharedDir: filepath.Join(dir, "shared"), SpoolDir: filepath.Join(dir, "shared", "spool"),
		LogFile: filepath.Join(dir, "app.log"), LogGroup: id + "/app",
		Database: doctor.Database{PasswordParameter: id + "/password", CAParameter: id + "/ca"},
		Machine:  p.machine(dir),
	}
	p.put(p.settings.Database.PasswordParameter, world.db.Password())
	p.put(p.settings.Database.CAParameter, world.ca.pem)
	account := predictions.Account{Host: world.db.Addr(), Name: database.Schema, User: database.User,
		Read: predictions.FromParameters(ssm.NewFromConfig(p.settings.AWS), p.settings.Database.PasswordParameter, p.settings.Database.CAParameter)}
	p.settings.Database.Examine = account.Examine
	logs := cloudwatchlogs.NewFromConfig(p.settings.AWS)
	_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &p.settings.LogGroup})
	must(t, err)
	_, err = logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &p.settings.LogGroup, LogStreamName: aws.String("i-1")})
	must(t, err)
	return p
}

// config speaks to AWS by its real names; they lead to the servers of this
// test, over plain connections.
func (p *patient) config() aws.Config {
	p.t.Helper()
	metadata := p.serve(p.imds)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ENDPOINT_URL_S3": "http://" + world.s3, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://" + metadata, "AWS_MAX_ATTEMPTS": "1",
	} {
		p.t.Setenv(name, value)
	}
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.Proxy = nil
		t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.hosts[address])
		}
	})
	c, err := awsconfig.LoadDefaultConfig(p.t.Context(), awsconfig.WithRegion(region), awsconfig.WithHTTPClient(client))
	must(p.t, err)
	return c
}

func (p *patient) machine(dir string) doctor.Machine {
	mounts := filepath.Join(dir, "mountinfo")
	must(p.t, os.WriteFile(mounts, fmt.Appendf(nil, "22 1 259:1 / / rw,noatime shared:1 - xfs /dev/nvme0n1p1 rw\n"+
		"90 22 0:48 / %s rw,relatime shared:40 - nfs4 127.0.0.1:/ rw,vers=4.1,port=20127\n", filepath.Join(dir, "shared")), 0o600))
	return doctor.Machine{
		EC2: func() bool { return true },
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.20.128.7")}, nil
		},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, world.moto)
		},
		MountInfo: mounts, LogPause: 20 * time.Millisecond,
	}
}

func (p *patient) serve(h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	p.t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// imds answers by version 2 of the protocol: no token, no answer.
func (p *patient) imds(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
		fmt.Fprint(w, "token")
		return
	}
	answer, found := p.metadata[strings.TrimPrefix(r.URL.Path, "/latest/")]
	if r.Header.Get("X-Aws-Ec2-Metadata-Token") != "token" || !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprint(w, answer)
}

func (p *patient) app(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(p.ready)
	if p.ready == http.StatusOK {
		fmt.Fprint(w, `{"status":"ready","dependencies":[{"name":"database","state":"up","detail":"It answers."}]}`)
		return
	}
	fmt.Fprint(w, `{"status":"not ready","dependencies":[{"name":"database","state":"down","detail":"The database is starting."}]}`)
}

func (p *patient) put(name, value string) {
	p.t.Helper()
	_, err := ssm.NewFromConfig(p.settings.AWS).PutParameter(p.t.Context(), &ssm.PutParameterInput{
		Name: &name, Value: &value, Type: ssmtypes.ParameterTypeSecureString, Overwrite: aws.Bool(true)})
	must(p.t, err)
}

// ship does the log agent's work, until the test ends.
func (p *patient) ship() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	p.t.Cleanup(func() { stop(); <-ended })
	client := cloudwatchlogs.NewFromConfig(p.settings.AWS)
	go func() {
		defer close(ended)
		for sent := 0; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			text, err := os.ReadFile(p.settings.LogFile)
			if err != nil {
				continue // not there yet, or broken by the test
			}
			end := bytes.LastIndexByte(text, '\n') + 1
			if end == sent {
				continue
			}
			if _, err := client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &p.settings.LogGroup, LogStreamName: aws.String("i-1"),
				LogEvents: []types.InputLogEvent{{Message: aws.String(string(text[sent:end])), Timestamp: aws.Int64(time.Now().UnixMilli())}}}); err == nil {
				sent = end
			}
		}
	}()
}

// wait puts an upload of this age into the spool.
func (p *patient) wait(age time.Duration) {
	name := filepath.Join(p.settings.SpoolDir, uuid.NewString())
	must(p.t, os.WriteFile(name, []byte("entry"), 0o600))
	then := time.Now().Add(-age)
	must(p.t, os.Chtimes(name, then, then))
	_, err := spool.Look(p.settings.SpoolDir)
	must(p.t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
