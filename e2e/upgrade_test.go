package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/stack"
	"vinfast-classifier/e2e/tools"
)

// upgradeChanges is what today's program does to a running stack of the release before (upgrade-from), besides what
// follows from another app. Nothing else may happen to it.
var upgradeChanges = []string{}

// holdsData matches the types that keep what nobody can make again, or a name or an address that others know.
var holdsData = regexp.MustCompile(`^(backup/vault|cloudwatch/logGroup|ebs/volume|ec2/eip|ec2/networkInterface|` +
	`efs/accessPoint|efs/fileSystem|kms/key|s3/bucket(V2)?|sns/topic|ssm/parameter):`)

// TestUpgrade takes a stack of the release before, with all that its app was sent, over to today's program and app.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	account := cloud.Start(t, theTools.Python, ".", region)
	before := inventory(t, account)
	s := newStackOf(t, account, "dev", releaseBefore(t))
	s.Must(t, "upgrade: up, release before", deployLimit, "up", "--yes", "--skip-preview")
	putParameters(t, account)
	kept, address, database := heldIDs(t, s), addressOf(t, account), databaseOf(t, account, s)
	u := newUse(t, account, s)
	old := u.deployedApp(t, s)
	phase(t, "upgrade: uploads to the release before", func() { u.send(t, old) })

	s.Move(t, checkout(t))
	announced := s.Diff(t, "upgrade: preview", planLimit, "preview")
	want := slices.Clone(upgradeChanges)
	today := u.deployedApp(t, s)
	if today.digest != old.digest {
		want = append(want, anotherApp...)
	}
	sameDiff(t, "preview announces", want, announced)
	for _, line := range announced {
		if sign, what, _ := strings.Cut(line, " "); strings.Contains(sign, "-") && holdsData.MatchString(what) {
			t.Errorf("the upgrade takes away what holds data: %s", line)
		}
	}
	if t.Failed() {
		return
	}
	sameDiff(t, "up does", want, s.Diff(t, "upgrade: up", deployLimit, "up", "--yes", "--skip-preview"))
	sameDiff(t, "the next preview announces", nil, s.Diff(t, "upgrade: preview again", planLimit, "preview"))
	after := heldIDs(t, s)
	for id, urn := range kept {
		if after[id] == "" {
			t.Errorf("%s was %s and is gone", urn, id)
		}
	}
	if got := addressOf(t, account); got != address {
		t.Errorf("the public address was %s and is %s", address, got)
	}
	if got := databaseOf(t, account, s); got != database {
		t.Errorf("the database was\n%+v\nand is\n%+v", database, got)
	}
	phase(t, "upgrade: everything sent before, in today's app", func() { u.check(t, today) })
	s.Must(t, "upgrade: destroy", deployLimit, "destroy", "--yes", "--skip-preview")
	sameInventory(t, before, inventory(t, account))
}

// releaseBefore is a folder with the tree of the commit in upgrade-from.
func releaseBefore(t *testing.T) string {
	t.Helper()
	script := tools.Command(t.Context(), filepath.Join("..", "local", "release.sh"))
	script.Stderr = os.Stderr
	folder := must[[]byte](t, "find the release before")(script.Output())
	return strings.TrimSpace(string(folder))
}

// heldIDs are the ids of everything in the stack that holds data, with their URNs.
func heldIDs(t *testing.T, s *stack.Stack) map[string]string {
	t.Helper()
	var state struct {
		Deployment struct {
			Resources []struct{ URN, Type, ID string }
		}
	}
	text := s.Must(t, "", time.Minute, "stack", "export")
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		t.Fatalf("read the stack's state: %v\n%s", err, text)
	}
	held := map[string]string{}
	for _, r := range state.Deployment.Resources {
		if holdsData.MatchString(strings.TrimPrefix(r.Type, "aws:")) {
			held[r.Type+" "+r.ID] = r.URN
		}
	}
	if len(held) < 12 {
		t.Fatalf("only %d resources hold data: %q", len(held), slices.Sorted(maps.Values(held)))
	}
	return held
}

// use is one visitor of the app, and what the app works with: the stack's bucket and, on this machine, the shared
// folder, the database and the model.
type use struct {
	folder, dsn, model, bucket, endpoint string
	account                              *cloud.Account
	cookie                               string
	photos                               map[string][]byte // by upload id
}

