package infra_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"vinfast-classifier/infra"
	"vinfast-classifier/infra/rehearsal"
)

func TestConfigFaults(t *testing.T) {
	const arm = `","mysqlUrl":"https://example.com/mysql-8.4.6-linux-glibc2.28-aarch64.tar.xz","mysqlSha256":"` +
		"f284b17b9e038adbe77f0dd5fb11ed30262286b23a390b8b4e367abc3574c42e"
	for name, c := range map[string]struct {
		settings settings
		want     []string // one for each fault, in order; none means it passes
	}{
		"nothing set":                {nil, nil},
		"misspelt key":               {settings{"webb": `{}`}, []string{"webb: there is no such key; allowed are alarms, backup, database, logs, model, network, protectData, web"}},
		"misspelt nested key":        {settings{"web": `{"allowedCidr":["10.0.0.0/8"]}`}, []string{"web.allowedCidr: there is no such key; allowed are allowedCidrs,"}},
		"wrong case":                 {settings{"web": `{"AllowedCidrs":[]}`}, []string{"web.AllowedCidrs: there is no such key"}},
		"other namespace":            {settings{"vinfast:web": `{}`}, []string{`vinfast:web: nothing reads this; our keys begin with "vinfast-classifier:"`}},
		"not an object":              {settings{"network": `"big"`}, []string{"network: must be an object with any of the keys"}},
		"empty object":               {settings{"network": `null`}, []string{"network: is empty"}},
		"empty value":                {settings{"network": `{"cidr":null}`}, []string{"network.cidr: is empty"}},
		"text for a number":          {settings{"network": `{"azCount":"2"}`}, []string{`network.azCount: must be a whole number, not "2"`}},
		"the same key twice":         {settings{"network": `{"azCount":2,"internet":true,"azCount":3}`}, []string{"network.azCount: is there twice"}},
		"twice, further down":        {settings{"model": `{"serverless":{"memoryMiB":1,"memoryMiB":2}}`}, []string{"model.serverless.memoryMiB: is there twice", "model.serverless"}},
		"fraction for a number":      {settings{"network": `{"azCount":1.5}`}, []string{"network.azCount: must be a whole number, not 1.5"}},
		"zero is not unset":          {settings{"network": `{"azCount":0}`}, []string{"network.azCount: 0 is not 1 to 4", "network.endpointAzCount: 1 is not 1 to network.azCount (0)"}},
		"number for a bool":          {settings{"network": `{"internet":1}`}, []string{"network.internet: must be true or false, not 1"}},
		"word for a bool":            {settings{"protectData": `yes`}, []string{"protectData: must be true or false, not yes"}},
		"text for a list":            {settings{"web": `{"allowedCidrs":"0.0.0.0/0"}`}, []string{"web.allowedCidrs: must be a list of texts"}},
		"public network":             {settings{"network": `{"cidr":"8.8.0.0/16"}`}, []string{`network.cidr: "8.8.0.0/16" is not a private IPv4 range`}},
		"network too small":          {settings{"network": `{"cidr":"10.0.0.0/24"}`}, []string{`network.cidr: "10.0.0.0/24" is not a private IPv4 range from /16 to /23`}},
		"network unmasked":           {settings{"network": `{"cidr":"10.0.0.1/16"}`}, []string{"network.cidr"}},
		"more endpoints than zones":  {settings{"network": `{"endpointAzCount":3}`}, []string{"network.endpointAzCount: 3 is not 1 to network.azCount (2)"}},
		"unknown endpoint":           {settings{"network": `{"extraEndpoints":["sns"]}`}, []string{`network.extraEndpoints: "sns" is not one of ec2, ec2messages`}},
		"endpoint twice":             {settings{"network": `{"extraEndpoints":["kms","kms"]}`}, []string{`network.extraEndpoints: "kms" is there twice`}},
		"range unmasked":             {settings{"web": `{"allowedCidrs":["203.0.113.7/24"]}`}, []string{`web.allowedCidrs: "203.0.113.7/24" is not an IPv4 range`}},
		"range without length":       {settings{"web": `{"allowedCidrs":["203.0.113.7"]}`}, []string{"web.allowedCidrs"}},
		"IPv6 range":                 {settings{"web": `{"allowedCidrs":["::/0"]}`}, []string{"web.allowedCidrs"}},
		"range twice":                {settings{"web": `{"allowedCidrs":["10.0.0.0/8","10.0.0.0/8"]}`}, []string{"web.allowedCidrs: \"10.0.0.0/8\" is there twice"}},
		"no instance type":           {settings{"web": `{"instanceType":"big"}`}, []string{`web.instanceType: "big" is not an EC2 instance type`}},
		"nano":                       {settings{"web": `{"instanceType":"t3.nano"}`}, []string{"web.instanceType: t3.nano has half a GiB"}},
		"old web type":               {settings{"web": `{"instanceType":"t2.micro"}`}, nil},
		"old database type":          {settings{"database": `{"instanceType":"t2.micro"}`}, []string{"database.instanceType: t2.micro is not a Nitro type"}},
		"arm database":               {settings{"database": `{"instanceType":"t4g.small"}`}, []string{"database.instanceType: t4g.small is arm64"}},
		"arm database and its MySQL": {settings{"database": `{"instanceType":"t4g.small` + arm + `"}`}, nil},
		"url without digest":         {settings{"database": `{"mysqlUrl":"https://example.com/a.tar.xz"}`}, []string{"database.mysqlUrl and database.mysqlSha256: set both or neither"}},
		"plain http":                 {settings{"database": `{"instanceType":"t3.small` + strings.Replace(arm, "https", "http", 1) + `"}`}, []string{"database.mysqlUrl: "}},
		"token in the url":           {settings{"database": `{"instanceType":"t4g.small` + strings.Replace(arm, ".xz", ".xz?token=a&b", 1) + `"}`}, nil},
		"file name with a blank":     {settings{"database": `{"instanceType":"t4g.small` + strings.Replace(arm, "mysql-8", "my%20sql-8", 1) + `"}`}, []string{`database.mysqlUrl: the file's name "my sql-8.4.6-linux-glibc2.28-aarch64.tar.xz" may hold`}},
		"tiny volume":                {settings{"database": `{"volumeGiB":1}`}, []string{"database.volumeGiB: 1 is not 5 to 16384"}},
		"no snapshot":                {settings{"database": `{"snapshotId":"latest"}`}, []string{"database.snapshotId: \"latest\" is not snap-"}},
		"short revision":             {settings{"model": `{"revision":"571940a"}`}, []string{`model.revision: "571940a" is not a commit of 40`}},
		"branch as revision":         {settings{"model": `{"revision":"main"}`}, []string{"model.revision"}},
		"no model":                   {settings{"model": `{"huggingFaceId":"vit"}`}, []string{`model.huggingFaceId: "vit" is not owner/name`}},
		"no such folder":             {settings{"model": `{"dataPath":"nowhere"}`}, []string{`model.dataPath: "nowhere" is neither a folder nor a .tar.gz`}},
		"folder without a model":     {settings{"model": `{"dataPath":"testdata"}`}, []string{`model.dataPath: testdata has no config.json`}},
		"revision of a folder":       {settings{"model": `{"dataPath":"testdata/model","revision":"` + strings.Repeat("a", 40) + `"}`}, []string{"model.revision: has no effect"}},
		"no instances":               {settings{"model": `{"instanceCount":0}`}, []string{"model.instanceCount: 0 is not 1 to 10; to pay nothing set model.enabled to false"}},
		"EC2 type for the model":     {settings{"model": `{"instanceType":"m5.xlarge"}`}, []string{"model.instanceType: \"m5.xlarge\" is not a SageMaker type"}},
		"odd retention":              {settings{"logs": `{"retentionDays":31}`}, []string{"logs.retentionDays: 31 is not one of 1 3 5"}},
		"cron of five":               {settings{"backup": `{"schedule":"cron(0 10 * * *)"}`}, []string{"backup.schedule"}},
		"rate":                       {settings{"backup": `{"schedule":"rate(1 day)"}`}, []string{`backup.schedule: "rate(1 day)" is not cron(...) with six fields`}},
		"cron of five minutes":       {settings{"backup": `{"schedule":"cron(0/5 * * * ? *)"}`}, []string{"backup.schedule"}},
		"cron of two days":           {settings{"backup": `{"schedule":"cron(0 10 * * * *)"}`}, []string{"backup.schedule"}},
		"cron of a weekday":          {settings{"backup": `{"schedule":"cron(15 10,22 ? * MON-FRI *)"}`}, nil},
		"no such timezone":           {settings{"backup": `{"timezone":"Bangkok"}`}, []string{`backup.timezone: "Bangkok" is not an IANA name`}},
		"windows too narrow":         {settings{"backup": `{"startWindowMinutes":30,"completionWindowMinutes":60}`}, []string{"backup.startWindowMinutes: 30", "backup.completionWindowMinutes: 60 is not startWindowMinutes + 60 (90)"}},
		"many at once": {settings{"web": `{"alowedCidrs":[],"instanceType":7}`, "logs": `{"retentionDays":2}`, "model": `{"revision":"main"}`}, []string{
			"web.alowedCidrs", "web.instanceType: must be a text, not 7", "model.revision", "logs.retentionDays"}},
	} {
		t.Run(name, func(t *testing.T) { wantFaults(t, rehearsal.Stack, c.settings, c.want) })
	}
}

