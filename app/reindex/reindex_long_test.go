//go:build long && !unit

package reindex_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"vinfast-classifier/app/reindex"
)

// S3 goes away on the second page: the error says from which key to go on, and
// that run does the rest only.
func TestLongGoesOnWhereItStopped(t *testing.T) {
	s := newSystem(t)
	s.keep(1200)
	before := s.table()
	s.exec("DELETE FROM predictions")
	s.heads.Store(1100)
	_, err := s.run(&reindex.Run{})
	_, after, found := strings.Cut(fmt.Sprint(err), "vinfast reindex --after ")
	if err == nil || !found {
		t.Fatalf("got error %v", err)
	}
	s.heads.Store(1 << 40)
	got, err := s.run(&reindex.Run{After: strings.Trim(after, `"`)})
	must(t, err)
	if got.Objects != 200 || !slices.Equal(s.table(), before) {
		t.Errorf("went on with %+v", got)
	}
}

// TestLongEveryRowComesBack: more objects than two pages of a listing hold.
func TestLongEveryRowComesBack(t *testing.T) { everyRowComesBack(t, 2010) }
