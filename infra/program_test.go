package infra_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/infra"
	"vinfast-classifier/infra/rehearsal"
)

func TestEveryResourceIsUnderItsComponent(t *testing.T) {
	p := rehearse(t, widest)
	seen := map[string]bool{}
	for i := range p.Resources {
		r := &p.Resources[i]
		key := r.Type + " " + r.Name
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if len(r.Name) > 24 {
			t.Errorf("%s: its name has %d characters, more than 24", r, len(r.Name))
		}
		switch {
		case strings.HasPrefix(r.Type, "vinfast:"):
			if !regexp.MustCompile(`^vinfast:infra:[A-Z][A-Za-z]+$`).MatchString(r.Type) {
				t.Errorf("%s: token %s does not have three parts", r, r.Type)
			}
		case r.Type == "pulumi:providers:aws":
		case !strings.Contains(r.Parent, "::vinfast:infra:"):
			t.Errorf("%s has the parent %q, not a component", r, r.Parent)
		case !strings.Contains(r.Provider, "pulumi:providers:aws::aws"):
			t.Errorf("%s uses provider %q, not ours", r, r.Provider)
		}
	}
}

// Names people and other services hold on to; all others are Pulumi's.
func TestPhysicalNamesAreFew(t *testing.T) {
	p := rehearse(t, widest)
	allowed := []string{"LogGroup app", "LogGroup database", "LogGroup endpoint", "Endpoint endpoint", "Parameter password", "Parameter ca"}
	for i := range p.Resources {
		r := &p.Resources[i]
		for _, key := range []string{"name", "bucket", "namePrefix", "bucketPrefix"} {
			if v := r.Text(key); v != "" && r.Custom && !slices.Contains(allowed, r.String()) && !strings.HasSuffix(v, "-1a2b3c4") {
				t.Errorf("%s: %s is fixed to %q", r, key, v)
			}
		}
	}
}

// Five parts: args, state, constant token, children under it, outputs.
func TestComponentsHaveTheirFiveParts(t *testing.T) {
	for name, file := range sources(t) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "New") {
				continue
			}
			text := source(t, name)
			component := strings.TrimPrefix(f.Name.Name, "New")
			for _, part := range []string{
				"type " + component + " struct {\n\tpulumi.ResourceState\n",
				`"vinfast:infra:` + component + `"`,
				"ctx.RegisterResourceOutputs(c, ",
				"pulumi.Parent(c)",
			} {
				if !strings.Contains(text, part) && !(part == "pulumi.Parent(c)" && strings.Contains(text, ", c)\n")) {
					t.Errorf("%s: component %s lacks %q", name, component, part)
				}
			}
			if strings.Contains(text, "append(opts") {
				t.Errorf("%s: %s hands its caller's options to its children", name, component)
			}
		}
	}
}

func TestOneFileKnowsS3(t *testing.T) {
	for name, file := range sources(t) {
		for _, i := range file.Imports {
			if strings.HasSuffix(i.Path.Value, `/aws/s3"`) && name != "bucket.go" {
				t.Errorf("%s imports %s; the move to version 7 must touch bucket.go only", name, i.Path.Value)
			}
		}
	}
}

func TestInfraAndAppDoNotImportEachOther(t *testing.T) {
	for name, file := range sources(t) {
		for _, i := range file.Imports {
			if strings.Contains(i.Path.Value, "vinfast-classifier/app") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}

// The contract between the two is a list of variables: instances get each one
// that has no default, and none that the app does not read.
func TestEnvironmentIsTheApps(t *testing.T) {
	const path = "../app/config.go"
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatalf("the app's list of variables must be in app/config.go: %v", err)
	}
	name := regexp.MustCompile(`^"(VINFAST_[A-Z_]+|AWS_REGION)"$`)
	apps := map[string]bool{} // true: it has no default
	ast.Inspect(file, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok || len(row.Elts) != 3 {
			return true
		}
		variable, ok := row.Elts[0].(*ast.BasicLit)
		if standard, also := row.Elts[1].(*ast.BasicLit); ok && also && name.MatchString(variable.Value) {
			apps[strings.Trim(variable.Value, `"`)] = standard.Value == `""`
		}
		return true
	})
	delete(apps, "VINFAST_DB_DSN") // local mode's way around the group
	ours := map[string]bool{}
	data := userData(t, rehearse(t, nil), "web-1")
	for _, m := range regexp.MustCompile(`(?m)^    (VINFAST_[A-Z_]+|AWS_REGION)=`).FindAllStringSubmatch(block(t, data, "/etc/vinfast/app.env"), -1) {
		ours[m[1]] = true
	}
	if !strings.Contains(data, `echo "VINFAST_LOG_FILE=$log" >"$ETC/instance.env"`) {
		t.Error("the log file is not named at boot")
	}
	ours["VINFAST_LOG_FILE"] = true
	for v, needed := range apps {
		if needed && !ours[v] {
			t.Errorf("the app needs %s, which instances do not get", v)
		}
	}
	for v := range ours {
		if _, known := apps[v]; !known {
			t.Errorf("instances get %s, which the app does not read", v)
		}
	}
}