func TestConfigNotYet(t *testing.T) {
	for key, s := range map[string]settings{
		"web.domain":             {"web": `{"domain":"cars.example.com"}`},
		"web.hostedZoneId":       {"web": `{"hostedZoneId":"Z1"}`},
		"web.count":              {"web": `{"count":2}`},
		"model.serverless":       {"model": `{"serverless":{"memoryMiB":2048}}`},
		"model.maxInstanceCount": {"model": `{"maxInstanceCount":3}`},
		"alarms.email":           {"alarms": `{"email":"a@example.com"}`},
		"network.flowLogs":       {"network": `{"flowLogs":true}`},
	} {
		wantFaults(t, rehearsal.Stack, s, []string{key + ": not yet: "})
	}
}

func TestStackNames(t *testing.T) {
	for stack, ok := range map[string]bool{
		"dev": true, "prod-2": true, "a": true,
		"Prod": false, "devB": false, "my_stack": false, "a.b": false, "a--b": false, "-a": false, strings.Repeat("a", 41): false,
	} {
		var want []string
		if !ok {
			want = []string{"the stack's name"}
		}
		wantFaults(t, stack, nil, want)
	}
}

// A URL of one's own may hold a token, as a query or a user.
func TestNoTokenIsPrinted(t *testing.T) {
	tools := rehearsal.Tools()
	tools.Download = func(_ context.Context, source, _ string, _ func(string)) (infra.File, error) {
		return infra.File{}, &url.Error{Op: "Get", URL: source, Err: errors.New("no route to host")}
	}
	const digest = `"mysqlSha256":"0000000000000000000000000000000000000000000000000000000000000000"`
	for _, database := range []string{
		`{"mysqlUrl":"ftp://user:hunter2@h/mysql.tar.xz?hunter2",` + digest + `}`,
		`{"mysqlUrl":"https://user:hunter2@h:port:8/mysql.tar.xz?hunter2",` + digest + `}`,
		`{"mysqlUrl":["https://h/mysql.tar.xz?hunter2"],` + digest + `}`,
		`{"mysqlUrl":"https://h/mysql.tar.xz?hunter2",`,
		`{"mysqlUrl":"https://user:hunter2@h/mysql.tar.xz?hunter2",` + digest + `}`,
	} {
		_, err := rehearsal.RunAs("dev", settings{"database": database}, tools)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", database, err)
		}
	}
}

