package photostore

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vinfast-classifier/app/car"
)

// S3 takes 2 KB of metadata: the bytes of all names and values. The rest of
// the 2 KB is left to whoever adds metadata later. A text is cut at textBytes
// (no known label or notice comes near), then the last scores are left out
// until all fits: the row in MySQL has them in full.
const (
	budget    = 1500
	textBytes = 400
)

const timeFormat = "2006-01-02T15:04:05.000Z07:00" // RFC 3339 with milliseconds

// encode writes everything of p that the object's key and content type do not
// tell, so that the row can be made again from the object alone.
func encode(p car.Prediction) (map[string]string, error) {
	meta := map[string]string{
		"upload-id":   escape(p.ID, textBytes),
		"label":       escape(p.Label, textBytes),
		"score":       strconv.FormatFloat(p.Score, 'g', -1, 64),
		"uploaded-at": p.UploadedAt.UTC().Format(timeFormat),
		"sha256":      p.SHA256,
		"width":       strconv.Itoa(p.Width),
		"height":      strconv.Itoa(p.Height),
		"size":        strconv.FormatInt(p.Size, 10),
	}
	if p.Notice != "" {
		meta["notice"] = escape(p.Notice, textBytes)
	}
	if p.Visitor != "" {
		meta["visitor"] = escape(p.Visitor, textBytes)
	}
	room := budget - len("scores")
	for name, value := range meta {
		room -= len(name) + len(value)
	}
	for n := min(len(p.Scores), budget/len(`{"label":"","score":0}`)); ; n-- {
		scores, err := json.Marshal(p.Scores[:n])
		if err != nil {
			return nil, fmt.Errorf("scores: %w", err)
		}
		if text := escape(string(scores), budget); len(text) <= room {
			meta["scores"] = text
			return meta, nil
		}
		if n == 0 {
			return nil, errors.New("metadata is too long")
		}
	}
}

func decode(meta map[string]string) (car.Prediction, error) {
	var p car.Prediction
	var faults []error
	take := func(name string, parse func(string) error) {
		if err := parse(meta[name]); err != nil {
			faults = append(faults, fmt.Errorf("metadata %s %.40q: %w", name, meta[name], err))
		}
	}
	text := func(to *string) func(string) error {
		return func(s string) (err error) { *to, err = url.PathUnescape(s); return err }
	}
	number := func(to *int) func(string) error {
		return func(s string) (err error) { *to, err = strconv.Atoi(s); return err }
	}
	take("upload-id", text(&p.ID))
	take("label", text(&p.Label))
	take("notice", text(&p.Notice))
	take("visitor", text(&p.Visitor))
	take("sha256", text(&p.SHA256))
	take("width", number(&p.Width))
	take("height", number(&p.Height))
	take("size", func(s string) (err error) { p.Size, err = strconv.ParseInt(s, 10, 64); return err })
	take("score", func(s string) (err error) { p.Score, err = strconv.ParseFloat(s, 64); return err })
	take("uploaded-at", func(s string) (err error) { p.UploadedAt, err = time.Parse(timeFormat, s); return err })
	take("scores", func(s string) error {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(plain), &p.Scores)
	})
	return p, errors.Join(faults...)
}

// escape makes a header value of any text: what is not printable ASCII becomes
// %XX, as in URLs. Spaces stay readable where HTTP keeps them, which is
// neither at an end nor after another. A result longer than limit is cut
// between characters.
func escape(text string, limit int) string {
	var b strings.Builder
	for i, r := range text {
		plain := r > ' ' && r <= '~' && r != '%'
		plain = plain || r == ' ' && i > 0 && i < len(text)-1 && text[i-1] != ' '
		part := string(r)
		if !plain {
			part = url.PathEscape(string(r))
		}
		if b.Len()+len(part) > limit {
			break
		}
		b.WriteString(part)
	}
	return b.String()
}
