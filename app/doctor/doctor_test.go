//go:build !unit

package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"vinfast-classifier/app/doctor"
	"vinfast-classifier/local/program"
)

func TestHealthyInstance(t *testing.T) {
	p := newPatient(t)
	p.ship()
	p.wait(time.Second)
	r := doctor.Run(t.Context(), p.settings)
	if !r.OK {
		t.Errorf("not all is well")
	}
	seen := map[string]string{
		"identity": "i-0123456789abcdef0, role vinfast-web, us-east-1a (t3.small)", "clock": "within ",
		"shared folder": "EFS over TLS (nfs4 from 127.0.0.1:/), written", "spool": "1 uploads wait", "address ssmmessages": "ssmmessages.us-east-1.amazonaws.com is 10.20.128.7",
		"address sagemaker.runtime": "runtime.sagemaker.us-east-1.amazonaws.com is 10.20.128.7", "bucket": "put, read back and deleted s3://vinfast-test-images/images/doctor/",
		"CA parameter": " ends 20", "database": "schema 4 of 4, 0 rows, TLS 1.", "model": "Vinfast_VF_8 (0.90)", "log event": "/app after ", "web app": "is ready",
	}
	for _, l := range r.Checks {
		if want := map[bool]doctor.Result{true: doctor.Skipped, false: doctor.OK}[l.Name == "address s3"]; l.Result != want || l.Advice != "" {
			t.Errorf("%s: %s: %s", l.Name, l.Result, l.Detail)
		}
		if !strings.Contains(l.Detail, seen[l.Name]) {
			t.Errorf("%s saw %q, want %q in it", l.Name, l.Detail, seen[l.Name])
		}
		delete(seen, l.Name)
	}
	if len(seen) > 0 {
		t.Errorf("not checked: %v", seen)
	}
	if left, err := filepath.Glob(filepath.Join(p.settings.SharedDir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left in the shared folder: %q, %v", left, err)
	}
}

// Each part, broken, fails with its own line and its own advice, and nothing
// else fails but what needs it.
func TestEachFaultHasItsLine(t *testing.T) {
	const database = "database" // needs both parameters
	stranger, err := newAuthority()
	must(t, err)
	ending, err := authorityUntil(time.Now().Add(10 * 24 * time.Hour))
	must(t, err)
	set := func(text string) func(*patient) {
		return func(p *patient) { p.put(p.settings.Database.PasswordParameter, text) }
	}
	setCA := func(text string) func(*patient) {
		return func(p *patient) { p.put(p.settings.Database.CAParameter, text) }
	}
	refuse := func(method string) func(*patient) { return func(*patient) { world.refuse.Store(method) } }
	for name, c := range map[string]struct {
		harm         func(*patient)
		fails        []string
		says, advice string // of the first of these
	}{
		"wrong password":     {set("wrong-horse-battery"), []string{database}, "Access denied", "docs/operations.md#rotate-the-database-password"},
		"password unset":     {set("unset"), []string{"password parameter", database}, "has not published", "sudo vinfast-doctor there"},
		"parameter missing":  {forget, []string{"password parameter", database}, "ParameterNotFound", "pulumi up"},
		"wrong authority":    {setCA(stranger.pem), []string{database}, "unknown authority", "vinfast-boot on the database instance"},
		"authority unset":    {setCA("unset"), []string{"CA parameter", database}, "has not published", "sudo vinfast-doctor there"},
		"authority not PEM":  {setCA("rubbish"), []string{"CA parameter", database}, "no certificate in PEM", "database instance"},
		"authority ends":     {setCA(ending.pem), []string{"CA parameter", database}, " ends 20", "docs/operations.md#replace-the-database-instance"},
		"put refused":        {refuse(http.MethodPut), []string{"bucket"}, "put probe", "rights of the instance's role"},
		"get refused":        {refuse(http.MethodGet), []string{"bucket"}, "get photo", "rights of the instance's role"},
		"delete refused":     {refuse(http.MethodDelete), []string{"bucket"}, "delete photo", "rights of the instance's role"},
		"endpoint away":      {func(p *patient) { p.hosts["runtime.sagemaker.us-east-1.amazonaws.com:443"] = closed(p.t) }, []string{"model"}, "refused", "model.enabled"},
		"endpoint off":       {func(p *patient) { p.settings.Endpoint = "vinfast-other" }, []string{"model"}, "not found", "model.enabled"},
		"folder takes none":  {func(p *patient) { readOnly(p) }, []string{"disk", "shared folder"}, "", ""},
		"folder not mounted": {unmounted, []string{"shared folder"}, "not on EFS over TLS", "srv-vinfast.mount"},
		"log never arrives":  {func(p *patient) { p.settings.LogGroup += "/other"; p.settings.Machine.LogLimit = time.Second }, []string{"log event"}, "ResourceNotFound", "logs:FilterLogEvents"},
		"no log file":        {func(p *patient) { must(p.t, os.Remove(p.settings.LogFile)) }, []string{"log event"}, "no such file", "journalctl -u vinfast"},
		"uploads wait":       {func(p *patient) { p.wait(time.Hour) }, []string{"spool"}, "the oldest for 1h0m0s", "docs/operations.md#the-spool"},
		"damaged uploads":    {damage, []string{"spool"}, "1 entries do not read back", "damaged"},
		"clock is wrong":     {func(p *patient) { p.settings.Machine.Now = func() time.Time { return time.Now().Add(5 * time.Minute) } }, []string{"clock"}, "the clock is ", "chronyd"},
		"no role":            {func(p *patient) { delete(p.metadata, "meta-data/iam/security-credentials/") }, []string{"identity"}, "role of the instance", "pulumi up"},
		"another region":     {func(p *patient) { p.metadata["dynamic/instance-identity/document"] = `{"region":"eu-west-1"}` }, []string{"identity"}, "AWS_REGION is us-east-1", "app.env"},
		"public address": {func(p *patient) { p.settings.Machine.Lookup = lookup("52.94.1.1") },
			[]string{"address logs", "address ssm", "address ssmmessages", "address sagemaker.runtime"}, "public address", "private DNS"},
		"no address": {func(p *patient) { p.settings.Machine.Lookup = lookup("") },
			[]string{"address logs", "address ssm", "address ssmmessages", "address sagemaker.runtime"}, "no such host", "private DNS"},
		"address is mute": {func(p *patient) { p.settings.Machine.Dial = mute },
			[]string{"address logs", "address ssm", "address ssmmessages", "address sagemaker.runtime"}, "connection refused", "security group"},
		"app not ready": {func(p *patient) { p.ready = http.StatusServiceUnavailable }, []string{"web app"}, "database: The database is starting.", "journalctl -u vinfast"},
		"app away":      {func(p *patient) { p.settings.Listen = closed(p.t) }, []string{"web app"}, "refused", "It does not run"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t)
			t.Cleanup(func() { world.refuse.Store("") })
			p.ship()
			c.harm(p)
			r := doctor.Run(t.Context(), p.settings)
			var failed []string
			for _, l := range r.Checks {
				if l.Result == doctor.Failed {
					failed = append(failed, l.Name)
				}
				if (l.Advice != "") != (l.Result == doctor.Failed) {
					t.Errorf("%s %s: advice is %q", l.Name, l.Result, l.Advice)
				}
				if len(c.fails) > 0 && l.Name == c.fails[0] && !(strings.Contains(l.Detail, c.says) && strings.Contains(l.Advice, c.advice)) {
					t.Errorf("%s: %q -> %q, want %q -> %q", l.Name, l.Detail, l.Advice, c.says, c.advice)
				}
			}
			if r.OK || !slices.Equal(failed, c.fails) {
				t.Errorf("ok %v, failed: %q, want %q\n%s", r.OK, failed, c.fails, table(t, r))
			}
			for _, secret := range []string{"wrong-horse-battery", world.db.Password()} {
				if strings.Contains(table(t, r), secret) {
					t.Errorf("the password is shown:\n%s", table(t, r))
				}
			}
		})
	}
}

