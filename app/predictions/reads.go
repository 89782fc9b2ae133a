package predictions

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"vinfast-classifier/app/car"
)

// Lists, statistics and exports may go through many rows, and anybody may ask for
// them. So they have connections of their own, and the server ends their
// statements: when only the caller gave up, it would work on.
const (
	readConnections = 4
	// readWait is how long a read waits for a connection.
	readWait = 3 * time.Second
	// readTimeout is for all statements of one read, of which the statistics have
	// three. Who is cut off by it got no word from the server.
	readTimeout = 20 * time.Second
)

// readTime sets how long the server lets a statement run: MySQL counts in
// milliseconds and skips MariaDB's comment, MariaDB in seconds, and skips MySQL's.
const readTime = "SET /*!80000 SESSION max_execution_time = 4000 *//*M!100108 SESSION max_statement_time = 4 */"

// timed sets readTime on each new connection.
type timed struct{ driver.Connector }

func (c timed) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	run, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(fmt.Errorf("connection %T runs no statements", conn), conn.Close())
	}
	if _, err := run.ExecContext(ctx, readTime, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("set the time of a statement: %w", err), conn.Close())
	}
	return conn, nil
}

// reading waits for its turn and bounds what follows. The error is car.ErrBusy
// if too many read already.
func (s *Store) reading(ctx context.Context) (context.Context, func(), error) {
	waiting, cancel := context.WithTimeout(ctx, readWait)
	defer cancel()
	select {
	case s.turns <- struct{}{}:
	case <-waiting.Done():
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, car.ErrBusy
	}
	ctx, done := context.WithTimeout(ctx, readTimeout)
	return ctx, func() { done(); <-s.turns }, nil
}

// Numbers of the errors for a statement that ran too long.
const (
	mysqlTimeout   = 3024
	mariadbTimeout = 1969
)

// contentRefused are the numbers for a value that the server cannot take:
// another one would do.
var contentRefused = map[uint16]bool{
	1153: true, // packet too large
	1264: true, // number out of range
	1292: true, // wrong date or number
	1366: true, // wrong string
	1367: true, // number that cannot be read
	1406: true, // too long
	1411: true, // wrong value for a function
	3140: true, // wrong JSON
	3854: true, // string that is not of its character set
}

// told adds the domain's fault to what the server or its driver refused.
func told(err error) error {
	if err == nil {
		return nil
	}
	if is(err, mysqlTimeout) || is(err, mariadbTimeout) {
		return fmt.Errorf("%w: %w", car.ErrTooSlow, err)
	}
	fault := (*mysql.MySQLError)(nil)
	if errors.Is(err, mysql.ErrPktTooLarge) || errors.As(err, &fault) && contentRefused[fault.Number] {
		return fmt.Errorf("%w: %w", car.ErrUnfit, err)
	}
	return err
}

// serverFaults are the numbers for what is wrong with the server, the account or
// the tables, whatever is asked.
var serverFaults = map[uint16]bool{
	1021: true, 1030: true, 1114: true, // disk or table full, storage engine
	1037: true, 1038: true, 1041: true, // memory
	1040: true, 1203: true, 1226: true, // connections
	1044: true, 1045: true, 1049: true, 1142: true, 1227: true, // rights, schema
	1053: true, 1077: true, 1079: true, 1158: true, 1159: true, 1160: true, 1161: true, // shutting down, network
	1146: true, 1054: true, // tables and columns that are not there
	1205: true, 1213: true, 1290: true, 1836: true, // locks; read only
	3159: true, // TLS required
}

// ServerFault tells whether err is known to be the server's, whatever was asked.
func ServerFault(err error) bool {
	fault := (*mysql.MySQLError)(nil)
	if errors.As(err, &fault) {
		return serverFaults[fault.Number]
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, mysql.ErrNoTLS) ||
		errors.Is(err, ErrNotReady)
}