// app is the app that a program has uploaded for its instances.
type app struct{ program, digest string }

// newUse starts the database and the model of the stack's checkout; they outlive its move.
func newUse(t *testing.T, account *cloud.Account, s *stack.Stack) *use {
	t.Helper()
	outputs := s.Outputs(t)
	u := &use{folder: t.TempDir(), account: account, bucket: outputs["imageBucket"].(string),
		endpoint: outputs["endpointName"].(string), photos: map[string][]byte{}}
	// The parts are today's: what is tried here is the app.
	u.model = (&site{system: system{Account: account, folder: checkout(t), outputs: outputs}}).modelEndpoint(t)
	u.dsn = localDatabase(t, checkout(t))
	return u
}

// localDatabase starts the checkout's own database server and returns its DSN.
func localDatabase(t *testing.T, checkout string) string {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "local")
	build := tools.Command(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./local")
	build.Dir = checkout
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the local database: %v\n%s", err, text)
	}
	command := tools.Command(context.Background(), program, "database", "-dir", filepath.Join(folder, "database"))
	var said bytes.Buffer
	command.Stderr = &said
	input := must[io.WriteCloser](t, "hold the database")(command.StdinPipe()) // it ends when this closes
	output := must[io.ReadCloser](t, "listen to the database")(command.StdoutPipe())
	must[any](t, "start the database")(nil, command.Start())
	t.Cleanup(func() {
		if err := errors.Join(input.Close(), command.Wait()); err != nil {
			t.Errorf("end the database: %v\n%s", err, &said)
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the database did not start: %v\n%s", err, &said)
	}
	return strings.TrimSpace(line)
}

// deployedApp keeps a copy of the app that the stack's program has built.
func (u *use) deployedApp(t *testing.T, s *stack.Stack) app {
	t.Helper()
	built, err := filepath.Glob(filepath.Join(s.Folder, ".local", "deploy", "vinfast-linux-*"))
	if err != nil || len(built) != 1 {
		t.Fatalf("the program built %q, %v", built, err)
	}
	binary := must[[]byte](t, "read the app")(os.ReadFile(built[0]))
	a := app{filepath.Join(t.TempDir(), "vinfast"), digest(binary)}
	must[any](t, "copy the app")(nil, os.WriteFile(a.program, binary, 0o755))
	return a
}

// serve runs the app until stop, and returns when it is ready for work.
func (u *use) serve(t *testing.T, a app) (url string, stop func()) {
	t.Helper()
	listener := must[net.Listener](t, "find a port")(net.Listen("tcp", "127.0.0.1:0"))
	address := listener.Addr().String()
	must[any](t, "free the port")(nil, listener.Close())
	command := exec.Command(a.program, "serve")
	command.Env = []string{"VINFAST_LISTEN=" + address, "VINFAST_ENDPOINT=" + u.endpoint, "VINFAST_BUCKET=" + u.bucket,
		"VINFAST_DB_DSN=" + u.dsn, "VINFAST_SHARED_DIR=" + u.folder, "VINFAST_RATE_PER_MINUTE=1000000",
		"AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=emulator", "AWS_SECRET_ACCESS_KEY=emulator",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL=" + u.account.Endpoint, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://" + u.model}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	must[any](t, "start the app")(nil, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which Wait tells
		if err := <-ended; err != nil {
			t.Errorf("the app: %v\n%s", err, &said)
		}
	}
	t.Cleanup(stop)
	url = "http://" + address
	for end := time.Now().Add(bootLimit); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get(url + "/readyz")
		if err == nil {
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode == http.StatusOK {
				return url, stop
			}
		}
		if time.Now().After(end) {
			t.Fatalf("waited %s in vain for the app to be ready", bootLimit)
		}
	}
}

