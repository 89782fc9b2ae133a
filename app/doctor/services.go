package doctor

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/uuid"

	"vinfast-classifier/app/photostore"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/app/sagemaker"
)

// bucket puts, gets and deletes an object where the app keeps its pictures:
// the role may write nowhere else.
func (d *doctor) bucket(ctx context.Context) (string, error) {
	key, err := photostore.New(d.AWS, d.Bucket).Probe(ctx, uuid.NewString())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("put, read back and deleted s3://%s/%s", d.Bucket, key), nil
}

func (d *doctor) passwordParameter(ctx context.Context) (string, error) {
	if d.Database.DSN {
		return "", skipped("VINFAST_DB_DSN is used instead")
	}
	value, err := predictions.Parameter(ctx, ssm.NewFromConfig(d.AWS), d.Database.PasswordParameter)
	if err != nil {
		return "", missing(err)
	}
	d.keep(value)
	return d.Database.PasswordParameter + " is set", nil
}

// authorityLeast: the database makes a new authority in the last year of the
// old one, so this little means that it has not started for long.
const authorityLeast = 30 * 24 * time.Hour

func (d *doctor) caParameter(ctx context.Context) (string, error) {
	if d.Database.DSN {
		return "", skipped("VINFAST_DB_DSN is used instead")
	}
	name := d.Database.CAParameter
	value, err := predictions.Parameter(ctx, ssm.NewFromConfig(d.AWS), name)
	if err != nil {
		return "", missing(err)
	}
	block, _ := pem.Decode([]byte(value))
	if block == nil {
		return "", fmt.Errorf("parameter %q is no certificate in PEM", name)
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("parameter %q: %w", name, err)
	}
	if !ca.IsCA {
		return "", fmt.Errorf("parameter %q is a certificate, but of no authority", name)
	}
	if left := ca.NotAfter.Sub(d.Machine.Now()); left < authorityLeast {
		return "", advise("Restart the database instance: it makes a new one and publishes it."+guide("replace-the-database-instance"),
			fmt.Errorf("the authority in %q ends %s", name, day(ca.NotAfter)))
	}
	return fmt.Sprintf("%s ends %s", name, day(ca.NotAfter)), nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// missing says of a database that is not ready what is missing, whichever
// check found it.
func missing(err error) error {
	switch {
	case errors.Is(err, predictions.ErrNotReady):
		return advise("The database instance has not published it yet. If that lasts more than ten minutes: sudo vinfast-doctor there.", err)
	case predictions.IsParameterMissing(err):
		return advise("The stack makes it: pulumi up --refresh. Is the name in /etc/vinfast/app.env that of this stack?", err)
	}
	return err
}

func (d *doctor) database(ctx context.Context) (string, error) {
	e, err := d.Database.Examine(ctx)
	if err != nil {
		if d.Database.DSN {
			return "", advise("The server that VINFAST_DB_DSN names must run and know the account. Of make run: .local/log/database.log.", err)
		}
		return "", databaseAdvice(err)
	}
	text := fmt.Sprintf("%s as %s, schema %d of %d, %d rows", e.Version, e.User, e.Schema, e.Newest, e.Rows)
	if e.Certificate == nil {
		return text + ", by VINFAST_DB_DSN", nil
	}
	if left := e.Certificate.NotAfter.Sub(d.Machine.Now()); left < authorityLeast {
		return "", advise("Restart the database instance: it makes a new one.", fmt.Errorf("its certificate ends %s", day(e.Certificate.NotAfter)))
	}
	if e.Schema != e.Newest {
		return "", advise("The app brings it up to date when it starts: journalctl -u vinfast -n 50.", errors.New(text))
	}
	return fmt.Sprintf("%s, %s for %v until %s", text, e.TLS, e.Certificate.IPAddresses, day(e.Certificate.NotAfter)), nil
}

// databaseAdvice tells the faults of a connection apart.
func databaseAdvice(err error) error {
	switch {
	case predictions.IsAccessDenied(err):
		return advise("The password in the parameter is not MySQL's: restart vinfast-boot on the database instance, which sets it."+guide("rotate-the-database-password"), err)
	case predictions.IsUntrusted(err):
		return advise("The server's certificate is not by the published authority, or not for this address: restart vinfast-boot on the database instance, which mends and publishes both.", err)
	}
	return missing(err)
}

// model asks the endpoint about a picture that is drawn here.
func (d *doctor) model(ctx context.Context) (string, error) {
	reply, err := sagemaker.New(d.AWS, sagemaker.Options{Endpoint: d.Endpoint, Timeout: 62 * time.Second, Attempts: 2}).Invoke(ctx, picture())
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s calls a drawn square %s (%.2f)", d.Endpoint, reply.Scores[0].Label, reply.Scores[0].Value)
	if reply.Notice != "" {
		text += "; it says: " + reply.Notice
	}
	return text, nil
}

// picture is a small JPEG: a grey square on a lighter ground.
func picture() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 224, 224))
	for y := range 224 {
		for x := range 224 {
			tone := uint8(200)
			if x > 60 && x < 160 && y > 60 && y < 160 {
				tone = 90
			}
			img.Set(x, y, color.RGBA{tone, tone, tone, 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		panic("encoding a picture of 224 pixels: " + err.Error()) // a buffer takes everything
	}
	return out.Bytes()
}

// logEvent writes a line where the app does and waits for it at the other end.
func (d *doctor) logEvent(ctx context.Context) (string, error) {
	if d.LogFile == "" {
		return "", skipped("VINFAST_LOG_FILE is not set")
	}
	mark := "doctor-" + uuid.NewString()
	began := time.Now()
	if err := d.writeLine(mark); err != nil {
		return "", err
	}
	if d.LogGroup == "" {
		return "written to " + d.LogFile + "; VINFAST_LOG_GROUP is not set, so nobody ships it", nil
	}
	client := cloudwatchlogs.NewFromConfig(d.AWS)
	start := began.Add(-10 * time.Minute).UnixMilli() // the agent's own idea of the time
	pattern := `"` + mark + `"`
	for time.Since(began) < d.Machine.LogLimit {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: &d.LogGroup, FilterPattern: &pattern, StartTime: &start})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", advise("Reading it back takes the right logs:FilterLogEvents and the endpoint logs.", fmt.Errorf("filter log events of %s: %w", d.LogGroup, err))
			}
			if len(page.Events) > 0 {
				return fmt.Sprintf("written to %s, in %s after %.0f s", d.LogFile, d.LogGroup, time.Since(began).Seconds()), nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("filter log events of %s: %w", d.LogGroup, ctx.Err())
		case <-time.After(d.Machine.LogPause):
		}
	}
	return "", fmt.Errorf("a line written to %s %.0f s ago is not in %s", d.LogFile, time.Since(began).Seconds(), d.LogGroup)
}

func (d *doctor) writeLine(mark string) error {
	line, err := json.Marshal(map[string]string{"time": time.Now().UTC().Format(time.RFC3339Nano), "level": "INFO", "msg": "doctor", "mark": mark})
	if err != nil {
		return fmt.Errorf("write log line: %w", err)
	}
	// Not made here: the app's own file is the one that is shipped.
	f, err := os.OpenFile(d.LogFile, os.O_APPEND|os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return advise("The app makes it when it starts: journalctl -u vinfast -n 50.", fmt.Errorf("write log line: %w", err))
	}
	if err != nil {
		return fmt.Errorf("write log line: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write log line: %w", err)
	}
	return nil
}
