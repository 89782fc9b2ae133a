//go:build !unit

package predictions_test

import (
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/predictions"
)

// pages walks the history and returns the ids in order.
func pages(t *testing.T, s *predictions.Store, f car.Filter) []string {
	t.Helper()
	var ids []string
	for {
		page, err := s.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Predictions) > f.Limit || len(page.Predictions) < f.Limit && page.Next != "" {
			t.Fatalf("a page of %d rows with next %q, limit %d", len(page.Predictions), page.Next, f.Limit)
		}
		for _, p := range page.Predictions {
			ids = append(ids, p.ID)
		}
		if page.Next == "" {
			return ids
		}
		if page.Next == f.Cursor {
			t.Fatalf("the page after %s is itself", f.Cursor)
		}
		f.Cursor = page.Next
	}
}

func TestPagesHaveNoGapsAndNoDoublesUnderTies(t *testing.T) {
	s, _ := fresh(t)
	var all []car.Prediction
	random := rand.New(rand.NewPCG(1, 0))
	for range 60 {
		all = append(all, insert(t, s, prediction(random.IntN(6)))) // ten of a time
	}
	slices.Reverse(all) // of one time, the row that came last is first
	slices.SortStableFunc(all, func(a, b car.Prediction) int { return b.UploadedAt.Compare(a.UploadedAt) })
	var want []string
	for _, p := range all {
		want = append(want, p.ID)
	}
	for _, limit := range []int{1, 2, 7, 20, 59, 60, 61, 200} {
		if got := pages(t, s, car.Filter{Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %v, want %v", limit, got, want)
		}
	}
}

func TestARowThatComesDuringPagingMovesNoOther(t *testing.T) {
	s, _ := fresh(t)
	a, b, c := insert(t, s, prediction(3)), insert(t, s, prediction(2)), insert(t, s, prediction(1))
	first, err := s.List(t.Context(), car.Filter{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, s, prediction(9))
	second, err := s.List(t.Context(), car.Filter{Limit: 2, Cursor: first.Next})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range append(first.Predictions, second.Predictions...) {
		got = append(got, p.ID)
	}
	if want := []string{a.ID, b.ID, c.ID}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFilters(t *testing.T) {
	s, _ := fresh(t)
	rows := make([]car.Prediction, 4)
	for i := range rows {
		p := prediction(1000 * i)
		p.Label = []string{"Vinfast_VF_8", "Vinfast_Fadil", "vinfast_vf_8", "it's 100%"}[i]
		p.Score = []float64{0.2, 0.4, 0.6, 0.8}[i]
		rows[i] = insert(t, s, p)
	}
	at := func(i int) time.Time { return rows[i].UploadedAt }
	for name, c := range map[string]struct {
		filter car.Filter
		want   []int
	}{
		"none":             {car.Filter{}, []int{3, 2, 1, 0}},
		"label":            {car.Filter{Label: "Vinfast_VF_8"}, []int{0}},
		"label in quotes":  {car.Filter{Label: "it's 100%"}, []int{3}},
		"unknown label":    {car.Filter{Label: "' OR '1'='1"}, nil},
		"wild card":        {car.Filter{Label: "Vinfast%"}, nil},
		"since":            {car.Filter{Since: at(2)}, []int{3, 2}},
		"since, just past": {car.Filter{Since: at(2).Add(time.Microsecond)}, []int{3}},
		"until":            {car.Filter{Until: at(2)}, []int{1, 0}},
		"a span elsewhere": {car.Filter{Since: at(1).In(time.FixedZone("ICT", 7*3600)), Until: at(3)}, []int{2, 1}},
		"score":            {car.Filter{MinScore: 0.6}, []int{3, 2}},
		"all together":     {car.Filter{Label: "Vinfast_Fadil", Since: at(0), Until: at(3), MinScore: 0.3}, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{1, 200} {
				c.filter.Limit = limit
				var want []string
				for _, i := range c.want {
					want = append(want, rows[i].ID)
				}
				if got := pages(t, s, c.filter); !slices.Equal(got, want) {
					t.Errorf("pages of %d: got %v, want %v", limit, got, want)
				}
			}
		})
	}
}

func TestBadCursors(t *testing.T) {
	s, _ := fresh(t)
	insert(t, s, prediction(0))
	coded := base64.RawURLEncoding.EncodeToString
	for _, cursor := range []string{
		"x", "%", "'; DROP TABLE predictions", coded([]byte("{}")), coded([]byte(`{"t":1,"n":-1}`)), coded([]byte("null")),
		coded([]byte(`{"t":9223372036854775807,"n":1}`)), coded([]byte(`{"t":-62135596800001,"n":1}`)), coded([]byte(`{"t":"x","n":1}`)),
	} {
		if _, err := s.List(t.Context(), car.Filter{Limit: 5, Cursor: cursor}); !errors.Is(err, car.ErrBadCursor) {
			t.Errorf("cursor %q: %v, want ErrBadCursor", cursor, err)
		}
	}
}

func TestLimitHasBounds(t *testing.T) {
	s, db := fresh(t)
	insert(t, s, prediction(0))
	copies := `INSERT INTO predictions (image_url, prediction, upload_time, upload_id, object_key, score, scores, notice, content_type, width, height, size_bytes, sha256)
		SELECT image_url, prediction, upload_time, UUID(), object_key, score, scores, notice, content_type, width, height, size_bytes, sha256 FROM predictions`
	for range 8 { // to 256 rows
		if _, err := db.ExecContext(t.Context(), copies); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{-1, 0, 201, 1 << 40} {
		page, err := s.List(t.Context(), car.Filter{Limit: limit})
		if err != nil || len(page.Predictions) != predictions.MaxPage || page.Next == "" {
			t.Errorf("limit %d: %d rows, next %q, %v", limit, len(page.Predictions), page.Next, err)
		}
	}
	seen := map[string]bool{}
	for p, err := range s.Each(t.Context(), car.Filter{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[p.ID] = true
	}
	if len(seen) != 256 {
		t.Errorf("Each gave %d rows, want 256", len(seen))
	}
}

func TestEachStopsAndFails(t *testing.T) {
	s, db := fresh(t)
	insert(t, s, prediction(0))
	insert(t, s, prediction(1))
	n := 0
	for range s.Each(t.Context(), car.Filter{}) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d rounds after a break", n)
	}
	if _, err := db.ExecContext(t.Context(), "DROP TABLE predictions"); err != nil {
		t.Fatal(err)
	}
	var faults []error
	for _, err := range s.Each(t.Context(), car.Filter{}) {
		faults = append(faults, err)
	}
	if len(faults) != 1 || faults[0] == nil {
		t.Errorf("without the table Each gave %v", faults)
	}
}
