package infra_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"vinfast-classifier/infra/rehearsal"
)

type (
	plan     = rehearsal.Plan
	record   = rehearsal.Resource
	settings = map[string]string
)

// control is one rule the declared system must keep. IDs are those of AWS
// Security Hub (EC2.8), Checkov (CKV_...) and Prowler (ec2_...); D7 and D8 are
// rules of this project: what must always hold, and what makes it work in a
// real account.
type control struct {
	id    string
	name  string
	check func(*plan) []string // what breaks the rule
	spoil func(*plan)          // takes away what keeps it
	also  []string             // ids of rules that rightly notice the same loss
}

func allControls() []control {
	return slices.Concat(networkControls(), firewallControls(), instanceControls(), bucketControls(),
		fileControls(), iamControls(), serviceControls(), orderControls())
}

// widest has every resource the program can declare.
var widest = settings{
	"web":   `{"allowedCidrs":["203.0.113.0/24"]}`,
	"model": `{"dataPath":"testdata/model"}`,
}

func rehearse(t *testing.T, s settings) plan {
	t.Helper()
	p, err := rehearsal.Run(s)
	if err != nil {
		t.Fatalf("declaring %v: %v", s, err)
	}
	return p
}

func TestControls(t *testing.T) {
	for name, s := range map[string]settings{
		"defaults":      {},
		"widest":        widest,
		"no internet":   {"network": `{"internet":false}`, "web": `{"allowedCidrs":["203.0.113.0/24"]}`},
		"endpoint off":  {"model": `{"enabled":false}`},
		"old web type":  {"web": `{"instanceType":"t2.micro"}`},
		"arm web":       {"web": `{"instanceType":"t4g.small"}`},
		"all endpoints": {"network": `{"azCount":3,"endpointAzCount":3,"extraEndpoints":["ec2","ec2messages","kms","monitoring","sts"]}`},
		"data kept":     {"protectData": "true"},
		"restored":      {"database": `{"snapshotId":"snap-0123456789abcdef0"}`},
	} {
		p := rehearse(t, s)
		t.Run(name, func(t *testing.T) {
			for _, c := range allControls() {
				t.Run(c.id+" "+c.name, func(t *testing.T) {
					for _, violation := range c.check(&p) {
						t.Error(violation)
					}
				})
			}
		})
	}
}

// TestMutations takes away, one after the other, what keeps each rule, and
// wants exactly that rule to notice.
func TestMutations(t *testing.T) {
	p := rehearse(t, widest)
	controls := allControls()
	noticed := 0
	for _, mutation := range controls {
		t.Run(mutation.id+" "+mutation.name, func(t *testing.T) {
			mutant, err := p.Clone()
			if err != nil {
				t.Fatal(err)
			}
			mutation.spoil(&mutant)
			var red []string
			for _, c := range controls {
				if len(c.check(&mutant)) > 0 {
					red = append(red, c.id)
				}
			}
			want := append([]string{mutation.id}, mutation.also...)
			slices.Sort(want)
			slices.Sort(red)
			if !slices.Equal(red, want) {
				t.Errorf("rules that noticed: %v, want %v", red, want)
				return
			}
			noticed++
		})
	}
	fmt.Fprintf(os.Stderr, "mutations: %d of %d were noticed by the rule they break\n", noticed, len(controls))
}

func TestControlsAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range allControls() {
		if seen[c.id] {
			t.Errorf("%s is there twice", c.id)
		}
		seen[c.id] = true
	}
}

// each collects what check finds in every resource of a kind, and insists
// that there is one.
func each(kind string, check func(*record) string) func(*plan) []string {
	return func(p *plan) []string {
		found := p.Of(kind)
		if len(found) == 0 {
			return []string{"there is no " + kind}
		}
		var violations []string
		for _, r := range found {
			if v := check(r); v != "" {
				violations = append(violations, fmt.Sprintf("%s: %s", r, v))
			}
		}
		return violations
	}
}

// has wants the input at path to be value in every resource of a kind.
func has(kind, path, value string) func(*plan) []string {
	return each(kind, func(r *record) string {
		if got := r.Text(path); got != value {
			return fmt.Sprintf("%s is %q, want %q", path, got, value)
		}
		return ""
	})
}

// drop takes an input away from one resource.
func drop(kind, name, path string) func(*plan) {
	return func(p *plan) { p.One(kind, name).Drop(path) }
}

func remove(kind, name string) func(*plan) { return func(p *plan) { p.Remove(kind, name) } }

// forEvery wants a resource of kind for each of the resources of another,
// pointing at it from the input at path.
func forEvery(p *plan, of, kind, path string) []string {
	var violations []string
	for _, target := range p.Of(of) {
		if !slices.ContainsFunc(p.Of(kind), func(r *record) bool { return r.Text(path) == target.ID() }) {
			violations = append(violations, fmt.Sprintf("%s has no %s", target, kind))
		}
	}
	return violations
}

func join(checks ...func(*plan) []string) func(*plan) []string {
	return func(p *plan) []string {
		var all []string
		for _, check := range checks {
			all = append(all, check(p)...)
		}
		return all
	}
}

// texts are the elements of the list at path.
func texts(r *record, path string) []string {
	list, _ := r.At(path).([]any)
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}
