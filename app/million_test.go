//go:build long && !unit

package main_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// fillRows makes rows of the past in one statement; %d is how many.
const fillRows = `INSERT INTO predictions
(image_url, prediction, upload_time, upload_id, object_key, score, scores, notice, content_type, width, height, size_bytes, sha256)
WITH RECURSIVE a AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM a WHERE i < 999)
SELECT 's3://x', ELT(1 + MOD(n * 7, 6), 'Vinfast_Fadil', 'Vinfast_Lux_A2.0', 'Vinfast_Lux_SA2.0', 'Vinfast_President', 'Vinfast_VF_8', 'Vinfast_VF_e34'),
UTC_TIMESTAMP(3) - INTERVAL n * 31 SECOND, CONCAT('00000000-0000-4000-8000-', LPAD(n, 12, '0')), CONCAT('images/', n),
0.3 + 0.69 * MOD(n * 7919, 100003) / 100003, '[{"label":"Vinfast_VF_8","score":0.75}]', '', 'image/jpeg', 640, 480, 100000, REPEAT('a1', 32)
FROM (SELECT a.i * 1000 + b.i + 1 AS n FROM a, a AS b WHERE a.i < %d) AS numbers`

// TestLongReadsAtAMillionRows: sixteen strangers who look for what is not there, and
// for a year's statistics, get bounded answers, and no upload hears of them.
func TestLongReadsAtAMillionRows(t *testing.T) {
	s := newPlainSystem(t)
	a := s.start()
	_, err := s.sql.ExecContext(t.Context(), fmt.Sprintf(fillRows, 1000))
	must(t, err)
	today := time.Now().UTC()
	year := "/stats?since=" + today.AddDate(-1, 0, 0).Format(time.DateOnly) + "&until=" + today.Format(time.DateOnly)
	queries := []string{"/api/v1/predictions?minScore=0.995", "/api/v1/predictions?minScore=0.995&label=Vinfast_VF_8",
		year, "/api/v1/predictions?minScore=0.9"}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for n := range 16 {
		readers.Go(func() {
			for ctx.Err() == nil {
				for _, query := range queries[:1+n%len(queries)] {
					// Too much may be refused, but nothing may fail or hang.
					if status := get(a.url + query); status != http.StatusOK && status != http.StatusServiceUnavailable {
						t.Errorf("%s: %d", query, status)
					}
				}
			}
		})
	}
	for n := range 40 {
		status, got, err := a.post(t.Context(), picture(n), "")
		if err != nil || status != http.StatusCreated || got.Predictions[0].Stored != "yes" {
			t.Errorf("upload %d: %d, %+v, %v", n, status, got, err)
		}
		if status := get(a.url + "/readyz"); status != http.StatusOK {
			t.Errorf("readyz: %d", status)
		}
	}
	stop()
	readers.Wait()
	if !strings.Contains(a.metrics(t), `vinfast_breaker_state{name="database"} 0`) {
		t.Error("the breaker of the database is not closed")
	}
	if status := get(a.url + queries[0]); status != http.StatusOK {
		t.Errorf("alone, it gets %d", status)
	}
}
