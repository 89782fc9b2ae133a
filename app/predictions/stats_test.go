//go:build !unit

package predictions_test

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/app/car"
)

func TestStats(t *testing.T) {
	s, _ := fresh(t)
	for i, c := range []struct {
		label, feedback string
		score           float64
		day             int
	}{
		{"Vinfast_VF_8", "Vinfast_VF_8", 0.95, 1}, {"Vinfast_VF_8", "other", 1, 1}, {"Vinfast_VF_8", "", 0.3, 2},
		{"Vinfast_Fadil", "", 0, 4}, {"Vinfast_Fadil", "", 0.9, 9}, {"Vinfast_Fadil", "", 0.9, 0},
	} {
		p := prediction(i)
		p.Label, p.Score, p.UploadedAt = c.label, c.score, time.Date(2026, 1, c.day, 23, 59, 59, 0, time.UTC)
		insert(t, s, p)
		if c.feedback != "" {
			if err := s.SetFeedback(t.Context(), p.ID, c.feedback, noon); err != nil {
				t.Fatal(err)
			}
		}
	}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	got, err := s.Stats(t.Context(), car.Span{Since: day(1), Until: day(9)})
	if err != nil {
		t.Fatal(err)
	}
	want := car.Stats{
		Total:  4,
		Labels: []car.LabelCount{{Label: "Vinfast_VF_8", Count: 3, Judged: 2, Agreed: 1}, {Label: "Vinfast_Fadil", Count: 1}},
		Days:   []car.DayCount{{Day: day(1), Count: 2}, {Day: day(2), Count: 1}, {Day: day(4), Count: 1}},
	}
	want.Confidence[9], want.Confidence[3], want.Confidence[0] = 2, 1, 1
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got, err = s.Stats(t.Context(), car.Span{Since: day(20), Until: day(21)}); err != nil || got.Total != 0 {
		t.Errorf("an empty span: %+v, %v", got, err)
	}
}

// TestQueriesUseTheirIndexes asks the server how it would answer, with enough
// rows that it minds.
func TestQueriesUseTheirIndexes(t *testing.T) {
	s, db := fresh(t)
	for i := range 30 {
		insert(t, s, of(alice, prediction(i)))
	}
	const copies = `INSERT INTO predictions (image_url, prediction, upload_time, upload_id, object_key, score, scores, notice, content_type, width, height, size_bytes, sha256, visitor)
		SELECT image_url, CONCAT('label', id % 50), upload_time + INTERVAL id DAY, UUID(), object_key, score, scores, notice, content_type, width, height, size_bytes, sha256, MD5(id) FROM predictions`
	for range 8 {
		if _, err := db.ExecContext(t.Context(), copies); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(t.Context(), "ANALYZE TABLE predictions"); err != nil {
		t.Fatal(err)
	}
	const between = " FROM predictions WHERE upload_time >= '2024-03-01' AND upload_time < '2024-06-01' "
	for query, index := range map[string]string{
		"SELECT prediction, COUNT(*), COUNT(feedback)" + between + "GROUP BY prediction":                        "predictions_stats",
		"SELECT DATE(upload_time), COUNT(*)" + between + "GROUP BY DATE(upload_time)":                           "predictions_stats",
		"SELECT FLOOR(score * 10), COUNT(*)" + between + "GROUP BY 1":                                           "predictions_stats",
		"SELECT * FROM predictions WHERE visitor = '" + alice + "' ORDER BY upload_time DESC, id DESC LIMIT 25": "predictions_visitor_time",
		"SELECT * FROM deletions WHERE purged_at IS NULL ORDER BY deleted_at LIMIT 100":                         "deletions_unpurged",
	} {
		plan := explain(t, db, query)
		if plan["key"] != index && index == "predictions_visitor_time" || plan["type"] == "ALL" {
			t.Errorf("%s\nuses %q (%s, %s), want %s", query, plan["key"], plan["type"], plan["Extra"], index)
		}
		if index == "predictions_stats" && !strings.Contains(plan["Extra"], "Using index") {
			t.Errorf("%s reads rows: %s", query, plan["Extra"])
		}
	}
}

// explain is the first line of the server's plan, by column.
func explain(t *testing.T, db *sql.DB, query string) map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || !rows.Next() {
		t.Fatalf("no plan: %v, %v", err, rows.Err())
	}
	cells := make([]sql.NullString, len(names))
	to := make([]any, len(names))
	for i := range cells {
		to[i] = &cells[i]
	}
	if err := rows.Scan(to...); err != nil {
		t.Fatal(err)
	}
	plan := map[string]string{}
	for i, name := range names {
		plan[name] = cells[i].String
	}
	return plan
}
