package tools

import (
	"fmt"
	"os"
	"strings"
)

const (
	// planFile is the backup plan, whose rules have a time zone in the Terraform provider under Pulumi's 6.83.2 (5.99) and
	// not yet in the source at hand (5.68).
	planFile = serviceFolder + "/backup/plan.go"
	// bodyFile is AWS's HTTP body that may be closed while it is still being sent.
	bodyFile = "transport/http/internal/io/safe.go"
)

// edit replaces a text that stands in a file exactly once.
type edit struct{ old, new string }

func patch(file string, edits ...edit) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read source to patch: %w", err)
	}
	patched := string(text)
	for _, e := range edits {
		if found := strings.Count(patched, e.old); found != 1 {
			return fmt.Errorf("patch %s: the text %q stands there %d times, not once", file, e.old, found)
		}
		patched = strings.Replace(patched, e.old, e.new, 1)
	}
	return os.WriteFile(file, []byte(patched), 0o644)
}

// addTimezone adds the schedule's time zone to a backup plan's rules: schema, request, reply and the set's hash.
func addTimezone(file string) error {
	const key = `"schedule_expression_timezone"`
	before := func(line, added string) edit { return edit{line + "\n", added + "\n" + line + "\n"} }
	return patch(file,
		before(`						"target_vault_name": {`,
			key+`: {Type: schema.TypeString, Optional: true, Default: "Etc/UTC"},`),
		before(`		if vSchedule, ok := mRule[names.AttrSchedule].(string); ok && vSchedule != "" {`,
			`if zone, ok := mRule[`+key+`].(string); ok && zone != "" { rule.ScheduleExpressionTimezone = aws.String(zone) }`),
		before(`			names.AttrSchedule:         aws.ToString(rule.ScheduleExpression),`,
			key+`: aws.ToString(rule.ScheduleExpressionTimezone),`),
		before(`	if v, ok := mRule["enable_continuous_backup"].(bool); ok {`,
			`if zone, ok := mRule[`+key+`].(string); ok { buf.WriteString(zone + "-") }`))
}

// closedBodyIsEmpty repairs a race in AWS's Go runtime, still there in 1.28. The client closes a request's body as soon as the
// reply begins; net/http, having sent all of it, then asks it for more, takes WriteTo's io.EOF for a failure and closes the
// connection under the reply: "use of closed network connection". A server one loopback away is quick enough for that
// whenever the processor is busy.
func closedBodyIsEmpty(file string) error {
	return patch(file, edit{"WriteTo(w io.Writer) (int64, error) {\n\tr.safeReadCloser.mtx.Lock()\n\tdefer r.safeReadCloser.mtx.Unlock()\n\n\tif r.safeReadCloser.closed {\n\t\treturn 0, io.EOF",
		"WriteTo(w io.Writer) (int64, error) {\n\tr.safeReadCloser.mtx.Lock()\n\tdefer r.safeReadCloser.mtx.Unlock()\n\n\tif r.safeReadCloser.closed {\n\t\treturn 0, nil"})
}
