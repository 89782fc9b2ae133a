package infra_test

import (
	"regexp"
	"strings"
	"testing"
)

// found returns the first group of every match in text, each once.
func found(text, pattern string) map[string]bool {
	all := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all[m[1]] = true
	}
	return all
}

// targets are those of a Makefile; one line may make several.
func targets(makefile string) map[string]bool {
	all := map[string]bool{}
	for line := range found(makefile, `(?m)^([a-z][a-z -]*):`) {
		for _, name := range strings.Fields(line) {
			all[name] = true
		}
	}
	return all
}

// What the operations guide names is there: outputs, configuration keys, make
// targets, subcommands, units, parameters, roles, files on instances, resources.
func TestGuideNamesWhatExists(t *testing.T) {
	guide := source(t, "../docs/operations.md")
	p := rehearse(t, nil)
	outputs := map[string]bool{}
	for name := range p.Outputs {
		outputs[name] = true
	}
	descriptions, logGroups, instances := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range p.Of("Role") {
		descriptions[r.Text("description")] = true
	}
	for _, r := range p.Of("LogGroup") {
		logGroups[r.Text("name")] = true
	}
	for _, r := range p.Of("Instance") {
		instances[r.Name] = true
	}
	golden := source(t, "testdata/web.yaml") + source(t, "testdata/database.yaml")
	paths := found(golden, `(/(?:etc|opt|run|usr/local/bin|var/log)/(?:vinfast|mysql|mysqld)[a-z./-]*[a-z])`)
	paths["/opt/mysql/bin/mysql"] = strings.Contains(golden, `"$MYSQL/bin/mysql"`) && strings.Contains(golden, "MYSQL:-/opt/mysql}")
	paths["/etc/vinfast/instance.env"] = strings.Contains(golden, `"$ETC/instance.env"`)
	paths["/var/log/mysql/error.log"] = strings.Contains(golden, "$LOG_DIR/error.log")
	for what, c := range map[string]struct{ named, exists map[string]bool }{
		"output":     {found(guide, `pulumi stack output --stack dev (?:--json )?(\w+)`), outputs},
		"key":        {found(guide, `--path ([\w.]+)`), found(source(t, "../docs/configuration.md"), "(?m)^\\| `([\\w.]+)`")},
		"target":     {found(guide, "(?m)(?:^|`)make ([a-z]+)"), targets(source(t, "../Makefile"))},
		"subcommand": {found(guide, "(?:bin/vinfast|`vinfast) ([a-z]+)"), found(source(t, "../app/main.go"), `command == "([a-z]+)"`)},
		"unit":       {found(guide, `(?:systemctl (?:re)?start|journalctl -u) ([a-z-]+)`), found(golden, `/etc/systemd/system/([a-z-]+)\.service`)},
		"path":       {found(guide, `(/(?:etc|opt|usr/local/bin|var/log)/(?:vinfast|mysql)[a-z./-]*[a-z])`), paths},
		"role":       {found(guide, `Description=='([^']+)'`), descriptions},
		"log group":  {found(guide, `aws logs tail (/\S+)`), logGroups},
		"instance":   {found(guide, `ec2/instance:Instance::([\w-]+)`), instances},
		"parameter":  {found(guide, `put-parameter --name (\S+)`), found(golden, `PASSWORD_PARAMETER=(\S+)`)},
		"figure":     {found(guide, `([0-9]+\.[0-9]{2,4}) USD`), found(source(t, "../docs/cost.md"), `\b([0-9]+\.[0-9]{2,4})\b`)},
	} {
		if len(c.named) == 0 {
			t.Errorf("the guide names no %s", what)
		}
		for name := range c.named {
			if !c.exists[name] {
				t.Errorf("the guide names the %s %q, which does not exist", what, name)
			}
		}
	}
	if !strings.Contains(source(t, "userdata/database.sh"), `== unset`) {
		t.Error("the database instance makes no new password for \"unset\", as the guide says")
	}
}

// A section with commands for AWS has its line in the list of what is not
// proven, and every link inside the documents leads somewhere.
func TestGuideIsMarkedUnproven(t *testing.T) {
	guide, unproven := source(t, "../docs/operations.md"), source(t, "../docs/aws-unverified.md")
	anchors := map[string]bool{}
	for section := range strings.SplitSeq(guide, "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		anchor := strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(title), ""), " ", "-")
		anchors[anchor] = true
		if regexp.MustCompile(`(?m)^\s*(aws|pulumi) `).MatchString(body) && !strings.Contains(unproven, "(operations.md#"+anchor+")") {
			t.Errorf("section %q has commands for AWS and no line in docs/aws-unverified.md", title)
		}
	}
	for link := range found(guide+unproven, `\((?:operations\.md)?#([a-z0-9-]+)\)`) {
		if !anchors[link] {
			t.Errorf("a link leads to #%s, which is no section", link)
		}
	}
}
