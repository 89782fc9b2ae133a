package predictions

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
)

// ErrNotReady: the database has not published its password and authority yet.
var ErrNotReady = errors.New("the database has not published its password yet; its instance does so at the end of its first start")

const (
	connectTimeout = 5 * time.Second
	// rereadPause spares Parameter Store, which throttles, when credentials
	// that were read again do not work either.
	rereadPause = 5 * time.Second
)

// Credentials of a database account.
type Credentials struct {
	Password string
	CA       string // PEM: the authority that signed the server's certificate
}

// Account is a database account reached over verified TLS.
type Account struct {
	Host string // name or address, with ":port" if that is not 3306
	Name string // of the schema
	User string
	// Read fetches the credentials. It is called at the first connection,
	// and again when the server refuses them or its certificate does not fit.
	Read func(context.Context) (Credentials, error)
	Now  func() time.Time // nil for time.Now

	seen func(tls.ConnectionState) error // nil, or is shown each handshake
}

// FromDSN returns a connector for a data source name of go-sql-driver/mysql.
func FromDSN(dsn string) (driver.Connector, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("database DSN: %w", err)
	}
	connector, err := mysql.NewConnector(common(config))
	if err != nil {
		return nil, fmt.Errorf("database DSN: %w", err)
	}
	return bounded{connector}, nil
}

// common sets what the queries of this package rely on.
func common(c *mysql.Config) *mysql.Config {
	c.ParseTime, c.Loc = true, time.UTC
	c.InterpolateParams = true // one round trip a query
	c.Collation = "utf8mb4_general_ci"
	c.MultiStatements, c.AllowAllFiles = false, false
	c.Logger = &mysql.NopLogger{} // all it would print is returned too
	return c
}

// bounded limits the whole of a connection's opening, login included. Reads
// and writes are bounded by the context of each query.
type bounded struct{ driver.Connector }

func (b bounded) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return b.Connector.Connect(ctx)
}

// Connector returns a connector that logs in to the account.
func (a Account) Connector() driver.Connector {
	if a.Now == nil {
		a.Now = time.Now
	}
	return bounded{&login{account: a, one: make(chan struct{}, 1)}}
}

// login keeps the credentials that were read last.
type login struct {
	account Account

	one      chan struct{}    // held while the fields below are used
	with     driver.Connector // nil before the first read
	last     Credentials
	rereadAt time.Time
}

// Driver is part of driver.Connector.
func (l *login) Driver() driver.Driver { return mysql.MySQLDriver{} }

// Connect tries the known credentials. If the server refuses them, or its
// certificate is not by the known authority, both may have been renewed.
func (l *login) Connect(ctx context.Context) (driver.Conn, error) {
	with, err := l.connector(ctx, nil)
	if err != nil {
		return nil, err
	}
	conn, err := with.Connect(ctx)
	if err == nil || !renewable(err) {
		return conn, err
	}
	again, readErr := l.connector(ctx, with)
	if readErr != nil {
		return nil, errors.Join(err, readErr)
	}
	if again == with {
		return nil, err
	}
	return again.Connect(ctx)
}

// connector returns the current connector; if that is the failed one, a new
// one when the credentials have changed since.
func (l *login) connector(ctx context.Context, failed driver.Connector) (driver.Connector, error) {
	select {
	case l.one <- struct{}{}:
		defer func() { <-l.one }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for database credentials: %w", ctx.Err())
	}
	if l.with != nil && (l.with != failed || l.account.Now().Before(l.rereadAt)) {
		return l.with, nil
	}
	c, err := l.account.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read database credentials: %w", err)
	}
	if l.with != nil && c == l.last {
		l.rereadAt = l.account.Now().Add(rereadPause)
		return l.with, nil
	}
	with, err := l.account.connector(c)
	if err != nil {
		return nil, err
	}
	l.with, l.last = with, c
	return with, nil
}

func (a Account) connector(c Credentials) (driver.Connector, error) {
	host, _, err := net.SplitHostPort(a.Host)
	address := a.Host
	if err != nil {
		host, address = a.Host, net.JoinHostPort(a.Host, "3306")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(c.CA)) {
		return nil, errors.New("the database's CA certificate is not PEM")
	}
	config := common(mysql.NewConfig())
	config.Net, config.Addr, config.DBName = "tcp", address, a.Name
	config.User, config.Passwd = a.User, c.Password
	config.TLS = &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12, VerifyConnection: a.seen}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("database account: %w", err)
	}
	return connector, nil
}

// renewable tells whether other credentials might help.
func renewable(err error) bool { return IsAccessDenied(err) || IsUntrusted(err) }

// IsAccessDenied tells whether the server refused the password.
func IsAccessDenied(err error) bool { return is(err, accessDenied) }

// IsUntrusted tells whether the server has no certificate, or none that fits
// the authority and the address.
func IsUntrusted(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.Is(err, mysql.ErrNoTLS)
}