// wantFaults declares a stack and compares the faults, one a line; with
// faults, nothing may have been declared.
func wantFaults(t *testing.T, stack string, s settings, want []string) {
	t.Helper()
	p, err := rehearsal.RunAs(stack, s, rehearsal.Tools())
	if len(want) == 0 {
		if err != nil {
			t.Errorf("%v: %v", s, err)
		}
		return
	}
	if err == nil {
		t.Fatalf("%v passed, want %q", s, want)
	}
	if len(p.Resources) > 0 {
		t.Errorf("%d resources were declared before the faults were told", len(p.Resources))
	}
	text := regexp.MustCompile(`(?s)has \d+ faults?:\n(.*)`).FindStringSubmatch(err.Error())
	if text == nil {
		t.Fatalf("%v does not list faults", err)
	}
	got := strings.Split(strings.TrimSpace(text[1]), "\n")
	if len(got) != len(want) {
		t.Fatalf("faults:\n%s\nwant %d: %q", err, len(want), want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("fault %d is %q, want %q", i+1, got[i], want[i])
		}
	}
}

func TestDefaultsOpenNothing(t *testing.T) {
	p := rehearse(t, nil)
	if n := len(p.Of("Eip")); n != 0 {
		t.Errorf("%d public addresses by default", n)
	}
	for _, r := range p.Of("SecurityGroupIngressRule") {
		if r.Text("cidrIpv4") != "" {
			t.Errorf("%s is open to %s by default", r, r.Text("cidrIpv4"))
		}
	}
	if subnet := p.One("Instance", "web-1").Text("subnetId"); subnet != "Subnet-private-1" {
		t.Errorf("the web instance is in %s by default", subnet)
	}
}

// Every committed stack file must pass, with the values it has.
func TestCommittedStacks(t *testing.T) {
	files, err := filepath.Glob("../Pulumi.*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("stack files: %v, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^  `+infra.Project+`:(\w+):`).FindAllStringSubmatch(string(text), -1) {
			if _, ok := reflect.TypeFor[infra.Config]().FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, m[1]) }); !ok {
				t.Errorf("%s: no key %s", name, m[1])
			}
		}
	}
}

func TestSettingsAreDocumented(t *testing.T) {
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, prefix string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := prefix + f.Tag.Get("json")
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			tags := []string{"doc", "allowed", "cost", "risk"}
			if inner.Kind() == reflect.Struct {
				walk(inner, name+".")
				tags = tags[:1]
			}
			for _, tag := range tags {
				if f.Tag.Get(tag) == "" {
					t.Errorf("%s has no %s", name, tag)
				}
			}
		}
	}
	walk(reflect.TypeFor[infra.Config](), "")
}
