package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/predictions"
	"vinfast-classifier/app/web"
)

// checks are what /readyz asks besides the endpoint.
func (p *parts) checks() []web.Check {
	const fresh = 6 * time.Second
	return []web.Check{
		{Name: "database", Ask: p.databaseReady, Fresh: fresh, Tell: func(err error) string { return databaseFault(p.guarded.cause(err)) }, Breaker: p.guarded.state,
			Down: "The database is starting or does not answer. Pictures are taken and kept; the history comes back with it."},
		{Name: "bucket", Ask: p.photos.Ping, Fresh: fresh, Breaker: p.photos.state,
			Down: "The picture store does not answer. Pictures are taken and kept, and stored when it does."},
		{Name: "spool", Ask: p.spoolReady, Fresh: fresh, Tell: p.spoolFilling,
			Down: "The shared folder cannot be written. Pictures are refused until it can."},
	}
}

var errNoTables = errors.New("the tables are not made yet")

// databaseReady asks for the login, too, while there are no tables: it tells
// best why there are none.
func (p *parts) databaseReady(ctx context.Context) error {
	err := p.guarded.Ping(ctx)
	if err == nil && !p.migrated.Load() {
		err = errNoTables
	}
	return err
}

// databaseFault tells an operator where to look.
func databaseFault(err error) string {
	const kept = " Pictures are taken and kept; the history comes back with the database."
	switch {
	case errors.Is(err, predictions.ErrNotReady):
		return "The database has not published its password yet; it does so at the end of its first start." + kept
	case predictions.IsParameterMissing(err):
		return "The parameter with the password or the authority of the database does not exist." + kept
	case predictions.IsAccessDenied(err):
		return "The database refuses the password, which is read again every few seconds." + kept
	case predictions.IsUntrusted(err):
		return "The certificate of the database does not fit the published authority, so nothing is sent to it." + kept
	}
	return ""
}

func (p *parts) spoolReady(context.Context) error {
	state, err := p.spool.State()
	if err == nil && state.Full() {
		err = car.ErrSpoolFull
	}
	return errors.Join(err, p.spool.Ping())
}

func (p *parts) spoolFilling(err error) string {
	if errors.Is(err, car.ErrSpoolFull) {
		return "So many pictures wait to be stored that no more are taken until some are."
	}
	state, stateErr := p.spool.State()
	if err != nil || stateErr != nil {
		return "" // the usual sentence says it
	}
	text := fmt.Sprintf("It takes pictures; %d wait, %.1f MB.", state.Uploads, float64(state.Bytes)/1e6)
	if state.Uploads > 0 {
		text += fmt.Sprintf(" The oldest waits for %s.", state.Oldest.Round(time.Second))
	}
	if state.Damaged > 0 {
		text += fmt.Sprintf(" %d were set aside; somebody has to look at them.", state.Damaged)
	}
	return text
}
