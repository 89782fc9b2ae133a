package infra_test

import (
	"encoding/json"
	"fmt"
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
