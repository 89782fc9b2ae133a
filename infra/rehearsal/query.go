package rehearsal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Of returns the resources whose type ends in kind, such as "Instance".
func (p *Plan) Of(kind string) []*Resource {
	var found []*Resource
	for i := range p.Resources {
		if shortType(p.Resources[i].Type) == kind {
			found = append(found, &p.Resources[i])
		}
	}
	return found
}

// One returns the only resource of a kind and name, or an empty one.
func (p *Plan) One(kind, name string) *Resource {
	for _, r := range p.Of(kind) {
		if r.Name == name {
			return r
		}
	}
	return &Resource{Inputs: map[string]any{}}
}

// Remove drops the resources of a kind with a name; an empty name means all.
func (p *Plan) Remove(kind, name string) {
	p.Resources = slices.DeleteFunc(p.Resources, func(r Resource) bool {
		return shortType(r.Type) == kind && (name == "" || r.Name == name)
	})
}

// ID is the id the rehearsal gave the resource.
func (r *Resource) ID() string { return identifier(r.Type, r.Name) }

// Kind is the last part of the type.
func (r *Resource) Kind() string { return shortType(r.Type) }

// String names a resource in messages.
func (r *Resource) String() string { return r.Kind() + " " + r.Name }

// At returns the input at a path such as "rules.0.id", or nil.
func (r *Resource) At(path string) any {
	var v any = r.Inputs
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// Text is At as text; numbers and booleans are written out.
func (r *Resource) Text(path string) string {
	if v := r.At(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// Drop deletes the input at a path.
func (r *Resource) Drop(path string) {
	parent, last := r.parentOf(path)
	delete(parent, last)
}

// Put sets the input at a path.
func (r *Resource) Put(path string, value any) {
	parent, last := r.parentOf(path)
	parent[last] = value
}

func (r *Resource) parentOf(path string) (map[string]any, string) {
	i := strings.LastIndex(path, ".")
	if i < 0 {
		return r.Inputs, path
	}
	parent, ok := r.At(path[:i]).(map[string]any)
	if !ok {
		panic(fmt.Sprintf("%s has nothing at %s", r, path[:i]))
	}
	return parent, path[i+1:]
}

// Statement is one statement of a policy document.
type Statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    []string
	Resource  []string
	Condition Conditions
}

// Conditions go operator, key, values.
type Conditions map[string]map[string][]string

// UnmarshalJSON takes a single value with or without brackets, as IAM does.
func (c *Conditions) UnmarshalJSON(text []byte) error {
	var raw map[string]map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	*c = Conditions{}
	for operator, keys := range raw {
		(*c)[operator] = map[string][]string{}
		for key, values := range keys {
			list, several := values.([]any)
			if !several {
				list = []any{values}
			}
			for _, value := range list {
				(*c)[operator][key] = append((*c)[operator][key], fmt.Sprint(value))
			}
		}
	}
	return nil
}

// Statements reads the policy document in the input called key.
func (r *Resource) Statements(key string) []Statement {
	var document struct{ Statement []Statement }
	if err := json.Unmarshal([]byte(r.Text(key)), &document); err != nil {
		return nil
	}
	return document.Statement
}

// SetStatements writes a policy document.
func (r *Resource) SetStatements(key string, statements []Statement) {
	bytes, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	r.Inputs[key] = string(bytes)
}

// Mentions reports whether any input holds the text.
func (r *Resource) Mentions(text string) bool {
	bytes, err := json.Marshal(r.Inputs)
	return err == nil && strings.Contains(string(bytes), text)
}

// Follows reports whether r is made after other.
func (r *Resource) Follows(other *Resource) bool { return slices.Contains(r.After, other.URN) }

// ARN is the ARN the rehearsal gave the resource.
func (r *Resource) ARN() string { return arn(r.Type, r.Name, r.Text("name")) }
