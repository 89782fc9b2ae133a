//go:build long && !unit

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/local/program"
)

// release is one build of the app.
type release struct{ name, program string }

// releases are the app of the release before and today's.
func releases(t *testing.T) (before, today release) {
	t.Helper()
	script := program.Command(t.Context(), "../local/release.sh")
	script.Stderr = os.Stderr
	folder, err := script.Output()
	must(t, err)
	binaryBefore := filepath.Join(t.TempDir(), "vinfast")
	build := program.Command(t.Context(), "go", "build", "-race", "-buildvcs=false", "-o", binaryBefore, "./app")
	build.Dir = strings.TrimSpace(string(folder))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the app of the release before: %v\n%s", err, out)
	}
	return release{"before", binaryBefore}, release{"today", binary}
}

// TestLongTwoReleases: while web instances are replaced, the app of the release
// before and today's work on one shared folder, one database and one bucket.
// Whatever the first leaves behind the second goes on with, and the other way
// round, since a release may be taken back.
func TestLongTwoReleases(t *testing.T) {
	before, today := releases(t)
	for _, pair := range [][2]release{{before, today}, {today, before}} {
		first, second := pair[0], pair[1]
		t.Run(first.name+" first", func(t *testing.T) {
			for name, check := range map[string]func(*testing.T, *system, release, release){
				"side by side":            sideBySide,
				"S3 down":                 pendingForS3,
				"database down":           pendingForDatabase,
				"killed at the model":     killedAtModel,
				"set aside":               setAside,
				"deleted while S3 down":   deletedWithoutS3,
				"rows made of S3 objects": reindexed,
			} {
				t.Run(name, func(t *testing.T) { check(t, newSystem(t, fixed), first, second) })
			}
		})
	}
}

func (s *system) run(r release, env ...string) *process {
	s.t.Helper()
	s.program = r.program
	return s.start(append(env, "VINFAST_LOG_FILE="+filepath.Join(s.shared, r.name+".log"))...)
}

// visitor is a browser: it keeps what one instance gave it and shows it to the
// other. Both are on one host, so cookies do not know them apart.
type visitor struct {
	t      *testing.T
	cookie string
}

func (v *visitor) do(method string, a *process, path, kind string, body []byte) (int, []byte) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, a.url+path, bytes.NewReader(body))
	must(v.t, err)
	req.Header.Set("Content-Type", kind)
	if v.cookie != "" {
		req.Header.Set("Cookie", v.cookie)
	}
	resp, err := http.DefaultClient.Do(req)
	must(v.t, err)
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == "visitor" {
			v.cookie = c.Name + "=" + c.Value
		}
	}
	text, err := io.ReadAll(resp.Body)
	must(v.t, err)
	return resp.StatusCode, text
}

// send uploads the n-th picture and returns its id.
func (v *visitor) send(a *process, n int, stored string) string {
	v.t.Helper()
	status, body := v.do("POST", a, "/api/v1/predictions", "image/jpeg", picture(n))
	var got answer
	if err := json.Unmarshal(body, &got); err != nil || status != http.StatusCreated ||
		len(got.Predictions) != 1 || got.Predictions[0].Stored != stored {
		v.t.Fatalf("an upload that should be stored: %s is answered %d, %v\n%s", stored, status, err, body)
	}
	return got.Predictions[0].ID
}

// sees tells how an upload is shown to the visitor.
func (v *visitor) sees(a *process, id string) (p struct {
	Stored, Feedback string
	Mine             bool
}) {
	v.t.Helper()
	status, body := v.do("GET", a, "/api/v1/predictions/"+id, "", nil)
	if err := json.Unmarshal(body, &p); err != nil || status != http.StatusOK {
		v.t.Fatalf("upload %s is shown with %d, %v\n%s", id, status, err, body)
	}
	return p
}

// count is how many uploads the history has.
func (v *visitor) count(a *process) int {
	v.t.Helper()
	var list struct{ Predictions []struct{ ID string } }
	status, body := v.do("GET", a, "/api/v1/predictions?limit=100", "", nil)
	if err := json.Unmarshal(body, &list); err != nil || status != http.StatusOK {
		v.t.Fatalf("the history: %d, %v\n%s", status, err, body)
	}
	return len(list.Predictions)
}

