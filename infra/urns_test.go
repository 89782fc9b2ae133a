package infra_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"vinfast-classifier/infra"
	"vinfast-classifier/infra/rehearsal"
)

// shapes are the stacks whose names are held: together they have every
// resource that the program can declare.
var shapes = map[string]settings{
	"dev":      {"web": `{"allowedCidrs":["0.0.0.0/0"]}`}, // Pulumi.dev.yaml
	"closed":   {},
	"offline":  {"network": `{"internet":false}`, "web": `{"allowedCidrs":["203.0.113.0/24"]}`},
	"one-zone": {"network": `{"azCount":1}`},
	"wide": {
		"network": `{"azCount":4,"endpointAzCount":4,"extraEndpoints":["ec2","ec2messages","kms","monitoring","sts"]}`,
		"web":     `{"allowedCidrs":["203.0.113.0/24","198.51.100.7/32"]}`,
	},
	"no-model":  {"model": `{"enabled":false}`},
	"own-model": {"model": `{"dataPath":"testdata/model"}`},
	"no-backup": {"backup": `{"enabled":false}`},
	"kept":      {"protectData": "true"},
	"restored":  {"database": `{"snapshotId":"snap-0123456789abcdef0"}`},
	"own-parts": {
		"web": `{"instanceType":"t4g.small","amiId":"ami-0123456789abcdef0"}`,
		"database": `{"mysqlUrl":"https://example.com/mysql.tar.xz","mysqlSha256":"` + strings.Repeat("b", 64) +
			`","amiId":"ami-0123456789abcdef0"}`,
	},
}

const (
	urnList  = "testdata/urns.txt"
	urnStart = "urn:pulumi:" + rehearsal.Stack + "::" + infra.Project + "::"
)

// TestURNs: the engine knows a resource of a running stack by its URN: the
// types of its parents, its own, its logical name. The list was made by the
// program of the release before (e2e/upgrade-from) and has grown since. With
// -update it takes in what is new, and drops nothing: a line goes by hand only.
func TestURNs(t *testing.T) {
	kept, now, missing := readURNs(t), map[string][]string{}, map[string][]string{}
	for _, shape := range slices.Sorted(maps.Keys(shapes)) {
		p := rehearse(t, shapes[shape])
		known := urnsOf(&p)
		for urn, current := range known {
			if current {
				now[urn] = append(now[urn], shape)
			}
		}
		for urn, in := range kept {
			if _, found := known[urn]; !found && slices.Contains(in, shape) {
				missing[urn] = append(missing[urn], shape)
			}
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("no longer declared: %s\n\tin %s", urn, strings.Join(missing[urn], ", "))
	}
	if len(missing) > 0 {
		t.Log(`To the engine a renamed resource is another one: the next "up" of every running stack makes a new one and
deletes the old one, with all data in it. Keep types, parents and logical names, or give the resource, or its component,
the old one with pulumi.Aliases. If it shall go, and holds no data, delete its line in infra/` + urnList + ` by hand.`)
	}
	if *update {
		writeURNs(t, kept, now)
		kept = readURNs(t)
	}
	for _, urn := range slices.Sorted(maps.Keys(now)) {
		fresh := slices.DeleteFunc(now[urn], func(shape string) bool { return slices.Contains(kept[urn], shape) })
		if len(fresh) > 0 {
			t.Errorf("new: %s\n\tin %s. Running stacks get it with the next \"up\"; if that is meant: go test ./infra -update",
				urn, strings.Join(fresh, ", "))
		}
	}
}

// TestURNsKnowAliases: a component of another type, and a child of it of
// another name, are found under all that the two were.
func TestURNsKnowAliases(t *testing.T) {
	was := func(s *pulumirpc.Alias_Spec) []*pulumirpc.Alias {
		return []*pulumirpc.Alias{{Alias: &pulumirpc.Alias_Spec_{Spec: s}}}
	}
	top := compose("", "vinfast:infra:New", "it")
	child := compose(top, "aws:ebs/volume:Volume", "disk")
	p := plan{Resources: []record{
		{URN: top, Type: "vinfast:infra:New", Name: "it",
			Aliases: was(&pulumirpc.Alias_Spec{Type: "vinfast:infra:Old"})},
		{URN: child, Type: "aws:ebs/volume:Volume", Name: "disk", Parent: top,
			Aliases: was(&pulumirpc.Alias_Spec{Name: "data"})},
	}}
	want := map[string]bool{
		"vinfast:infra:New::it": true, "vinfast:infra:Old::it": false,
		"vinfast:infra:New$aws:ebs/volume:Volume::disk": true, "vinfast:infra:New$aws:ebs/volume:Volume::data": false,
		"vinfast:infra:Old$aws:ebs/volume:Volume::disk": false, "vinfast:infra:Old$aws:ebs/volume:Volume::data": false,
	}
	if got := urnsOf(&p); !maps.Equal(got, want) {
		t.Errorf("found under %v, want %v", got, want)
	}
}

// urnsOf are the names under which the engine finds what is declared: true for
// today's, false for those that aliases bring.
func urnsOf(p *plan) map[string]bool {
	byURN := map[string]*record{}
	for i := range p.Resources {
		byURN[p.Resources[i].URN] = &p.Resources[i]
	}
	all := map[string]bool{}
	for i := range p.Resources {
		for _, urn := range names(byURN, &p.Resources[i])[1:] {
			all[strings.TrimPrefix(urn, urnStart)] = false
		}
	}
	for urn := range byURN {
		all[strings.TrimPrefix(urn, urnStart)] = true
	}
	return all
}

// names are the URN of a resource and its aliases. A child has another name
// for each that its parent has, as in the engine.
func names(byURN map[string]*record, r *record) []string {
	parents := []string{r.Parent}
	if parent := byURN[r.Parent]; parent != nil {
		parents = names(byURN, parent)
	}
	found := []string{r.URN}
	for _, alias := range append([]*pulumirpc.Alias{{}}, r.Aliases...) {
		if urn := alias.GetUrn(); urn != "" {
			found = append(found, urn)
			continue
		}
		spec, under := alias.GetSpec(), parents
		if spec.GetNoParent() {
			under = []string{""}
		} else if spec.GetParentUrn() != "" {
			under = []string{spec.GetParentUrn()}
		}
		for _, parent := range under {
			found = append(found, compose(parent, cmp.Or(spec.GetType(), r.Type), cmp.Or(spec.GetName(), r.Name)))
		}
	}
	return found
}

func compose(parent, typ, name string) string {
	over := tokens.Type("")
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		over = p.QualifiedType()
	}
	return string(resource.NewURN(rehearsal.Stack, infra.Project, over, tokens.Type(typ), name))
}

// readURNs reads lines of a URN and the shapes that have it.
func readURNs(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(urnList)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		urn, in, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		kept[urn] = strings.Fields(in)
	}
	return kept
}

// writeURNs writes both lists as one.
func writeURNs(t *testing.T, kept, now map[string][]string) {
	t.Helper()
	both := maps.Clone(kept)
	for urn, in := range now {
		both[urn] = slices.Compact(slices.Sorted(slices.Values(slices.Concat(kept[urn], in))))
	}
	var b strings.Builder
	for _, urn := range slices.Sorted(maps.Keys(both)) {
		fmt.Fprintf(&b, "%s %s\n", urn, strings.Join(both[urn], " "))
	}
	if err := os.WriteFile(urnList, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
