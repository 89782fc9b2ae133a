package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

type count struct{ pass, fail int }

// Document is docs/audit.md.
func (r Result) Document(exceptions []Exception) string {
	services, checks := map[string]*count{}, map[string]*count{}
	for _, finding := range r.Findings {
		for key, all := range map[string]map[string]*count{finding.Service: services, finding.Check: checks} {
			if all[key] == nil {
				all[key] = &count{}
			}
			switch finding.Status {
			case "PASS":
				all[key].pass++
			case "FAIL":
				all[key].fail++
			}
		}
	}
	var text strings.Builder
	text.WriteString(preface)
	text.WriteString("\n| service | met | not met |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(services)) {
		fmt.Fprintf(&text, "| %s | %d | %d |\n", name, services[name].pass, services[name].fail)
	}
	for _, table := range []struct {
		title, source string
		reasons       []Exception
	}{
		{"Not met", "from [exceptions.md](exceptions.md)", exceptions},
		{"Failures of the emulator, not of the stack", "", artefacts},
	} {
		fmt.Fprintf(&text, "\n## %s\n\n| check | resources | %s |\n|---|---|---|\n", table.title, strings.TrimSpace("reason "+table.source))
		for _, name := range slices.Sorted(maps.Keys(checks)) {
			if why := reason(table.reasons, name); checks[name].fail > 0 && why != "" {
				fmt.Fprintf(&text, "| %s | %d | %s |\n", name, checks[name].fail, why)
			}
		}
	}
	text.WriteString("\n## Met\n\n")
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if checks[name].fail == 0 && checks[name].pass > 0 {
			fmt.Fprintf(&text, "`%s` (%d), ", name, checks[name].pass)
		}
	}
	body := strings.TrimSuffix(text.String(), ", ") + ".\n"
	return body + r.blindness()
}

const preface = `# Audit

<!-- Written by ` + "`make audit`" + `; run it again instead of editing. -->

What Prowler found in the emulated account after ` + "`pulumi up`" + ` of the dev stack, counted by resource. The services are those that the program
uses. A failure that [exceptions.md](exceptions.md) does not name fails the command.
`

// blindness says what the run did not see.
func (r Result) blindness() string {
	var text strings.Builder
	text.WriteString(`
## What it cannot see here

An emulator has no account around the stack that somebody configured, no trail, no detectors, no organization, no credential report with a
history: checks of those say nothing about yours. It stores policies without judging them, so what a policy really allows is not tried.
Nothing runs on its instances: patches, agents and inventory are not seen. Against a real account: ` + "`prowler aws --region <region>`" + `.
`)
	if len(r.Unseen) > 0 {
		text.WriteString("\nThese calls of Prowler the emulator refused, so the checks that need them did not look:\n\n")
		for _, operation := range r.Unseen {
			fmt.Fprintf(&text, "- %s\n", operation)
		}
	}
	return text.String()
}
