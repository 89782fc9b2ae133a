package predictions

import (
	"fmt"
	"math"
	"regexp"
	"time"
	"unicode/utf8"

	"vinfast-classifier/app/car"
)

// ErrUnfit: a value fits no column; sending it again will not help.
var ErrUnfit = car.ErrUnfit

var (
	uploadID  = regexp.MustCompile(`^[0-9a-f-]{36}$`)
	visitorID = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// check holds p against the columns of the table. The server would refuse the
// same, unless its sql_mode let it cut strings short.
func (s *Store) check(p car.Prediction) error {
	if !uploadID.MatchString(p.ID) {
		return fmt.Errorf("upload_id %q: %w", p.ID, ErrUnfit)
	}
	if p.Visitor != "" && !visitorID.MatchString(p.Visitor) {
		return fmt.Errorf("visitor %.40q: %w", p.Visitor, ErrUnfit)
	}
	for _, text := range []struct {
		column, value string
		characters    int
		ascii         bool
	}{
		{"image_url", s.url(p.Key), 400, true},
		{"object_key", p.Key, 255, true},
		{"content_type", p.ContentType, 100, true},
		{"sha256", p.SHA256, 64, true},
		{"prediction", p.Label, 255, false},
		{"notice", p.Notice, 1000, false},
	} {
		if !utf8.ValidString(text.value) || utf8.RuneCountInString(text.value) > text.characters || text.ascii && !ascii(text.value) {
			return fmt.Errorf("%s %.40q: %w", text.column, text.value, ErrUnfit)
		}
	}
	if p.UploadedAt.IsZero() || !storable(p.UploadedAt) {
		return fmt.Errorf("upload_time %v: %w", p.UploadedAt, ErrUnfit)
	}
	if math.IsNaN(p.Score) || math.IsInf(p.Score, 0) {
		return fmt.Errorf("score %v: %w", p.Score, ErrUnfit)
	}
	if p.Width > math.MaxInt32 || p.Height > math.MaxInt32 {
		return fmt.Errorf("size %d x %d: %w", p.Width, p.Height, ErrUnfit)
	}
	return nil
}

// storable tells whether DATETIME knows the year; another would be an error of
// the driver. The zero time is none and fits.
func storable(t time.Time) bool {
	y := t.UTC().Year()
	return t.IsZero() || y >= 1000 && y <= 9999
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