// A line that nobody ships is told apart from a right that lacks.
func TestLogEventThatNeverArrives(t *testing.T) {
	p := newPatient(t)
	p.settings.Machine.LogLimit = time.Second
	if l := line(t, doctor.Run(t.Context(), p.settings), "log event"); l.Result != doctor.Failed ||
		!strings.Contains(l.Detail, "is not in "+p.settings.LogGroup) || !strings.Contains(l.Advice, "amazon-cloudwatch-agent") {
		t.Errorf("log event: %+v", l)
	}
}

// On a laptop with another AWS the rest is checked all the same.
func TestNotOnEC2(t *testing.T) {
	p := newPatient(t)
	p.ship()
	p.settings.Machine.EC2 = func() bool { return false }
	r := doctor.Run(t.Context(), p.settings)
	if !r.OK || line(t, r, "identity").Detail != "not on EC2" || line(t, r, "identity").Result != doctor.Skipped || line(t, r, "bucket").Result != doctor.OK {
		t.Errorf("report:\n%s", table(t, r))
	}
}

// A password that an error quotes gets into no report.
func TestSecretsAreMasked(t *testing.T) {
	p := newPatient(t)
	p.ship()
	p.settings.Database.Secret = modelName
	if r := doctor.Run(t.Context(), p.settings); strings.Contains(table(t, r), modelName) || !strings.Contains(line(t, r, "model").Detail, "***") {
		t.Errorf("not masked:\n%s", table(t, r))
	}
}

