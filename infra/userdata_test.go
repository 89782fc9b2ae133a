package infra_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/infra"
)

var update = flag.Bool("update", false, "write golden files and generated documents anew")

var webExample = infra.WebUserData{
	Region:         "us-east-1",
	ArtifactBucket: "artifacts-1a2b3c4",
	AppKey:         "app/" + strings.Repeat("a", 64) + "/vinfast",
	AppSHA256:      strings.Repeat("a", 64),
	AppUser:        1500,
	FileSystem:     "fs-0123456789abcdef0",
	AccessPoint:    "fsap-0123456789abcdef0",
	LogGroup:       "/vinfast/dev/app",
	Environment:    []infra.Variable{{Name: "VINFAST_LISTEN", Value: ":8080"}, {Name: "AWS_REGION", Value: "us-east-1"}},
}

var databaseExample = infra.DatabaseUserData{
	Region:            "us-east-1",
	ArtifactBucket:    "artifacts-1a2b3c4",
	MySQLKey:          "mysql/" + strings.Repeat("b", 64) + "/mysql.tar.xz",
	MySQLSHA256:       strings.Repeat("b", 64),
	Volume:            "vol-0123456789abcdef0",
	Address:           "10.20.128.10",
	PasswordParameter: "/vinfast/dev/database/password",
	CAParameter:       "/vinfast/dev/database/ca",
	Database:          "prediction_data",
	User:              "vinfast",
	DumpBucket:        "images-1a2b3c4",
	DumpPrefix:        "dumps/",
	LogGroup:          "/vinfast/dev/database",
}

func TestUserDataGolden(t *testing.T) {
	for name, data := range examples(t) {
		golden(t, "testdata/"+name+".yaml", data)
	}
}

