// Package document writes the documents that follow from the program: what can
// be configured, what it costs, which controls it does not meet, and its
// picture. Tests hold the files in docs/ to what it returns.
package document

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"vinfast-classifier/infra"
)

// All returns the documents by file name in docs/.
func All() (map[string]string, error) {
	picture, err := Architecture()
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"configuration.md": Configuration(),
		"cost.md":          Cost(),
		"exceptions.md":    Exceptions(),
		"architecture.svg": picture,
	}, nil
}

const generated = "<!-- Written by `go run ./infra/document/write`; change the Go source instead. -->\n\n"

// Configuration lists every key with its default, what is allowed, what it
// costs and what it risks.
func Configuration() string {
	var b strings.Builder
	b.WriteString("# Configuration\n\n" + generated)
	fmt.Fprintf(&b, `Keys are set in §Pulumi.<stack>.yaml§, with §%s:§ before the name, or by
§pulumi config set --path web.instanceType t3.medium§. Every key has a default, so an empty stack works: it costs
little and opens nothing. A misspelt key, a wrong type or a value that is not allowed stops the program before anything
is made, and every fault is named at once. §aws:region§, §aws:profile§ and the other settings of the AWS provider
work as always.

Prices are for us-east-1; [cost.md](cost.md) adds them up.
`, infra.Project)
	section(&b, reflect.ValueOf(infra.DefaultConfig()))
	return strings.ReplaceAll(b.String(), "§", "`")
}

func section(b *strings.Builder, defaults reflect.Value) {
	var plain []string
	for i := range defaults.NumField() {
		field := defaults.Type().Field(i)
		if field.Type.Kind() != reflect.Struct {
			plain = append(plain, row(field, "", defaults.Field(i)))
			continue
		}
		key := field.Tag.Get("json")
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n%s", key, field.Tag.Get("doc"), head)
		for j := range field.Type.NumField() {
			inner := field.Type.Field(j)
			b.WriteString(row(inner, key+".", defaults.Field(i).Field(j)))
			if inner.Type.Kind() == reflect.Pointer {
				for k := range inner.Type.Elem().NumField() {
					b.WriteString(row(inner.Type.Elem().Field(k), key+"."+inner.Tag.Get("json")+".", reflect.Value{}))
				}
			}
		}
	}
	b.WriteString("\n## On its own\n\n" + head + strings.Join(plain, ""))
}

const head = "| Key | What | Default | Allowed | Cost | Risk |\n|---|---|---|---|---|---|\n"

func row(field reflect.StructField, prefix string, standard reflect.Value) string {
	cell := func(tag string) string {
		if text := field.Tag.Get(tag); text != "" {
			return text
		}
		return "-"
	}
	what := cell("doc")
	if field.Tag.Get("later") != "" {
		what = "*Not yet.* " + what
	}
	return fmt.Sprintf("| `%s%s` | %s | %s | %s | %s | %s |\n",
		prefix, field.Tag.Get("json"), what, value(standard), cell("allowed"), cell("cost"), cell("risk"))
}

func value(v reflect.Value) string {
	switch {
	case !v.IsValid(), v.Kind() == reflect.Pointer:
		return "unset"
	case v.Kind() == reflect.Slice:
		return "`[]`"
	case v.Kind() == reflect.String && v.Len() == 0:
		return "empty"
	default:
		return fmt.Sprintf("`%v`", v.Interface())
	}
}

// Exceptions lists the controls the system does not meet, and the policy
// statements that apply to every resource.
func Exceptions() string {
	var b strings.Builder
	b.WriteString("# Exceptions\n\n" + generated)
	b.WriteString("Controls that this system does not meet, on purpose. Those it meets are tests: `go test ./infra -run TestControls -v`.\n\n" +
		"| Controls | Resource | Reason | What meeting it costs |\n|---|---|---|---|\n")
	for _, e := range infra.Exceptions {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", e.Controls, e.Resource, e.Reason, e.Cost)
	}
	b.WriteString("\n## Statements for every resource\n\nPolicy statements with the resource `*`. No other statement may have it; a test says so.\n\n| Sid | Reason |\n|---|---|\n")
	var sids []string
	for sid := range infra.Wildcards {
		sids = append(sids, sid)
	}
	sort.Strings(sids)
	for _, sid := range sids {
		fmt.Fprintf(&b, "| %s | %s |\n", sid, infra.Wildcards[sid])
	}
	return b.String()
}