// The doctor resolves the name of every endpoint that is made by default.
func TestDoctorKnowsTheEndpoints(t *testing.T) {
	doctor := source(t, "../app/doctor/machine.go")
	n := 0
	p := rehearse(t, nil)
	for _, r := range p.Of("VpcEndpoint") {
		if r.Text("vpcEndpointType") != "Interface" {
			continue
		}
		n++
		if !strings.Contains(doctor, "\n\t{\""+r.Name+"\", ") {
			t.Errorf("the doctor does not look at endpoint %s", r.Name)
		}
	}
	if known := strings.Count(doctor, ".Options().BaseEndpoint }}") + strings.Count(doctor, "\", nil},"); n != known {
		t.Errorf("there are %d endpoints, the doctor knows %d", n, known)
	}
}

func TestOutputs(t *testing.T) {
	names := []string{"backupPlanId", "backupVault", "databaseInstanceId", "doctorCommand", "endpointName", "expect", "fileSystemId",
		"imageBucket", "logGroup", "openCommand", "shellCommands", "url", "webInstanceIds"}
	for config, url := range map[string]string{
		`{}`:                                  "http://127.0.0.1:8080",
		`{"allowedCidrs":["203.0.113.0/24"]}`: "http://198.51.100.7:8080",
	} {
		p := rehearse(t, settings{"web": config})
		var got []string
		for name, value := range p.Outputs {
			got = append(got, name)
			if fmt.Sprint(value) == "" || fmt.Sprint(value) == "[]" {
				t.Errorf("%s is empty", name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, names) {
			t.Errorf("outputs are %v, want %v", got, names)
		}
		if p.Outputs["url"] != url {
			t.Errorf("web %s: url is %v, want %s", config, p.Outputs["url"], url)
		}
	}
	closed := rehearse(t, settings{"web": `{"allowedCidrs":["203.0.113.0/24"]}`, "network": `{"internet":false}`})
	if closed.Outputs["url"] != "http://127.0.0.1:8080" || len(closed.Of("Route")) != 0 || len(closed.Of("InternetGateway")) != 1 {
		t.Errorf("internet false: url %v, %d routes, %d gateways; want the forwarded address, no route and the gateway",
			closed.Outputs["url"], len(closed.Of("Route")), len(closed.Of("InternetGateway")))
	}
}

func TestOffSwitchLeavesAllButTheEndpoint(t *testing.T) {
	on, off := rehearse(t, nil), rehearse(t, settings{"model": `{"enabled":false}`})
	if len(off.Of("Endpoint")) != 0 || len(on.Of("Endpoint")) != 1 || len(on.Resources)-len(off.Resources) != 1 {
		t.Errorf("off has %d endpoints and %d resources fewer", len(off.Of("Endpoint")), len(on.Resources)-len(off.Resources))
	}
	if userData(t, on, "web-1") != userData(t, off, "web-1") {
		t.Error("the switch changes user data and would replace the instance")
	}
}

func TestANewAppReplacesWebInstancesOnly(t *testing.T) {
	before := rehearse(t, nil)
	tools := rehearsal.Tools()
	build := tools.BuildApp
	tools.BuildApp = func(ctx context.Context, root, arch string) (infra.File, error) {
		f, err := build(ctx, root, arch)
		f.SHA256 = strings.Repeat("b", 64)
		return f, err
	}
	after, err := rehearsal.RunAs(rehearsal.Stack, nil, tools)
	if err != nil {
		t.Fatal(err)
	}
	var changed []string
	for i := range after.Resources {
		a, b := &after.Resources[i], &before.Resources[i]
		if fmt.Sprint(a.Inputs) != fmt.Sprint(b.Inputs) {
			changed = append(changed, a.String())
		}
	}
	want := []string{"BucketObjectv2 app", "Instance web-1"}
	if !slices.Equal(changed, want) {
		t.Errorf("a new app changes %v, want %v", changed, want)
	}
}

func TestOtherPartitionsAreRefused(t *testing.T) {
	for region, want := range map[string]string{"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		p, err := rehearsal.Run(settings{"aws:region": region})
		if err == nil || !strings.Contains(err.Error(), "aws:region: "+region+" is in the partition "+want+",") {
			t.Errorf("%s: %v", region, err)
		}
		if n := len(p.Resources); n > 1 { // the provider, which was asked
			t.Errorf("%s: %d resources were declared before", region, n)
		}
	}
}

func TestBackupOff(t *testing.T) {
	p := rehearse(t, settings{"backup": `{"enabled":false}`})
	if n := len(p.Of("Vault")) + len(p.Of("Plan")) + len(p.Of("Selection")); n != 0 {
		t.Errorf("%d backup resources are left", n)
	}
}

func TestProtectDataProtectsWhatHoldsData(t *testing.T) {
	p := rehearse(t, settings{"protectData": "true"})
	var protected []string
	for i := range p.Resources {
		if p.Resources[i].Options.Protect {
			protected = append(protected, p.Resources[i].String())
		}
	}
	want := []string{"Vault vault", "Volume data", "FileSystem files", "BucketV2 images"}
	if !slices.Equal(protected, want) {
		t.Errorf("protected are %v, want %v", protected, want)
	}
}

// sources are the parsed files of package infra, tests left out.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func source(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