// sideBySide: what one shows the other shows, and both take what is changed at
// either. The first has made the schema, the second has migrated it.
func sideBySide(t *testing.T, s *system, first, second release) {
	a := s.run(first)
	v := &visitor{t: t}
	v.do("GET", a, "/", "", nil)
	given := v.cookie
	ids := []string{v.send(a, 1, "yes"), v.send(a, 2, "yes")}
	_, thumbnail := v.do("GET", a, "/thumbnails/"+ids[0], "", nil)
	b := s.run(second)
	ids = append(ids, v.send(b, 3, "yes"), v.send(a, 4, "yes"))
	if v.cookie != given || given == "" {
		t.Errorf("the visitor's cookie was %q and is %q", given, v.cookie)
	}
	if n, m := v.count(a), v.count(b); n != len(ids) || m != len(ids) {
		t.Errorf("of %d uploads one shows %d, the other %d", len(ids), n, m)
	}
	for i, id := range ids {
		for _, instance := range []*process{a, b} {
			status, body := v.do("GET", instance, "/images/"+id+"?original=true", "", nil)
			if status != http.StatusOK || !bytes.Equal(body, picture(i+1)) {
				t.Errorf("upload %d comes back with %d, %d bytes", i+1, status, len(body))
			}
			if status, _ := v.do("GET", instance, "/images/"+id, "", nil); status != http.StatusOK {
				t.Errorf("upload %d is shown with %d", i+1, status)
			}
			if p := v.sees(instance, id); !p.Mine || p.Stored != "yes" {
				t.Errorf("upload %d is shown as %+v", i+1, p)
			}
		}
	}
	s.sharesThumbnails(b, v, ids[0], thumbnail)
	path := "/api/v1/predictions/" + ids[0] + "/feedback"
	if status, body := v.do("POST", b, path, "application/json", []byte(`{"label":"other"}`)); status != http.StatusOK {
		t.Errorf("feedback: %d %s", status, body)
	}
	if got := v.sees(a, ids[0]).Feedback; got != "other" {
		t.Errorf("the feedback given at the other is %q", got)
	}
	v.deletes(b, a, ids[0])
	v.deletes(a, b, ids[2])
	if rows, keys := s.rows(), s.keys(); len(rows) != 2 || len(keys) != 2 {
		t.Errorf("rows %v, objects %v", rows, keys)
	}
	s.sameLines(a, b, first, second)
}

// sharesThumbnails: with S3 down only the cache can have the thumbnail.
func (s *system) sharesThumbnails(b *process, v *visitor, id string, want []byte) {
	s.t.Helper()
	s.objects.refuse.Store(http.StatusServiceUnavailable)
	defer s.objects.refuse.Store(0)
	status, got := v.do("GET", b, "/thumbnails/"+id, "", nil)
	if status != http.StatusOK || !bytes.Equal(got, want) {
		s.t.Errorf("the other's thumbnail: %d, %d bytes, it has %d", status, len(got), len(want))
	}
}

// deletes has one instance delete what the visitor sent, and nobody else.
func (v *visitor) deletes(a, other *process, id string) {
	v.t.Helper()
	path := "/api/v1/predictions/" + id
	stranger := &visitor{t: v.t}
	stranger.do("GET", other, "/", "", nil)
	if status, _ := stranger.do("DELETE", a, path, "", nil); status != http.StatusForbidden {
		v.t.Errorf("a stranger's deletion is answered %d", status)
	}
	if status, body := v.do("DELETE", a, path, "", nil); status != http.StatusNoContent {
		v.t.Errorf("a deletion by its sender is answered %d %s", status, body)
	}
	for _, instance := range []*process{a, other} {
		if status, _ := v.do("GET", instance, path, "", nil); status != http.StatusNotFound {
			v.t.Errorf("after its deletion the upload is shown with %d", status)
		}
		if status, _ := v.do("GET", instance, "/thumbnails/"+id, "", nil); status != http.StatusNotFound {
			v.t.Errorf("after its deletion the thumbnail is shown with %d", status)
		}
	}
}

var metricName = regexp.MustCompile(`(?m)^(vinfast_[a-z_]+)(\{[^}]*\})? `)

// sameLines: dashboards and filters that know the release before find every
// metric and every field of the access log today.
func (s *system) sameLines(a, b *process, first, second release) {
	s.t.Helper()
	known := map[string]map[string]bool{}
	for r, instance := range map[release]*process{first: a, second: b} {
		found := map[string]bool{}
		_, text := (&visitor{t: s.t}).do("GET", instance, "/metrics", "", nil)
		for _, m := range metricName.FindAllStringSubmatch(string(text), -1) {
			found["metric "+m[1]] = true
		}
		log, err := os.ReadFile(filepath.Join(s.shared, r.name+".log"))
		must(s.t, err)
		for line := range bytes.Lines(log) {
			var fields map[string]any
			must(s.t, json.Unmarshal(line, &fields))
			if fields["msg"] != "request" {
				continue
			}
			for field := range fields {
				found["log field "+field] = true
			}
		}
		known[r.name] = found
	}
	if len(known["before"]) < 15 {
		s.t.Errorf("the release before writes only %q", slices.Sorted(maps.Keys(known["before"])))
	}
	for line := range known["before"] {
		if !known["today"][line] {
			s.t.Errorf("today there is no more %s", line)
		}
	}
}

// finishedBy starts the second and waits until it has stored one upload, once.
func (s *system) finishedBy(second release, v *visitor, id string, want []byte) {
	s.t.Helper()
	b := s.run(second)
	s.await("the other finishes the upload", func() bool { return s.waiting() == 0 })
	if rows, keys := s.rows(), s.keys(); len(rows) != 1 || len(keys) != 1 || rows[id] != "Vinfast_VF_8" {
		s.t.Fatalf("upload %s: rows %v, objects %v", id, rows, keys)
	}
	s.checkObject(id, "Vinfast_VF_8", want)
	if p := v.sees(b, id); p.Stored != "yes" || !p.Mine {
		s.t.Errorf("upload %s is shown as %+v", id, p)
	}
	v.deletes(b, b, id)
}