func TestJSON(t *testing.T) {
	p := newPatient(t)
	p.ship()
	var out bytes.Buffer
	must(t, doctor.Run(t.Context(), p.settings).JSON(&out))
	var got map[string]any
	must(t, json.Unmarshal(out.Bytes(), &got))
	checks, _ := got["checks"].([]any)
	if got["ok"] != true || got["version"] != "vinfast test" || len(checks) != 17 {
		t.Errorf("got %s", &out)
	}
	first, _ := checks[0].(map[string]any)
	for _, key := range []string{"name", "result", "seconds", "detail"} {
		if _, there := first[key]; !there {
			t.Errorf("a check lacks %q: %v", key, first)
		}
	}
}

// The sections that advice names are in the guide.
func TestAdviceNamesSectionsOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	must(t, err)
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(guide), -1) {
		name := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		sections[strings.ReplaceAll(name, " ", "-")] = true
	}
	files, err := filepath.Glob("*.go")
	must(t, err)
	for _, file := range files {
		source, err := os.ReadFile(file)
		must(t, err)
		for _, m := range regexp.MustCompile(`guide\("([a-z-]+)"\)`).FindAllStringSubmatch(string(source), -1) {
			if !sections[m[1]] {
				t.Errorf("%s points to #%s, which docs/operations.md does not have", file, m[1])
			}
		}
	}
}

func forget(p *patient) {
	_, err := ssm.NewFromConfig(p.settings.AWS).DeleteParameter(p.t.Context(), &ssm.DeleteParameterInput{Name: &p.settings.Database.PasswordParameter})
	must(p.t, err)
}

func damage(p *patient) {
	must(p.t, os.WriteFile(filepath.Join(p.settings.SpoolDir, "damaged", "entry.1"), nil, 0o600))
}

func unmounted(p *patient) {
	must(p.t, os.WriteFile(p.settings.Machine.MountInfo, []byte("22 1 259:1 / / rw - xfs /dev/nvme0n1p1 rw\n"), 0o600))
}

// readOnly puts the shared folder where nobody, not even root, can write.
func readOnly(p *patient) {
	p.settings.SharedDir = "/proc"
	must(p.t, os.WriteFile(p.settings.Machine.MountInfo, []byte("90 22 0:48 / /proc ro - nfs4 127.0.0.1:/ ro\n"), 0o600))
}

func lookup(address string) func(context.Context, string) ([]netip.Addr, error) {
	return func(_ context.Context, host string) ([]netip.Addr, error) {
		if address == "" {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return []netip.Addr{netip.MustParseAddr(address)}, nil
	}
}

func mute(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("connection refused")
}

// closed is an address at which nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	port, err := program.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func line(t *testing.T, r doctor.Report, name string) doctor.Line {
	t.Helper()
	for _, l := range r.Checks {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no check %q", name)
	return doctor.Line{}
}

func table(t *testing.T, r doctor.Report) string {
	t.Helper()
	var out bytes.Buffer
	must(t, r.Table(&out))
	return out.String()
}
