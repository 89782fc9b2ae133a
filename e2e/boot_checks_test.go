package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"vinfast-classifier/e2e/boot"
)

// packages are those that the boot scripts may ask dnf for; docs/aws-unverified.md says how to see that Amazon Linux has them.
var packages = []string{"amazon-cloudwatch-agent", "amazon-efs-utils", "awscli-2", "diffutils", "gzip", "libaio", "logrotate",
	"numactl-libs", "openssl", "tar", "xfsprogs", "xz"}

func property(t *testing.T, m *boot.Machine, unit, name string) string {
	t.Helper()
	return strings.TrimSpace(m.Run(t, "systemctl", "show", "--property="+name, "--value", unit))
}

// sql asks MySQL as root on the instance.
func sql(t *testing.T, m *boot.Machine, query string) (rows [][]string) {
	t.Helper()
	text := m.Run(t, "/opt/mysql/bin/mysql", "--socket=/run/mysqld/mysqld.sock", "--user=root", "--batch", "--skip-column-names", "--execute", query)
	for line := range strings.Lines(text) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

func (s *site) parameter(t *testing.T, name string) string {
	t.Helper()
	answer := must[*ssm.GetParameterOutput](t, "read "+name)(s.SSM.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)}))
	return *answer.Parameter.Value
}

const (
	passwordParameter = "/vinfast/dev/database/password"
	caParameter       = "/vinfast/dev/database/ca"
)

// checkDatabase looks at what the boot made: MySQL on the private address, TLS, users and rights, parameters, timer.
func (s *site) checkDatabase(t *testing.T, d *boot.Machine) {
	if password := s.parameter(t, passwordParameter); len(password) != 48 {
		t.Errorf("the password parameter holds %d characters, not 48", len(password))
	}
	if ca := d.Run(t, "cat", "/data/tls/ca.pem"); strings.TrimSpace(s.parameter(t, caParameter)) != strings.TrimSpace(ca) {
		t.Error("the CA parameter is not the instance's CA")
	}
	if got := d.Run(t, "findmnt", "--noheadings", "--output", "FSTYPE", "/data"); strings.TrimSpace(got) != "xfs" {
		t.Errorf("/data is %q", got)
	}
	for query, want := range map[string]string{
		"SELECT @@bind_address, @@require_secure_transport, @@performance_schema": s.database.Address + " 1 0",
		"SELECT user, host, ssl_type FROM mysql.user WHERE user = 'vinfast'":      "vinfast % ANY",
		"SELECT plugin FROM mysql.user WHERE user = 'root'":                       "auth_socket",
	} {
		if rows := sql(t, d, query); len(rows) != 1 || strings.Join(rows[0], " ") != want {
			t.Errorf("%s: %q, want %s", query, rows, want)
		}
	}
	d.Run(t, "systemctl", "is-active", "vinfast-dump.timer", "logrotate.timer")
	checkUnits(t, d, "vinfast-boot.service", "vinfast-mysql.service", "vinfast-dump.service", "vinfast-dump.timer")
	checkStandIns(t, d, "/var/log/mysql/error.log")
	checkCloudInit(t, d)
}

// checkWeb looks at what the boot of a web instance made.
func (s *site) checkWeb(t *testing.T, w *boot.Machine) {
	if tries := count(w.Calls(t), "mount.efs "); tries != 3 {
		t.Errorf("the shared files were mounted with %d tries, not 3", tries)
	}
	if owner := strings.TrimSpace(w.Run(t, "stat", "--format=%U", "/proc/"+property(t, w, "vinfast.service", "MainPID"))); owner != "vinfast" {
		t.Errorf("the app runs as %s", owner)
	}
	if running := strings.Fields(w.Run(t, "sha256sum", "/proc/"+property(t, w, "vinfast.service", "MainPID")+"/exe"))[0]; !strings.Contains(w.UserData, running) {
		t.Errorf("the app that runs has the digest %s, which is not in the user data", running)
	}
	checkUnits(t, w, "vinfast-boot.service", "vinfast.service", "srv-vinfast.mount")
	checkStandIns(t, w, "/var/log/vinfast/"+w.Name+".log")
	checkCloudInit(t, w)
}

func count(calls []string, prefix string) int {
	return len(slices.DeleteFunc(slices.Clone(calls), func(call string) bool { return !strings.HasPrefix(call, prefix) }))
}

// checkUnits has systemd judge the units, which knows their every line.
func checkUnits(t *testing.T, m *boot.Machine, units ...string) {
	t.Helper()
	for _, unit := range units {
		if faults := m.Run(t, "sh", "-c", "systemd-analyze verify --recursive-errors=no "+unit+" 2>&1"); strings.TrimSpace(faults) != "" {
			t.Errorf("%s: %s", unit, faults)
		}
	}
}

