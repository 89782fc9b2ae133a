package tools

import (
	"fmt"
	"os"
	"strings"
)

// planFile is the backup plan, whose rules have a time zone in the Terraform provider under Pulumi's 6.83.2 (5.99) and
// not yet in the source at hand (5.68).
const planFile = serviceFolder + "/backup/plan.go"

// addTimezone adds the schedule's time zone to a plan's rules: schema, request, reply and the set's hash.
func addTimezone(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the provider's backup plan: %w", err)
	}
	const key = `"schedule_expression_timezone"`
	added := string(text)
	for _, edit := range []struct{ before, line string }{
		{`						"target_vault_name": {`,
			key + `: {Type: schema.TypeString, Optional: true, Default: "Etc/UTC"},`},
		{`		if vSchedule, ok := mRule[names.AttrSchedule].(string); ok && vSchedule != "" {`,
			`if zone, ok := mRule[` + key + `].(string); ok && zone != "" { rule.ScheduleExpressionTimezone = aws.String(zone) }`},
		{`			names.AttrSchedule:         aws.ToString(rule.ScheduleExpression),`,
			key + `: aws.ToString(rule.ScheduleExpressionTimezone),`},
		{`	if v, ok := mRule["enable_continuous_backup"].(bool); ok {`,
			`if zone, ok := mRule[` + key + `].(string); ok { buf.WriteString(zone + "-") }`},
	} {
		if found := strings.Count(added, edit.before+"\n"); found != 1 {
			return fmt.Errorf("%s: the line %q stands there %d times, not once", planFile, edit.before, found)
		}
		added = strings.Replace(added, edit.before, edit.line+"\n"+edit.before, 1)
	}
	return os.WriteFile(file, []byte(added), 0o644)
}
