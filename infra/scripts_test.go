package infra_test

import (
	"errors"
	"maps"
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
		digestOf(t, "mysql")+"\nVOLUME_ID=vol-1\nDATABASE=prediction_data\nDUMP_BUCKET=images\nDUMP_PREFIX=dumps/\nLOG_GROUP=/vinfast/dev/app\n")
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
func (h host) run(script, function string) (string, error) {
	h.t.Helper()
	text := source(h.t, "userdata/"+script)
	if function != "" {
		var found bool
		if text, found = strings.CutSuffix(text, "\nmain\n"); !found {
			h.t.Fatalf("%s does not end with main", script)
		}
		text += "\n" + function + "\n"
	}
	common, err := filepath.Abs("userdata/common.sh")
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", text)
	cmd.Env = []string{"PATH=" + h.path("bin") + ":" + os.Getenv("PATH"), "COMMON=" + common, "RETRY_SECONDS=0"}
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

// healthy is a web instance where everything works.
func healthy() map[string]string {
	return map[string]string{
		"curl": `case "${@: -1}" in
*/api/token) echo token ;;
*/security-credentials/) echo web-role ;;
http://127.0.0.1:8080/readyz) echo ready ;;
*) exit 6 ;; esac`,
		"getent":     `echo "10.20.128.7 STREAM $2"`,
		"mountpoint": "",
		"aws": `case "$1 $2" in
"ssm get-parameter") echo correct-horse ;;
"logs filter-log-events") echo 1 ;;
"s3api head-bucket") ;;
*) exit 252 ;; esac`,
	}
}

func doctor(t *testing.T, programs map[string]string) (string, error) {
	t.Helper()
	h := newHost(t, programs)
	write(t, h.path("app.log"), "")
	write(t, h.path("etc/instance.env"), "VINFAST_LOG_FILE="+h.path("app.log")+"\n")
	write(t, h.path("etc/app.env"), "VINFAST_LISTEN=:8080\nVINFAST_BUCKET=images\nVINFAST_SHARED_DIR=/srv/vinfast\nVINFAST_DB_PASSWORD_PARAMETER=/vinfast/dev/database/password\n")
	out, err := h.run("doctor.sh", "")
	if strings.Contains(out, "correct-horse") {
		t.Errorf("the password is shown:\n%s", out)
	}
	if !strings.Contains(source(t, h.path("app.log")), `"msg":"doctor"`) {
		t.Errorf("no line was written to the log")
	}
	return out, err
}

func TestDoctorFindsAllWell(t *testing.T) {
	out, err := doctor(t, healthy())
	if err != nil || strings.Contains(out, "FAILED") || strings.Count(out, "ok      ") != 10 {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestDoctorFindsWhatFails(t *testing.T) {
	for name, c := range map[string]struct{ program, body, want string }{
		"no role":           {"curl", `[[ "${@: -1}" == */api/token || "${@: -1}" == */readyz ]] && echo token || exit 22`, "role of the instance"},
		"public address":    {"getent", `[[ $2 == ssm.* ]] && echo "52.94.1.1 STREAM $2" || echo "10.20.128.7 STREAM $2"`, "endpoint ssm"},
		"no address":        {"getent", `[[ $2 == logs.* ]] && exit 2; echo "172.31.0.9 STREAM $2"`, "endpoint logs"},
		"bucket closed":     {"aws", `[[ $2 != head-bucket ]] || exit 254; [[ $1 == logs ]] && echo 1 || echo correct-horse`, "image bucket"},
		"no password yet":   {"aws", `[[ $1 == logs ]] && echo 1 || echo unset`, "password parameter"},
		"parameter refused": {"aws", `[[ $1 != ssm ]] || exit 254; echo 1`, "password parameter"},
		"logs do not come":  {"aws", `[[ $1 == logs ]] && echo 0 || echo correct-horse`, "log group"},
		"logs refused":      {"aws", `[[ $1 == logs ]] && exit 254 || echo correct-horse`, "log group"},
		"not mounted":       {"mountpoint", "exit 32", "shared folder"},
		"app not ready":     {"curl", `[[ "${@: -1}" != */readyz ]] && echo token || { echo '{"status":"not ready"}'; exit 22; }`, "app with database and model"},
	} {
		programs := maps.Clone(healthy())
		programs[c.program] = c.body
		out, err := doctor(t, programs)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: %v, want exit status 1", name, err)
		}
		if !strings.Contains(out, "FAILED  "+c.want+": ") || strings.Count(out, "FAILED  ") != 1 || strings.Count(out, "ok      ") != 9 {
			t.Errorf("%s: want %q to fail and nothing else:\n%s", name, c.want, out)
		}
	}
}