// ask sends what the visitor's browser would send.
func (u *use) ask(t *testing.T, method, url, kind string, body []byte) (int, []byte) {
	t.Helper()
	request := must[*http.Request](t, "make a request")(
		http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body)))
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Cookie", u.cookie)
	answer := must[*http.Response](t, method+" "+url)(http.DefaultClient.Do(request))
	defer answer.Body.Close()
	for _, cookie := range answer.Cookies() {
		if cookie.Name == "visitor" {
			u.cookie = "visitor=" + cookie.Value
		}
	}
	return answer.StatusCode, must[[]byte](t, "read the answer")(io.ReadAll(answer.Body))
}

// send has the app classify all samples of today's checkout, and make the thumbnail of each.
func (u *use) send(t *testing.T, a app) {
	t.Helper()
	url, stop := u.serve(t, a)
	defer stop()
	u.ask(t, http.MethodGet, url+"/", "", nil)
	samples := must[[]string](t, "list samples")(
		filepath.Glob(filepath.Join(checkout(t), "local", "model", "samples", "*.jpg")))
	for _, sample := range samples {
		photo := must[[]byte](t, "read a sample")(os.ReadFile(sample))
		status, text := u.ask(t, http.MethodPost, url+"/api/v1/predictions", "image/jpeg", photo)
		var got struct{ Predictions []struct{ ID, Stored string } }
		err := json.Unmarshal(text, &got)
		if err != nil || status != http.StatusCreated || len(got.Predictions) != 1 ||
			got.Predictions[0].Stored != "yes" {
			t.Fatalf("the app answers %d, %v\n%s", status, err, text)
		}
		id := got.Predictions[0].ID
		u.photos[id] = photo
		if status, text := u.ask(t, http.MethodGet, url+"/thumbnails/"+id, "", nil); status != http.StatusOK {
			t.Fatalf("a thumbnail: %d\n%s", status, text)
		}
	}
	if len(u.photos) < 6 || u.cookie == "" {
		t.Fatalf("%d photos were sent with the cookie %q", len(u.photos), u.cookie)
	}
}

// check: the app shows everything that was sent, counts it, and lets its sender delete it.
func (u *use) check(t *testing.T, a app) {
	t.Helper()
	url, stop := u.serve(t, a)
	defer stop()
	var list struct{ Predictions []struct{ ID string } }
	status, text := u.ask(t, http.MethodGet, url+"/api/v1/predictions?limit=100", "", nil)
	err := json.Unmarshal(text, &list)
	if err != nil || status != http.StatusOK || len(list.Predictions) != len(u.photos) {
		t.Errorf("of %d uploads the history has %d: %d, %v", len(u.photos), len(list.Predictions), status, err)
	}
	counted := fmt.Sprintf("<dd>%d</dd>", len(u.photos))
	status, text = u.ask(t, http.MethodGet, url+"/stats", "", nil)
	if status != http.StatusOK || !bytes.Contains(text, []byte(counted)) {
		t.Errorf("the statistics do not say %s: %d\n%s", counted, status, text)
	}
	for id, photo := range u.photos {
		u.checkOne(t, url, id, photo)
	}
	objects := must[*s3.ListObjectsV2Output](t, "list the images")(u.account.S3.ListObjectsV2(t.Context(),
		&s3.ListObjectsV2Input{Bucket: &u.bucket, Prefix: aws.String("images/")}))
	if len(objects.Contents) != 0 {
		t.Errorf("after all deletions the bucket has %d images", len(objects.Contents))
	}
}

// checkOne: the upload is shown in all its forms, and goes on its sender's wish.
func (u *use) checkOne(t *testing.T, url, id string, photo []byte) {
	t.Helper()
	status, text := u.ask(t, http.MethodGet, url+"/images/"+id+"?original=true", "", nil)
	if status != http.StatusOK || !bytes.Equal(text, photo) {
		t.Errorf("%s comes back to its sender with %d and %d bytes of %d", id, status, len(text), len(photo))
	}
	for _, path := range []string{"/images/", "/thumbnails/", "/predictions/"} {
		if status, text := u.ask(t, http.MethodGet, url+path+id, "", nil); status != http.StatusOK {
			t.Errorf("%s%s: %d\n%s", path, id, status, text)
		}
	}
	status, text = u.ask(t, http.MethodDelete, url+"/api/v1/predictions/"+id, "", nil)
	if status != http.StatusNoContent {
		t.Errorf("the deletion of %s by its sender: %d\n%s", id, status, text)
	}
}
