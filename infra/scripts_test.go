package infra_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// host is a machine on which one script is run: its folders, and programs that
// only note how they were called.
type host struct {
	t   *testing.T
	dir string
}

func newHost(t *testing.T, programs map[string]string) host {
	t.Helper()
	h := host{t, t.TempDir()}
	for name, body := range programs {
		h.program("bin/"+name, body)
	}
	write(t, h.path("etc/boot.env"), "AWS_REGION=us-east-1\nARTIFACT_BUCKET=artifacts\nMYSQL_KEY=mysql/key/mysql.tar.xz\nMYSQL_SHA256="+
		digestOf(t, "mysql")+"\nVOLUME_ID=vol-1\nDATABASE=prediction_data\nDUMP_BUCKET=images\nDUMP_PREFIX=dumps/\nADDRESS=127.0.0.1\nDATABASE_USER=vinfast\nPASSWORD_PARAMETER=/db/password\nCA_PARAMETER=/db/ca\nLOG_GROUP=/vinfast/dev/app\n")
	write(t, h.path("calls"), "")
	return h
}

func (h host) path(name string) string { return filepath.Join(h.dir, name) }

func (h host) program(name, body string) {
	h.t.Helper()
	write(h.t, h.path(name), "#!/bin/bash\necho \"${0##*/} $*\" >>"+h.path("calls")+"\n"+body+"\n")
	if err := os.Chmod(h.path(name), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

// run runs a script; with a function, that one instead of main.
func (h host) run(script, function string, args ...string) (string, error) {
	h.t.Helper()
	text := source(h.t, "userdata/"+script)
	if function != "" {
		var found bool
		if text, found = strings.CutSuffix(text, "\nmain\n"); !found {
			h.t.Fatalf("%s does not end with main", script)
		}
		text += "\n" + function + "\n"
	}
	here, err := filepath.Abs("userdata")
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command("bash", append([]string{"-c", text, script}, args...)...)
	cmd.Env = []string{"PATH=" + h.path("bin") + ":" + os.Getenv("PATH"), "COMMON=" + here + "/common.sh", "BOOT=" + here + "/database.sh", "BINARY=" + h.path("vinfast"), "RETRY_SECONDS=0"}
	for name, folder := range map[string]string{"ETC": "etc", "STATE": "state", "RUN": "run", "DATA": "data", "MYSQL": "opt/mysql", "LOG_DIR": "log", "SOCKET": "socket"} {
		cmd.Env = append(cmd.Env, name+"="+h.path(folder))
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// calls are the calls so far, in order, without the folder's name.
func (h host) calls() []string {
	h.t.Helper()
	text := strings.ReplaceAll(source(h.t, h.path("calls")), h.dir+"/", "")
	return strings.Split(strings.TrimSpace(text), "\n")
}

// The last argument of a download is the file to write.
const downloads = `echo -n mysql >"${@: -1}"`

func TestMySQLIsInstalledForOneUserOnEveryImage(t *testing.T) {
	h := newHost(t, map[string]string{"getent": "exit 2", "groupadd": "", "useradd": "", "install": "", "tar": "", "aws": downloads})
	if out, err := h.run("database.sh", "install_mysql"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"groupadd --gid 1501 mysql",
		"useradd --uid 1501 --gid mysql --no-create-home --home-dir / --shell /sbin/nologin mysql",
		"tar -xf state/mysql.tar --no-same-owner --strip-components=1 -C opt/mysql-" + digestOf(t, "mysql")[:16] + ".part",
	} {
		if !slices.Contains(h.calls(), want) {
			t.Errorf("not called: %s\ncalls:\n%s", want, strings.Join(h.calls(), "\n"))
		}
	}
}

func TestDataOfAnotherUserIsTakenOver(t *testing.T) {
	for owner, want := range map[string][]string{
		"992":  {"chown -R mysql:mysql data/mysql", "systemctl start vinfast-mysql.service"},
		"1501": {"systemctl start vinfast-mysql.service"},
	} {
		h := newHost(t, map[string]string{"stat": "echo " + owner, "id": "echo 1501", "chown": "", "systemctl": ""})
		h.program("opt/mysql/bin/mysqladmin", "")
		write(t, h.path("data/mysql/ibdata1"), "rows")
		if out, err := h.run("database.sh", "start_mysql"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := slices.DeleteFunc(h.calls(), func(call string) bool {
			return !strings.HasPrefix(call, "chown") && !strings.HasPrefix(call, "systemctl")
		})
		if !slices.Equal(got, want) {
			t.Errorf("data of user %s: %q, want %q", owner, got, want)
		}
	}
}

func TestDumpLeavesNothingBehind(t *testing.T) {
	h := newHost(t, map[string]string{"aws": `zcat "${@: -2:1}"`})
	h.program("opt/mysql/bin/mysqldump", "echo rows")
	write(t, h.path("data/mysql/ibdata1"), "rows")
	write(t, h.path("data/dump.a1B2c3"), "half a dump")
	out, err := h.run("dump.sh", "")
	if err != nil || out != "rows\n" {
		t.Errorf("dumped %q, %v", out, err)
	}
	files, err := filepath.Glob(h.path("data/*"))
	if err != nil || len(files) != 1 {
		t.Errorf("left on the data volume: %v, %v; want mysql only", files, err)
	}
	h.program("opt/mysql/bin/mysqldump", "echo half; exit 2")
	if _, err := h.run("dump.sh", ""); err == nil {
		t.Error("a dump that broke off counts as one")
	}
}

// runAs runs what comes after "-u vinfast --" and keeps this test's programs.
const runAs = `[[ "$1 $2 $3" == "-u vinfast --" ]] && shift 3 && exec "$@"`

func TestWebDoctorRunsTheAppsAsTheApp(t *testing.T) {
	for name, c := range map[string]struct {
		boot      string // what systemd says of it
		installed bool
		answer    string // of the app's doctor
		status    int
		wants     []string
	}{
		"all well":           {"active", true, "exit 0", 0, []string{"bucket=images log=/var/log/x.log args=doctor --json"}},
		"something fails":    {"active", true, "exit 1", 1, []string{"args=doctor --json"}},
		"wrong use":          {"active", true, "exit 2", 2, nil},
		"boot fails":         {"activating", true, "exit 0", 1, []string{"FAILED  boot: it is activating", "no such bucket", "args=doctor"}},
		"not installed yet":  {"activating", false, "", 1, []string{"FAILED  boot: it is activating", "no such bucket", "FAILED  app: it is not installed yet"}},
		"installed no more?": {"active", false, "", 1, []string{"FAILED  app: it is not installed yet"}},
	} {
		h := newHost(t, map[string]string{"systemctl": "echo " + c.boot + "; [[ " + c.boot + " == active ]]", "journalctl": "echo no such bucket", "runuser": runAs})
		write(t, h.path("etc/app.env"), "VINFAST_BUCKET=images\n")
		if c.installed {
			write(t, h.path("etc/instance.env"), "VINFAST_LOG_FILE=/var/log/x.log\n")
			h.program("vinfast", `echo "bucket=$VINFAST_BUCKET log=$VINFAST_LOG_FILE args=$*${ETC:-}"`+"\n"+c.answer)
		}
		out, err := h.run("doctor.sh", "", "--json")
		status := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			status = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if status != c.status {
			t.Errorf("%s: exit status %d, want %d\n%s", name, status, c.status, out)
		}
		for _, want := range c.wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, out)
			}
		}
	}
}

// sound is a database instance where everything works.
func sound() map[string]string {
	return map[string]string{
		"systemctl":  `[[ $1 == show ]] && echo success || echo active`,
		"mountpoint": "",
		"df":         `echo "Use%"; echo " 12%"`,
		"openssl":    `[[ "$*" != *-checkip* ]] || echo does match`,
		"mysql":      `[[ $MYSQL_PWD == correct-horse ]]`,
		"aws":        `[[ "$*" == */ca* ]] && echo authority || echo correct-horse`,
	}
}

func TestDatabaseDoctor(t *testing.T) {
	for name, c := range map[string]struct{ program, body, want string }{
		"all well":           {},
		"boot fails":         {"systemctl", `[[ $1 == show ]] && echo success; [[ $* != *boot* ]]`, "boot"},
		"MySQL is down":      {"systemctl", `[[ $1 == show ]] && echo success; [[ $* != *mysql* ]]`, "MySQL"},
		"not mounted":        {"mountpoint", "exit 32", "data volume"},
		"volume is full":     {"df", `echo "Use%"; echo " 97%"`, "room"},
		"certificate":        {"openssl", "[[ $1 != verify ]]", "certificate"},
		"CA is another":      {"aws", `echo correct-horse`, "CA parameter"},
		"password not set":   {"aws", `[[ "$*" == */ca* ]] && echo authority || echo unset`, "login with the parameter's password"},
		"password refused":   {"mysql", "exit 1", "login with the parameter's password"},
		"dump failed":        {"systemctl", `[[ $1 == show ]] && echo exit-code || echo active`, "last dump"},
		"agent does not run": {"systemctl", `[[ $1 == show ]] && echo success; [[ $* != *agent* ]]`, "log agent"},
	} {
		programs := sound()
		if c.program != "" {
			programs[c.program] = c.body
		}
		h := newHost(t, programs)
		h.program("opt/mysql/bin/mysql", programs["mysql"])
		write(t, h.path("data/tls/ca.pem"), "authority\n")
		out, err := h.run("dbdoctor.sh", "")
		if failed := strings.Count(out, "FAILED  "); c.want == "" && (err != nil || failed != 0 || strings.Count(out, "ok      ") != 9) {
			t.Errorf("%s: %v\n%s", name, err, out)
		} else if c.want != "" && (err == nil || failed != 1 || !strings.Contains(out, "FAILED  "+c.want+": ")) {
			t.Errorf("%s: %v; want %q to fail and nothing else:\n%s", name, err, c.want, out)
		}
		if strings.Contains(out, "correct-horse") || strings.Contains(strings.Join(h.calls(), "\n"), "correct-horse") {
			t.Errorf("%s: the password is shown:\n%s", name, out)
		}
	}
}

// Comments are left out on the way into user data, so no text that a script
// writes may look like one.
func TestTextsInScriptsHaveNoComments(t *testing.T) {
	scripts, err := filepath.Glob("userdata/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		end := ""
		for line := range strings.Lines(source(t, name)) {
			line = strings.TrimSpace(line)
			switch _, word, found := strings.Cut(line, "<<"); {
			case end == "" && found && word != "" && word[0] != '<':
				end = strings.Fields(word)[0]
			case line == end:
				end = ""
			case end != "" && (line == "" || line[0] == '#'):
				t.Errorf("%s: %q would be left out of the text up to %s", name, line, end)
			}
		}
	}
}
