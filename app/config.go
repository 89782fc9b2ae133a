package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Variable is one environment variable the app reads.
type Variable struct {
	Name    string
	Default string // empty: it must be set, unless Doc says optional
	Doc     string // what it is and what is allowed
}

// Variables is the app's whole environment, and its contract with the user
// data that infra writes. There is no other place where a name is introduced.
var Variables = []Variable{
	{"VINFAST_LISTEN", "127.0.0.1:8080", "address to listen on, host:port; a host left out means every interface"},
	{"AWS_REGION", "", "region of the endpoint, the bucket and the parameters, like ap-southeast-1"},
	{"VINFAST_ENDPOINT", "", "name of the SageMaker endpoint"},
	{"VINFAST_BUCKET", "", "name of the S3 bucket that keeps the pictures"},
	{"VINFAST_DB_HOST", "", "host or host:port of MySQL; port 3306 if left out"},
	{"VINFAST_DB_NAME", "", "database (schema) name, like prediction_data"},
	{"VINFAST_DB_USER", "", "database user"},
	{"VINFAST_DB_PASSWORD_PARAMETER", "", "SSM parameter (SecureString) that holds the database user's password"},
	{"VINFAST_DB_CA_PARAMETER", "", "SSM parameter that holds the CA certificate (PEM) of the database server"},
	{"VINFAST_DB_DSN", "", "optional: user:password@tcp(host:port)/database, in place of the five VINFAST_DB_ variables above"},
	{"VINFAST_SHARED_DIR", "", "absolute path of the folder that all web instances share; it holds the spool"},
	{"VINFAST_LOG_FILE", "", "optional: absolute path of the log file (JSON lines); standard error gets the same lines in any case"},
	{"VINFAST_LOG_GROUP", "", "optional: CloudWatch log group that the log file is shipped to; \"vinfast doctor\" looks there for its line"},
	{"VINFAST_MAX_UPLOAD_BYTES", "10485760", "largest picture, in bytes, 1024 to 104857600"},
	{"VINFAST_MAX_PIXELS", "50000000", "most pixels of a picture, width times height, 10000 to 200000000"},
	{"VINFAST_RATE_PER_MINUTE", "30", "pictures one address may send a minute, 1 to 1000000"},
	{"VINFAST_MIN_SCORE", "0.5", "score from which a page names the car, 0 to 1; below it says \"not sure\""},
}

// Config is the environment, read and checked.
type Config struct {
	Listen         string
	Region         string
	Endpoint       string
	Bucket         string
	Database       Database
	SharedDir      string
	LogFile        string // empty: standard error only
	LogGroup       string // empty: the log file stays where it is
	MaxUploadBytes int64
	MaxPixels      int64
	RatePerMinute  int
	MinScore       float64
}

// Database is either DSN alone or all the others.
type Database struct {
	DSN               string
	Host              string // host:port
	Name              string
	User              string
	PasswordParameter string
	CAParameter       string
}

// Shapes that AWS and MySQL give names. They catch a value in the wrong
// variable, not a name that does not exist.
var (
	regionShape    = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	endpointShape  = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)
	bucketShape    = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	nameShape      = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	groupShape     = regexp.MustCompile(`^[A-Za-z0-9_./#-]{1,512}$`)
	parameterShape = regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
)

// LoadConfig reads environ, in the form of os.Environ. Its error joins all
// faults, each naming the variable, the value seen and what is allowed; the
// value of VINFAST_DB_DSN is never shown.
func LoadConfig(environ []string) (Config, error) {
	env := newEnvironment(environ)
	c := Config{
		Listen:         env.text("VINFAST_LISTEN", isListenAddress),
		Region:         env.text("AWS_REGION", regionShape.MatchString),
		Endpoint:       env.text("VINFAST_ENDPOINT", endpointShape.MatchString),
		Bucket:         env.text("VINFAST_BUCKET", bucketShape.MatchString),
		Database:       env.database(),
		SharedDir:      env.text("VINFAST_SHARED_DIR", filepath.IsAbs),
		MaxUploadBytes: env.integer("VINFAST_MAX_UPLOAD_BYTES", 1<<10, 100<<20),
		MaxPixels:      env.integer("VINFAST_MAX_PIXELS", 10_000, 200_000_000),
		RatePerMinute:  int(env.integer("VINFAST_RATE_PER_MINUTE", 1, 1_000_000)),
		MinScore:       env.fraction("VINFAST_MIN_SCORE"),
	}
	if env.has("VINFAST_LOG_FILE") {
		c.LogFile = env.text("VINFAST_LOG_FILE", filepath.IsAbs)
	}
	if env.has("VINFAST_LOG_GROUP") {
		c.LogGroup = env.text("VINFAST_LOG_GROUP", groupShape.MatchString)
	}
	return c, errors.Join(env.faults...)
}

