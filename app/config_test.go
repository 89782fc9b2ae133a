package main_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	app "vinfast-classifier/app"
)

// good is an environment that has what is required and nothing else.
var good = map[string]string{
	"AWS_REGION":                    "ap-southeast-1",
	"VINFAST_ENDPOINT":              "vinfast-dev",
	"VINFAST_BUCKET":                "vinfast-images-1a2b3c4",
	"VINFAST_DB_HOST":               "10.0.1.20",
	"VINFAST_DB_NAME":               "prediction_data",
	"VINFAST_DB_USER":               "vinfast",
	"VINFAST_DB_PASSWORD_PARAMETER": "/vinfast/dev/database/password",
	"VINFAST_DB_CA_PARAMETER":       "/vinfast/dev/database/ca",
	"VINFAST_SHARED_DIR":            "/mnt/vinfast",
}

func environ(changes map[string]string, without ...string) []string {
	values := maps.Clone(good)
	maps.Copy(values, changes)
	for _, name := range without {
		delete(values, name)
	}
	list := []string{"PATH=/usr/bin", "HOME=/"}
	for name, value := range values {
		list = append(list, name+"="+value)
	}
	return list
}

func TestLoadConfigDefaults(t *testing.T) {
	got, err := app.LoadConfig(environ(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := app.Config{
		Listen: "127.0.0.1:8080", Region: "ap-southeast-1", Endpoint: "vinfast-dev", Bucket: "vinfast-images-1a2b3c4",
		Database: app.Database{Host: "10.0.1.20:3306", Name: "prediction_data", User: "vinfast",
			PasswordParameter: "/vinfast/dev/database/password", CAParameter: "/vinfast/dev/database/ca"},
		SharedDir: "/mnt/vinfast", MaxUploadBytes: 10 << 20, MaxPixels: 50_000_000, RatePerMinute: 30, MinScore: 0.5,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLoadConfigDSNStandsForTheGroup(t *testing.T) {
	const dsn = "vinfast:secret@tcp(127.0.0.1:3307)/prediction_data"
	got, err := app.LoadConfig(environ(map[string]string{"VINFAST_DB_DSN": dsn}, "VINFAST_DB_HOST", "VINFAST_DB_NAME",
		"VINFAST_DB_USER", "VINFAST_DB_PASSWORD_PARAMETER", "VINFAST_DB_CA_PARAMETER"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (app.Database{DSN: dsn}); got.Database != want {
		t.Errorf("got %+v, want %+v", got.Database, want)
	}
}

func TestLoadConfigFaults(t *testing.T) {
	for name, c := range map[string]struct {
		set     map[string]string
		without string
		say     string // in the error, beside the variable
	}{
		"region missing":      {without: "AWS_REGION", say: "AWS_REGION: not set"},
		"region empty":        {set: map[string]string{"AWS_REGION": ""}, say: "AWS_REGION: empty"},
		"region wrong":        {set: map[string]string{"AWS_REGION": "mars"}, say: `AWS_REGION: "mars"`},
		"endpoint missing":    {without: "VINFAST_ENDPOINT", say: "VINFAST_ENDPOINT: not set"},
		"endpoint is an ARN":  {set: map[string]string{"VINFAST_ENDPOINT": "arn:aws:x"}, say: `VINFAST_ENDPOINT: "arn:aws:x"`},
		"bucket missing":      {without: "VINFAST_BUCKET", say: "VINFAST_BUCKET: not set"},
		"bucket is a URL":     {set: map[string]string{"VINFAST_BUCKET": "s3://x"}, say: `VINFAST_BUCKET: "s3://x"`},
		"host missing":        {without: "VINFAST_DB_HOST", say: "VINFAST_DB_HOST: not set"},
		"host with a path":    {set: map[string]string{"VINFAST_DB_HOST": "h/db"}, say: `VINFAST_DB_HOST: "h/db"`},
		"name missing":        {without: "VINFAST_DB_NAME", say: "VINFAST_DB_NAME: not set"},
		"user missing":        {without: "VINFAST_DB_USER", say: "VINFAST_DB_USER: not set"},
		"password missing":    {without: "VINFAST_DB_PASSWORD_PARAMETER", say: "VINFAST_DB_PASSWORD_PARAMETER: not set"},
		"CA missing":          {without: "VINFAST_DB_CA_PARAMETER", say: "VINFAST_DB_CA_PARAMETER: not set"},
		"shared dir missing":  {without: "VINFAST_SHARED_DIR", say: "VINFAST_SHARED_DIR: not set"},
		"shared dir relative": {set: map[string]string{"VINFAST_SHARED_DIR": "data"}, say: `VINFAST_SHARED_DIR: "data"`},
		"log file relative":   {set: map[string]string{"VINFAST_LOG_FILE": "app.log"}, say: `VINFAST_LOG_FILE: "app.log"`},
		"listen no port":      {set: map[string]string{"VINFAST_LISTEN": "localhost"}, say: `VINFAST_LISTEN: "localhost"`},
		"listen empty":        {set: map[string]string{"VINFAST_LISTEN": ""}, say: "VINFAST_LISTEN: empty"},
		"listen bad port":     {set: map[string]string{"VINFAST_LISTEN": ":99999"}, say: `VINFAST_LISTEN: ":99999"`},
		"bytes a word":        {set: map[string]string{"VINFAST_MAX_UPLOAD_BYTES": "10MiB"}, say: `"10MiB" is not allowed`},
		"bytes negative":      {set: map[string]string{"VINFAST_MAX_UPLOAD_BYTES": "-1"}, say: `"-1" is not allowed`},
		"pixels zero":         {set: map[string]string{"VINFAST_MAX_PIXELS": "0"}, say: `VINFAST_MAX_PIXELS: "0"`},
		"rate zero":           {set: map[string]string{"VINFAST_RATE_PER_MINUTE": "0"}, say: `VINFAST_RATE_PER_MINUTE: "0"`},
		"rate empty":          {set: map[string]string{"VINFAST_RATE_PER_MINUTE": ""}, say: "VINFAST_RATE_PER_MINUTE: empty"},
		"score above one":     {set: map[string]string{"VINFAST_MIN_SCORE": "50"}, say: `VINFAST_MIN_SCORE: "50"`},
		"score no number":     {set: map[string]string{"VINFAST_MIN_SCORE": "NaN"}, say: `VINFAST_MIN_SCORE: "NaN"`},
		"log file empty":      {set: map[string]string{"VINFAST_LOG_FILE": ""}, say: "VINFAST_LOG_FILE: empty"},
		"log group empty":     {set: map[string]string{"VINFAST_LOG_GROUP": ""}, say: "VINFAST_LOG_GROUP: empty"},
		"DSN empty":           {set: map[string]string{"VINFAST_DB_DSN": ""}, without: "VINFAST_DB_HOST", say: "VINFAST_DB_DSN: empty"},
		"DSN beside the host": {set: map[string]string{"VINFAST_DB_DSN": "u:p@tcp(h:1)/d"}, say: "VINFAST_DB_HOST: set beside VINFAST_DB_DSN"},
		"misspelled":          {set: map[string]string{"VINFAST_BUKET": "x"}, say: "VINFAST_BUKET: there is no such variable"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := app.LoadConfig(environ(c.set, c.without))
			if err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want it to say %q", err, c.say)
			}
		})
	}
}

func TestLoadConfigTellsAllFaultsTogether(t *testing.T) {
	_, err := app.LoadConfig(environ(map[string]string{"VINFAST_MIN_SCORE": "2", "VINFAST_X": "", "AWS_REGION": "?"}, "VINFAST_BUCKET"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"VINFAST_MIN_SCORE", "VINFAST_X", "AWS_REGION", "VINFAST_BUCKET"} {
		if !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s is missing in %q", name, err)
		}
	}
}

func TestLoadConfigShowsNoSecret(t *testing.T) {
	for name, value := range map[string]string{
		"VINFAST_DB_DSN":                "vinfast:hunter2@nowhere",
		"VINFAST_DB_HOST":               "vinfast:hunter2@tcp(10.0.0.1)/x",
		"VINFAST_DB_PASSWORD_PARAMETER": "hunter2!",
	} {
		_, err := app.LoadConfig(environ(map[string]string{name: value}))
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestVariablesAreNamedOnce(t *testing.T) {
	var names []string
	for _, v := range app.Variables {
		names = append(names, v.Name)
		if v.Doc == "" {
			t.Errorf("%s has no doc", v.Name)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name stands twice: %v", names)
	}
}