func pendingForS3(t *testing.T, s *system, first, second release) {
	a, v := s.run(first), &visitor{t: t}
	v.do("GET", a, "/", "", nil)
	s.objects.refuse.Store(http.StatusServiceUnavailable)
	id := v.send(a, 1, "pending")
	a.kill()
	s.objects.refuse.Store(0)
	s.finishedBy(second, v, id, picture(1))
}

// pendingForDatabase: the picture is in S3 already, the row is missing.
func pendingForDatabase(t *testing.T, s *system, first, second release) {
	s.run(first).stop(t) // makes the tables
	s.program = first.program
	a, v := s.launch("VINFAST_DB_DSN="+strings.Replace(s.dsn, ":", ":not", 1)), &visitor{t: t}
	v.do("GET", a, "/", "", nil)
	id := v.send(a, 1, "pending")
	if rows, keys := s.rows(), s.keys(); len(rows) != 0 || len(keys) != 1 {
		t.Fatalf("with the database down: rows %v, objects %v", rows, keys)
	}
	a.kill()
	s.finishedBy(second, v, id, picture(1))
}

// killedAtModel: the other is running when the first dies with its claim.
func killedAtModel(t *testing.T, s *system, first, second release) {
	s.killedAtModel(s.run(first), s.run(second))
	// The release before makes another id of the same key, with the visitor in
	// it: what was sent to today's and is sent again to it is a second upload.
	want := 1
	if second.name == "before" {
		want = 2
	}
	if rows, keys := s.rows(), s.keys(); len(rows) != want || len(keys) != want {
		t.Errorf("rows %v, objects %v, want %d of each", rows, keys, want)
	}
}

// setAside: an entry that the first cannot read stays where both count it.
func setAside(t *testing.T, s *system, first, second release) {
	a, v := s.run(first), &visitor{t: t}
	s.objects.refuse.Store(http.StatusServiceUnavailable)
	path := filepath.Join(s.shared, "spool", v.send(a, 1, "pending"))
	a.kill()
	s.objects.refuse.Store(0)
	entry, err := os.ReadFile(path)
	must(t, err)
	broken := bytes.Replace(entry, []byte("picture 1"), []byte("picture 2"), 1)
	if bytes.Equal(entry, broken) {
		t.Fatal("the entry does not hold the picture as it came")
	}
	must(t, os.WriteFile(path, broken, 0o600))
	a, b := s.run(first), s.run(second)
	for r, instance := range map[release]*process{first: a, second: b} {
		s.await(fmt.Sprintf("the app of %s counts the entry that was set aside", r.name), func() bool {
			_, text := v.do("GET", instance, "/metrics", "", nil)
			return strings.Contains(string(text), "\nvinfast_spool_damaged 1\n")
		})
	}
	if s.waiting() == 0 {
		t.Error("the entry is gone")
	}
}

// deletedWithoutS3: the note of the deletion makes the other delete the picture.
func deletedWithoutS3(t *testing.T, s *system, first, second release) {
	a, v := s.run(first), &visitor{t: t}
	v.do("GET", a, "/", "", nil)
	id := v.send(a, 1, "yes")
	s.objects.refuse.Store(http.StatusServiceUnavailable)
	v.deletes(a, a, id)
	a.kill()
	s.objects.refuse.Store(0)
	if len(s.rows()) != 0 || len(s.keys()) != 1 {
		t.Fatalf("rows %v, objects %v", s.rows(), s.keys())
	}
	s.run(second)
	s.await("the other deletes the picture", func() bool { return len(s.keys()) == 0 })
}

// reindexed: the other makes the same rows of what the first wrote beside the
// pictures.
func reindexed(t *testing.T, s *system, first, second release) {
	a, v := s.run(first), &visitor{t: t}
	v.do("GET", a, "/", "", nil)
	var ids []string
	for n := range 3 {
		ids = append(ids, v.send(a, n, "yes"))
	}
	v.deletes(a, a, ids[0])
	a.stop(t)
	b := s.run(second)
	history := func() string {
		_, list := v.do("GET", b, "/api/v1/predictions?limit=100", "", nil)
		_, table := v.do("GET", b, "/api/v1/predictions.csv", "", nil)
		return string(list) + string(table)
	}
	before := history()
	_, err := s.sql.ExecContext(t.Context(), "DELETE FROM predictions")
	must(t, err)
	run := exec.Command(second.program, "reindex")
	run.Env = b.cmd.Env
	out, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "2 objects: 2 rows added, 0 were there, 0 objects with faults") {
		t.Errorf("reindex: %v\n%s", err, out)
	}
	if after := history(); after != before || !strings.Contains(after, ids[2]) {
		t.Errorf("the history was\n%s\nand is\n%s", before, after)
	}
	v.deletes(b, b, ids[1])
}
