package predictions

import (
	"database/sql/driver"
	"errors"

	"github.com/pressly/goose/v3"
)

// NewestWith is the newest migration if inGo came to those in files.
func NewestWith(connector driver.Connector, inGo *goose.Migration) (version int64, err error) {
	s := Open(connector, "")
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.newest(inGo)
}