func TestUserDataIsCloudConfig(t *testing.T) {
	need(t, "cloud-init", "cloud-init")
	for name, data := range examples(t) {
		file := filepath.Join(t.TempDir(), name+".yaml")
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := checker("cloud-init", "schema", "--config-file", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestUserDataLeavesRoom(t *testing.T) {
	for name, data := range examples(t) {
		if len(data) > 14000 {
			t.Errorf("%s has %d bytes; near the limit of 16384 nothing can be added", name, len(data))
		}
	}
}

// The instance's own words: files are written, one unit is enabled, and
// nothing else is run by cloud-init.
func TestUserDataOnlyWritesFilesAndEnablesAUnit(t *testing.T) {
	for name, data := range examples(t) {
		_, commands, found := strings.Cut(data, "\nruncmd:\n")
		want := "- [systemctl, daemon-reload]\n- [systemctl, enable, --now, --no-block, vinfast-boot.service]\n"
		if !found || commands != want {
			t.Errorf("%s runs %q, want %q", name, commands, want)
		}
		for _, line := range []string{"Type=oneshot", "Restart=on-failure", "StartLimitIntervalSec=0", "WantedBy=multi-user.target"} {
			if !strings.Contains(block(t, data, "/etc/systemd/system/vinfast-boot.service"), line) {
				t.Errorf("%s: the boot unit lacks %s", name, line)
			}
		}
	}
}

func TestAppUnit(t *testing.T) {
	unit := block(t, examples(t)["web"], "/etc/systemd/system/vinfast.service")
	for _, line := range []string{"User=vinfast", "RequiresMountsFor=/srv/vinfast", "ExecStart=/opt/vinfast/bin/vinfast serve",
		"NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet=", "StartLimitIntervalSec=0"} {
		if !strings.Contains(unit, "    "+line+"\n") {
			t.Errorf("the app's unit lacks %s", line)
		}
	}
}

// A dump that comes due while the instance was off starts with the boot.
func TestDumpUnitWaitsAndTriesAgain(t *testing.T) {
	unit := block(t, examples(t)["database"], "/etc/systemd/system/vinfast-dump.service")
	for _, line := range []string{"RequiresMountsFor=/data", "After=vinfast-boot.service", "StartLimitIntervalSec=0", "Restart=on-failure", "RestartSec=300"} {
		if !strings.Contains(unit, "    "+line+"\n") {
			t.Errorf("the dump's unit lacks %s", line)
		}
	}
}

// "maxsize" counts only when logrotate runs, which is once a day by default.
func TestLogsAreLookedAtEveryHour(t *testing.T) {
	for name, data := range examples(t) {
		if !strings.Contains(block(t, data, "/etc/logrotate.d/vinfast"), "maxsize 50M") ||
			!strings.Contains(block(t, data, "/etc/systemd/system/logrotate.timer.d/vinfast.conf"), "OnCalendar=hourly\n") ||
			!strings.Contains(data, "systemctl enable --now logrotate.timer\n") {
			t.Errorf("%s: a chatty day fills the root volume", name)
		}
	}
}

// What the default image has, a pinned one may lack.
func TestProgramsOfTheScriptsAreInstalled(t *testing.T) {
	for script, packages := range map[string]map[string]string{
		"database.sh": {"aws": "awscli-2", "cmp": "diffutils", "openssl": "openssl", "tar": "tar", "mkfs.xfs": "xfsprogs"},
		"dump.sh":     {"gzip": "gzip"}, // of the same instance
		"web.sh":      {"mount_shared": "amazon-efs-utils", "fetch_app": "awscli-2"},
	} {
		list := regexp.MustCompile(`(?m)^  install_packages (.*)$`).FindStringSubmatch(source(t, "userdata/"+strings.Replace(script, "dump", "database", 1)))
		for program, pkg := range packages {
			if !regexp.MustCompile(`\b` + program + `\b`).MatchString(source(t, "userdata/"+script)) {
				t.Errorf("%s does not use %s any more", script, program)
			}
			if list == nil || !slices.Contains(strings.Fields(list[1]), pkg) {
				t.Errorf("%s uses %s, and %s is not installed", script, program, pkg)
			}
		}
	}
}

func TestScriptsAreCleanUnderShellcheck(t *testing.T) {
	need(t, "shellcheck", "shellcheck")
	scripts, err := filepath.Glob("userdata/*.sh")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("scripts: %v, %v", scripts, err)
	}
	if out, err := checker("shellcheck", append([]string{"-x", "-P", "SCRIPTDIR"}, scripts...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What goes into a script comes in through files of plain words, so that no
// value can be read as a command.
func TestUserDataRefusesWhatNeedsQuotes(t *testing.T) {
	for _, value := range []string{"", "a b", "$(reboot)", "a;b", "a'b", "a\nb", "`b`"} {
		bad := webExample
		bad.ArtifactBucket = value
		if _, err := bad.Render(); err == nil {
			t.Errorf("bucket %q was taken", value)
		}
	}
}

func TestUserDataTooLong(t *testing.T) {
	long := webExample
	long.AppKey = strings.Repeat("x", 10000)
	if _, err := long.Render(); err == nil || !strings.Contains(err.Error(), "16384") {
		t.Errorf("20000 bytes: %v", err)
	}
}

func TestScriptsHoldNoTemplate(t *testing.T) {
	scripts, err := filepath.Glob("userdata/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		if strings.Contains(source(t, name), "{{") {
			t.Errorf("%s holds template directives and could not be run as it is", name)
		}
	}
}

func examples(t *testing.T) map[string]string {
	t.Helper()
	web, err := webExample.Render()
	if err != nil {
		t.Fatal(err)
	}
	database, err := databaseExample.Render()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"web": web, "database": database}
}

// userData of an instance of the plan.
func userData(t *testing.T, p plan, instance string) string {
	t.Helper()
	text := p.One("Instance", instance).Text("userData")
	if text == "" {
		t.Fatalf("instance %s has no user data", instance)
	}
	return text
}

// block is what cloud-init writes to a path, with its indentation.
func block(t *testing.T, data, path string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^- path: ` + regexp.QuoteMeta(path) + `\n(?:  permissions: .*\n)?  content: \|\n((?:(?:    .*)?\n)*)`).FindStringSubmatch(data)
	if m == nil {
		t.Fatalf("nothing is written to %s", path)
	}
	return m[1]
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not current; look at the change and run: go test ./infra -update", name)
	}
}

// need stops a test that lacks a program, saying what to install.
func need(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("this test needs %s: apt-get install %s", program, pkg)
	}
}

// checker is a program that reads a file and says what is wrong with it.
func checker(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8"}
	return cmd
}
