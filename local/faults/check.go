//go:build linux

package faults

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// row is a line of the table predictions.
type row struct {
	id, url, label, key, scores, notice, contentType, sha256 string
	at                                                       time.Time
	score                                                    float64
	width, height, size                                      int
}

// object is what lies in the bucket under a key.
type object struct {
	key, contentType, sha256 string
	size                     int
	meta                     map[string]string
}

// check holds rows and objects against what the clients know.
func (s *system) check(ctx context.Context) error {
	rows, err := s.rows(ctx)
	if err != nil {
		return err
	}
	objects, err := s.bucket(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, o := range s.ledger.outcomes {
		known[o.sha256] = true
		s.checkOne(o, rows[o.sha256], objects[o.sha256])
	}
	for sha, list := range rows {
		if !known[sha] {
			s.ledger.complain("%d rows of bytes that nobody sent: %+v", len(list), list)
		}
	}
	for sha, list := range objects {
		if !known[sha] {
			s.ledger.complain("%d objects of bytes that nobody sent: %+v", len(list), list)
		}
	}
	return s.checkSpool()
}

func (s *system) checkOne(o *outcome, rows []row, objects []object) {
	right := len(rows) == 1 && len(objects) == 1 || len(rows) == 0 && len(objects) == 0
	switch o.state() {
	case acknowledged:
		right = len(rows) == 1 && len(objects) == 1
	case refused:
		right = len(rows) == 0 && len(objects) == 0
	}
	if !right {
		s.ledger.complain("picture %d (%s: %d times, refused %d times, in flight %d times, no answer %d times, key %q) has %d rows and %d objects: %+v %+v",
			o.number, o.state(), len(o.acks), o.refused, o.inFlight, o.cut, o.key, len(rows), len(objects), rows, objects)
		return
	}
	if o.kept = len(rows) == 1; !o.kept {
		return
	}
	for _, fault := range append(o.faultsOfRow(rows[0]), o.faultsOfObject(rows[0], objects[0])...) {
		s.ledger.complain("picture %d: %s", o.number, fault)
	}
}

// faultsOfRow compares a row with the picture, with what the model said, and
// with what was acknowledged.
func (o *outcome) faultsOfRow(r row) []string {
	var faults []string
	expect := func(what string, got, want any) {
		if got != want {
			faults = append(faults, fmt.Sprintf("the row's %s is %v, not %v", what, got, want))
		}
	}
	want := scores(o.number)
	key := "images/" + r.at.Format("2006/01/02/") + r.id + o.ending
	expect("object_key", r.key, key)
	expect("image_url", r.url, "s3://"+bucket+"/"+key)
	expect("prediction", r.label, want[0].Label)
	expect("score", r.score, want[0].Score)
	expect("notice", r.notice, notice)
	expect("content_type", r.contentType, o.contentType)
	expect("width", r.width, width)
	expect("height", r.height, height)
	expect("size_bytes", r.size, len(o.data))
	var got []score
	if err := json.Unmarshal([]byte(r.scores), &got); err != nil || len(got) != len(want) {
		return append(faults, fmt.Sprintf("the row's scores are %s", r.scores))
	}
	for i, w := range want {
		expect("scores", got[i], score{w.Label, w.Score})
	}
	for _, a := range o.acks {
		expect("upload_id", r.id, a.ID)
	}
	return append(faults, o.faultsOfTime(r.at)...)
}

// faultsOfTime: the row has the time that was acknowledged. An earlier try with
// the same key whose answer was lost may have been the one that counts; the
// answer then told a later time, as the database could not be asked.
func (o *outcome) faultsOfTime(at time.Time) []string {
	if at.Before(o.began.Add(-time.Second)) {
		return []string{fmt.Sprintf("the row's time %v is before its first try %v", at, o.began)}
	}
	for _, a := range o.acks {
		if a.UploadedAt.Equal(at) || at.Before(a.UploadedAt) && o.cut+len(o.acks) > 1 {
			continue
		}
		return []string{fmt.Sprintf("the row's time is %v, acknowledged was %v", at, a.UploadedAt)}
	}
	return nil
}

func (o *outcome) faultsOfObject(r row, found object) []string {
	var faults []string
	for what, pair := range map[string][2]string{
		"key":                {found.key, r.key},
		"content type":       {found.contentType, o.contentType},
		"metadata label":     {found.meta["label"], r.label},
		"metadata upload-id": {found.meta["upload-id"], r.id},
		"metadata sha256":    {found.meta["sha256"], o.sha256},
	} {
		if pair[0] != pair[1] {
			faults = append(faults, fmt.Sprintf("the object's %s is %q, not %q", what, pair[0], pair[1]))
		}
	}
	return faults
}

// checkSpool demands a spool without uploads. Half files of killed processes
// may lie in its folder tmp for an hour.
func (s *system) checkSpool() error {
	found, err := s.disk.entries()
	if err != nil {
		return fmt.Errorf("list the spool: %w", err)
	}
	for folder, names := range found {
		if folder != "tmp" {
			s.ledger.complain("in the spool's folder %q are %d files: %s", folder, len(names), strings.Join(names, " "))
		}
	}
	return nil
}

// rows reads the whole table, by SHA-256.
func (s *system) rows(ctx context.Context) (_ map[string][]row, err error) {
	db, err := s.database.query()
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := db.QueryContext(ctx, `SELECT upload_id, image_url, prediction, object_key, scores, notice, content_type, sha256,
		upload_time, score, width, height, size_bytes FROM predictions`)
	if err != nil {
		return nil, fmt.Errorf("read the rows: %w", err)
	}
	return collect(found)
}

func collect(found *sql.Rows) (map[string][]row, error) {
	defer found.Close() // Err tells what went wrong
	rows := map[string][]row{}
	for found.Next() {
		var r row
		err := found.Scan(&r.id, &r.url, &r.label, &r.key, &r.scores, &r.notice, &r.contentType, &r.sha256,
			&r.at, &r.score, &r.width, &r.height, &r.size)
		if err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		rows[r.sha256] = append(rows[r.sha256], r)
	}
	return rows, found.Err()
}

// bucket reads all objects, by the SHA-256 of their bytes.
func (s *system) bucket(ctx context.Context) (map[string][]object, error) {
	client := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: &s.storeURL, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	objects := map[string][]object{}
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list objects: %w", err)
		}
		for _, entry := range page.Contents {
			o, err := read(ctx, client, *entry.Key)
			if err != nil {
				return nil, err
			}
			objects[o.sha256] = append(objects[o.sha256], o)
		}
	}
	return objects, nil
}

func read(ctx context.Context, client *s3.Client, key string) (object, error) {
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		return object{}, fmt.Errorf("get object %q: %w", key, err)
	}
	body, err := io.ReadAll(got.Body)
	if err = errors.Join(err, got.Body.Close()); err != nil {
		return object{}, fmt.Errorf("get object %q: %w", key, err)
	}
	sum := sha256.Sum256(body)
	return object{key: key, contentType: aws.ToString(got.ContentType), sha256: hex.EncodeToString(sum[:]), size: len(body), meta: got.Metadata}, nil
}