// standIns are all files that an instance's root has beside Debian's before its first boot: what takes the place of Amazon
// Linux's own, and what the instance is told.
var standIns = []string{
	"etc/cloud/cloud.cfg.d/90_machine.cfg",
	"etc/machine-meminfo",
	"etc/systemd/system.conf.d/machine.conf",
	"usr/bin/dnf",
	"usr/lib/systemd/system/amazon-ssm-agent.service",
	"var/lib/cloud/seed/nocloud/meta-data",
	"var/lib/cloud/seed/nocloud/user-data",
	"var/lib/machine/attach",
	"var/lib/machine/calls",
	"var/lib/machine/cloudwatch-agent-ctl", // placed by dnf
	"var/lib/machine/mount.efs",            // placed by dnf
	"var/lib/machine/volumes",
}

// checkStandIns looks at the files that stand in for something, and at each call that a stand-in noted: there are no others than these, each once per reason.
func checkStandIns(t *testing.T, m *boot.Machine, log string) {
	t.Helper()
	if !slices.Equal(m.StandIns, standIns) {
		t.Errorf("the root was furnished with %q, not with %q", m.StandIns, standIns)
	}
	for _, call := range m.Calls(t) {
		words := strings.Fields(call)
		switch words[0] {
		case "dnf":
			for _, name := range words[3:] {
				if !slices.Contains(packages, name) {
					t.Errorf("dnf is asked for %s, which Amazon Linux may not have", name)
				}
			}
		case "mount.efs":
			// mount.efs <file system>:/ <folder> -o <options>
			for _, option := range []string{"tls", "iam", "accesspoint=fsap-"} {
				if !strings.Contains(words[len(words)-1], option) {
					t.Errorf("the shared files are mounted without %s: %q", option, call)
				}
			}
		case "cloudwatch-agent-ctl", "amazon-ssm-agent":
		default:
			t.Errorf("unknown call %q", call)
		}
	}
	if count(m.Calls(t), "dnf ") != 1 || count(m.Calls(t), "amazon-ssm-agent ") == 0 {
		t.Errorf("dnf or the Session Manager agent was not called as it should be: %q", m.Calls(t))
	}
	var agent struct {
		Logs struct {
			Collected struct {
				Files struct {
					List []struct {
						File   string `json:"file_path"`
						Group  string `json:"log_group_name"`
						Stream string `json:"log_stream_name"`
					} `json:"collect_list"`
				} `json:"files"`
			} `json:"logs_collected"`
		} `json:"logs"`
	}
	if err := json.Unmarshal([]byte(m.Read(t, "var/lib/machine/agent.json")), &agent); err != nil {
		t.Fatalf("the CloudWatch agent's configuration: %v", err)
	}
	files := agent.Logs.Collected.Files.List
	if len(files) != 1 || files[0].File != log || !strings.Contains(m.UserData, "LOG_GROUP="+files[0].Group+"\n") || files[0].Stream != "{instance_id}" {
		t.Errorf("the CloudWatch agent ships %+v", files)
	}
}

func checkCloudInit(t *testing.T, m *boot.Machine) {
	t.Helper()
	text, err := m.Try(t.Context(), "cloud-init", "status", "--wait", "--long")
	if err != nil || !strings.Contains(text, "errors: []") {
		t.Errorf("cloud-init: %v\n%s", err, text)
	}
}

// dump runs the nightly dump and reads it back into a second schema.
func (s *site) dump(t *testing.T, d *boot.Machine) {
	d.Run(t, "systemctl", "start", "vinfast-dump.service")
	bucket := s.output("imageBucket")
	objects := must[*s3.ListObjectsV2Output](t, "list the dumps")(s.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("dumps/")}))
	if len(objects.Contents) != 1 {
		t.Fatalf("there are %d dumps", len(objects.Contents))
	}
	before := sql(t, d, "SELECT * FROM prediction_data.predictions")
	d.Write(t, "root/dump.sql.gz", string(s.object(t, bucket, *objects.Contents[0].Key)), 0o600)
	sql(t, d, "DROP DATABASE prediction_data")
	d.Run(t, "sh", "-c", "zcat /root/dump.sql.gz | /opt/mysql/bin/mysql --socket=/run/mysqld/mysqld.sock --user=root")
	after := sql(t, d, "SELECT * FROM prediction_data.predictions")
	if len(before) == 0 || !slices.EqualFunc(before, after, slices.Equal) {
		t.Errorf("the dump brings back %q, there was %q", after, before)
	}
}

// kept is what a reboot or a new instance must not make again.
func (s *site) kept(t *testing.T, d *boot.Machine) string {
	t.Helper()
	return s.parameter(t, passwordParameter) + d.Run(t, "sh", "-c", "sha256sum /data/tls/*; blkid -s UUID -o value $(findmnt -no SOURCE /data); cat /data/mysql/auto.cnf")
}

// secondBoot makes nothing again, and the app finds the database again by itself.
func (s *site) secondBoot(t *testing.T, d, w *boot.Machine) {
	before := s.kept(t, d)
	phase(t, "boot: database, second boot", func() {
		d.PowerOff(t)
		d.Boot(t)
		s.up(t, d)
		s.ready(t, w)
	})
	if after := s.kept(t, d); after != before {
		t.Errorf("a reboot changed\n%s\nto\n%s", before, after)
	}
	if count(d.Calls(t), "dnf ") != 1 {
		t.Errorf("a reboot installs packages again: %q", d.Calls(t))
	}
}
