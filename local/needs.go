//go:build unix

package main

import (
	"context"

	"vinfast-classifier/local/database"
)

// needDatabase makes sure that there is a database server to run.
func (l *launcher) needDatabase(context.Context) error {
	_, _, err := database.Find()
	return err
}