type environment struct {
	values map[string]string
	faults []error
}

func newEnvironment(environ []string) *environment {
	env := &environment{values: map[string]string{}}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if _, known := variable(name); known {
			env.values[name] = value
		} else if strings.HasPrefix(name, "VINFAST_") {
			env.faults = append(env.faults, fmt.Errorf("%s: there is no such variable; \"vinfast help\" lists all", name))
		}
	}
	slices.SortFunc(env.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return env
}

func variable(name string) (Variable, bool) {
	for _, v := range Variables {
		if v.Name == name {
			return v, true
		}
	}
	return Variable{}, false
}

// has tells whether an optional variable is set, be it to nothing: that is a
// fault and not the same as leaving it out.
func (e *environment) has(name string) bool {
	_, set := e.values[name]
	return set
}

// text returns the value, or the default if the variable is not set at all.
func (e *environment) text(name string, allowed func(string) bool) string {
	v, _ := variable(name)
	value, set := e.values[name]
	if !set && v.Default != "" {
		return v.Default
	}
	switch {
	case !set:
		e.fault(name, "not set; it is the "+v.Doc)
	case value == "":
		e.fault(name, "empty; it is the "+v.Doc)
	case !allowed(value):
		e.fault(name, fmt.Sprintf("%s is not allowed; it is the %s", shown(name, value), v.Doc))
	}
	return value
}

// shown quotes a value for a message, unless a password may be in it: one put
// into the wrong variable, or a DSN.
func shown(name, value string) string {
	if strings.Contains(name, "PASSWORD") || strings.Contains(value, "@") {
		return "its value (not shown)"
	}
	return strconv.Quote(value)
}

func (e *environment) fault(name, what string) {
	e.faults = append(e.faults, fmt.Errorf("%s: %s", name, what))
}

func (e *environment) integer(name string, least, most int64) int64 {
	var n int64
	parse := func(s string) bool {
		var err error
		n, err = strconv.ParseInt(s, 10, 64)
		return err == nil && n >= least && n <= most
	}
	parse(e.text(name, parse))
	return n
}

func (e *environment) fraction(name string) float64 {
	var n float64
	parse := func(s string) bool {
		var err error
		n, err = strconv.ParseFloat(s, 64)
		return err == nil && n >= 0 && n <= 1
	}
	parse(e.text(name, parse))
	return n
}

// database reads the group, or the DSN that stands for it.
func (e *environment) database() Database {
	if e.has("VINFAST_DB_DSN") {
		for _, v := range Variables {
			if v.Name != "VINFAST_DB_DSN" && strings.HasPrefix(v.Name, "VINFAST_DB_") && e.has(v.Name) {
				e.fault(v.Name, "set beside VINFAST_DB_DSN, which replaces it; leave one of them out")
			}
		}
		dsn := e.values["VINFAST_DB_DSN"]
		if dsn == "" {
			e.fault("VINFAST_DB_DSN", "empty; leave it out, or write user:password@tcp(host:port)/database")
		} else if parsed, err := mysql.ParseDSN(dsn); err != nil || parsed.DBName == "" {
			e.fault("VINFAST_DB_DSN", "not usable (its value holds a password and is not shown); write user:password@tcp(host:port)/database")
		}
		return Database{DSN: dsn}
	}
	return Database{
		Host:              withPort(e.text("VINFAST_DB_HOST", isHost)),
		Name:              e.text("VINFAST_DB_NAME", nameShape.MatchString),
		User:              e.text("VINFAST_DB_USER", nameShape.MatchString),
		PasswordParameter: e.text("VINFAST_DB_PASSWORD_PARAMETER", parameterShape.MatchString),
		CAParameter:       e.text("VINFAST_DB_CA_PARAMETER", parameterShape.MatchString),
	}
}

func isListenAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && isPort(port)
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func isHost(s string) bool {
	host, port, err := net.SplitHostPort(withPort(s))
	return err == nil && host != "" && isPort(port) && !strings.ContainsAny(host, " /@()")
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil || host == "" {
		return host
	}
	return net.JoinHostPort(host, "3306")
}
