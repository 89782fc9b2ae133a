package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/go-sql-driver/mysql"

	"vinfast-classifier/app/doctor"
	"vinfast-classifier/app/predictions"
)

// checkUp is the command doctor. It tells whether everything works; the error
// is about the report itself.
func checkUp(environ []string, asJSON bool, stdout io.Writer) (bool, error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	report := diagnose(ctx, environ)
	write := report.Table
	if asJSON {
		write = report.JSON
	}
	if err := write(stdout); err != nil {
		return false, fmt.Errorf("print the report: %w", err)
	}
	return report.OK, nil
}

func diagnose(ctx context.Context, environ []string) doctor.Report {
	c, err := LoadConfig(environ)
	if err != nil {
		return doctor.Fault(version(), err)
	}
	config, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(c.Region))
	if err != nil {
		return doctor.Fault(version(), fmt.Errorf("load AWS settings: %w", err))
	}
	var machine doctor.Machine
	if slices.Contains(environ, "AWS_EC2_METADATA_DISABLED=true") {
		machine.EC2 = func() bool { return false } // local mode, on whatever computer
	}
	return doctor.Run(ctx, doctor.Settings{
		Version: version(), AWS: config, Listen: c.Listen, Endpoint: c.Endpoint, Bucket: c.Bucket,
		SharedDir: c.SharedDir, SpoolDir: filepath.Join(c.SharedDir, "spool"),
		LogFile: c.LogFile, LogGroup: c.LogGroup, Database: examined(c, config), Machine: machine,
	})
}

func examined(c Config, config aws.Config) doctor.Database {
	d := c.Database
	if d.DSN != "" {
		secret := ""
		if parsed, err := mysql.ParseDSN(d.DSN); err == nil {
			secret = parsed.Passwd
		}
		return doctor.Database{DSN: true, Secret: secret,
			Examine: func(ctx context.Context) (predictions.Examination, error) { return predictions.ExamineDSN(ctx, d.DSN) }}
	}
	account := predictions.Account{Host: d.Host, Name: d.Name, User: d.User,
		Read: predictions.FromParameters(ssm.NewFromConfig(config), d.PasswordParameter, d.CAParameter)}
	return doctor.Database{Examine: account.Examine, PasswordParameter: d.PasswordParameter, CAParameter: d.CAParameter}
}
