// Package audit reads what Prowler found in the emulated account and holds it against the exceptions that are written down.
package audit

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Names of what Prowler writes into its folder.
const (
	File = "audit"     // its findings, File.csv
	Log  = "audit.log" // its errors, among them the calls that the emulator does not know
)

// Services are the parts of Prowler that look at something the program makes.
var Services = []string{"backup", "cloudwatch", "ec2", "efs", "eventbridge", "iam", "kms", "s3", "sagemaker", "sns", "ssm", "vpc"}

// Finding is one check of one resource.
type Finding struct {
	Service, Check, Status string // Status: PASS, FAIL, MANUAL
	Resource               string // its ARN
	Says                   string
}

// Result is all that one run found.
type Result struct {
	Findings []Finding
	Unseen   []string // "service: Operation": what Prowler asked and the emulator could not answer
}

// Exception is a row of the table of exceptions.
type Exception struct {
	Controls []string
	Reason   string
}

// Exceptions reads the table in docs/exceptions.md.
func Exceptions(file string) ([]Exception, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the exceptions: %w", err)
	}
	var all []Exception
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 4 || !strings.HasPrefix(cells[0], "| ") || strings.HasPrefix(cells[0], "| Controls") {
			continue
		}
		controls := strings.Split(strings.TrimPrefix(cells[0], "| "), ", ")
		all = append(all, Exception{Controls: controls, Reason: cells[2]})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%q has no table of exceptions", file)
	}
	return all, nil
}

// artefacts are failures that come from the emulator alone.
var artefacts = []Exception{
	{[]string{"ec2_ebs_snapshots_encrypted"}, "snapshots of the emulator's stock images; the stack makes none"},
	{[]string{"kms_cmk_rotation_enabled"}, "the emulator shows AWS's own key as a customer's; the stack makes none"},
	{[]string{"ec2_instance_managed_by_ssm"}, "nothing runs on emulated instances, so no agent registers"},
	{[]string{"ec2_securitygroup_not_used"}, "the emulator gives the interfaces of VPC endpoints no groups"},
}

// Read reads the findings and the errors that Prowler left in its folder.
func Read(folder string) (Result, error) {
	file, err := os.Open(filepath.Join(folder, File+".csv"))
	if err != nil {
		return Result{}, fmt.Errorf("open Prowler's findings: %w", err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comma = ';'
	rows, err := reader.ReadAll()
	if err != nil {
		return Result{}, fmt.Errorf("read Prowler's findings: %w", err)
	}
	if len(rows) < 2 {
		return Result{}, errors.New("nothing found by Prowler: it did not see the account")
	}
	column := map[string]int{}
	for at, name := range rows[0] {
		column[name] = at
	}
	for _, name := range []string{"SERVICE_NAME", "CHECK_ID", "STATUS", "RESOURCE_UID", "STATUS_EXTENDED"} {
		if _, there := column[name]; !there {
			return Result{}, fmt.Errorf("findings of Prowler have no column %s", name)
		}
	}
	var r Result
	for _, row := range rows[1:] {
		r.Findings = append(r.Findings, Finding{row[column["SERVICE_NAME"]], row[column["CHECK_ID"]], row[column["STATUS"]],
			row[column["RESOURCE_UID"]], row[column["STATUS_EXTENDED"]]})
	}
	r.Unseen, err = unseen(filepath.Join(folder, Log))
	return r, err
}

// refused matches boto's sentence about an operation that failed, and the part of Prowler that asked.
var refused = regexp.MustCompile(`"module": "(\w+)_service", "message": ".*(?:when calling the (\w+) operation|Unable to parse response|Could not connect to the endpoint)`)

func unseen(log string) ([]string, error) {
	text, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read Prowler's errors: %w", err)
	}
	var operations []string
	for _, match := range refused.FindAllStringSubmatch(string(text), -1) {
		operation := match[2]
		if operation == "" {
			operation = "a call without a readable answer"
		}
		operations = append(operations, match[1]+": "+operation)
	}
	slices.Sort(operations)
	return slices.Compact(operations), nil
}

// Unexplained are the failures that no exception names.
func (r Result) Unexplained(exceptions []Exception) []Finding {
	var left []Finding
	for _, finding := range r.Findings {
		if finding.Status == "FAIL" && reason(exceptions, finding.Check) == "" && reason(artefacts, finding.Check) == "" {
			left = append(left, finding)
		}
	}
	return left
}

func reason(exceptions []Exception, check string) string {
	for _, exception := range exceptions {
		if slices.ContainsFunc(exception.Controls, func(control string) bool {
			matched, err := path.Match(control, check) // "iam_password_policy_*"
			return err == nil && matched
		}) {
			return exception.Reason
		}
	}
	return ""
}
