package infra_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The whole plan as text: every input and option of every resource. A change
// of the program is a change of this file, to be read in its review.
func TestPlanGolden(t *testing.T) {
	p := rehearse(t, widest)
	var b strings.Builder
	for i := range p.Resources {
		r := &p.Resources[i]
		fmt.Fprintf(&b, "%s\n", strings.TrimPrefix(r.URN, "urn:pulumi:dev::vinfast-classifier::"))
		for _, key := range keysOf(r.Inputs) {
			if key == "userData" {
				continue // golden files of its own
			}
			fmt.Fprintf(&b, "  %s: %s\n", key, compact(t, r.Inputs[key]))
		}
		if options := compact(t, r.Options); options != compact(t, record{}.Options) {
			fmt.Fprintf(&b, "  options: %s\n", options)
		}
		after := []string{}
		for _, urn := range r.After {
			after = append(after, kindOf(urn)+" "+urn[strings.LastIndex(urn, "::")+2:])
		}
		slices.Sort(after)
		if len(after) > 0 {
			fmt.Fprintf(&b, "  after: %s\n", strings.Join(after, ", "))
		}
	}
	golden(t, "testdata/plan.txt", b.String())
}

// TestURNs holds that no resource loses the name it has on running stacks. To
// the engine a name is the resource: under a new one it is made anew, and the
// old one deleted with what it holds.
func TestURNs(t *testing.T) {
	const file = "testdata/urns.txt"
	listed := strings.Fields(source(t, file))
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		p := rehearse(t, shapes[name])
		made := map[string]bool{}
		for i := range p.Resources {
			r := &p.Resources[i]
			made[line(name, r.URN)] = true
			for _, alias := range r.Options.Aliases {
				made[line(name, alias)] = true
			}
			switch {
			case slices.Contains(listed, line(name, r.URN)):
			case *update:
				listed = append(listed, line(name, r.URN))
			default:
				t.Errorf("%s is not in %s yet; if it is new, run: go test ./infra -update. If it was renamed, it needs an alias", line(name, r.URN), file)
			}
		}
		for _, one := range listed {
			if strings.HasPrefix(one, line(name, "")) && !made[one] {
				t.Errorf("%s is gone: up deletes it on every running stack, and what it holds. If it was renamed, keep the old name or give it an alias; if it is to go, take its line out of %s", one, file)
			}
		}
	}
	if *update {
		slices.Sort(listed)
		write(t, file, strings.Join(listed, "\n")+"\n")
	}
}

// line is a resource of a shape in testdata/urns.txt.
func line(shape, urn string) string {
	return strings.ReplaceAll(shape, " ", "-") + "|" + strings.TrimPrefix(urn, "urn:pulumi:dev::vinfast-classifier::")
}

// kindOf is the last part of the type in a URN.
func kindOf(urn string) string {
	typ := strings.Split(urn, "::")[2]
	return typ[strings.LastIndex(typ, ":")+1:]
}

func keysOf(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func compact(t *testing.T, v any) string {
	t.Helper()
	if text, ok := v.(string); ok {
		return text
	}
	bytes, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}
