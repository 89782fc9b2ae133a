package main_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/go-sql-driver/mysql"

	app "vinfast-classifier/app"
	"vinfast-classifier/app/car"
	"vinfast-classifier/app/predictions"
)

func answered(status int, code string) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err: &smithy.GenericAPIError{Code: code, Message: "for the test"}}
}

// TestBlame: which errors bring a breaker nearer to opening, and which of them
// the log calls unclassified.
func TestBlame(t *testing.T) {
	const fine, counts, unclassified = "fine", "counts", "counts, unclassified"
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nothing":              {nil, fine},
		"no such row":          {car.ErrNotFound, fine},
		"deleted":              {car.ErrDeleted, fine},
		"cursor":               {car.ErrBadCursor, fine},
		"value":                {car.ErrUnfit, fine},
		"picture":              {car.ErrPictureRefused, fine},
		"throttling":           {car.ErrEndpointBusy, fine},
		"too many reads":       {car.ErrBusy, fine},
		"our time for a query": {fmt.Errorf("%w: %w", car.ErrTooSlow, &mysql.MySQLError{Number: 3024}), fine},
		"refused connection":   {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, counts},
		"reset":                {syscall.ECONNRESET, counts},
		"end of connection":    {io.ErrUnexpectedEOF, counts},
		"bad connection":       {driver.ErrBadConn, counts},
		"time":                 {fmt.Errorf("ping: %w", context.DeadlineExceeded), counts},
		"model's time":         {car.ErrEndpointTimeout, counts},
		"S3 is ill":            {answered(503, "SlowDown"), counts},
		"S3 forbids":           {answered(403, "AccessDenied"), counts},
		"no bucket":            {answered(404, "NoSuchBucket"), counts},
		"no password yet":      {predictions.ErrNotReady, counts},
		"MySQL is full":        {&mysql.MySQLError{Number: 1040}, counts},
		"MySQL's password":     {&mysql.MySQLError{Number: 1045}, counts},
		"S3's unknown refusal": {answered(400, "Unheard"), unclassified},
		"MySQL's unknown":      {&mysql.MySQLError{Number: 4242}, unclassified},
		"something else":       {errors.New("for the test"), unclassified},
		"rubbish of the model": {fmt.Errorf("%w: rubbish", car.ErrEndpointUnavailable), unclassified},
	} {
		var logged bytes.Buffer
		got := unclassified
		switch blameless := app.Blameless("part", slog.New(slog.NewJSONHandler(&logged, nil)), c.err); {
		case blameless:
			got = fine
		case !strings.Contains(logged.String(), "unclassified"):
			got = counts
		}
		if got != c.want {
			t.Errorf("%s (%v): %s, want %s", name, c.err, got, c.want)
		}
	}
}
