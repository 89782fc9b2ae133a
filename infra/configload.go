package infra

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// LoadConfig reads, completes and checks a stack's configuration. all is the
// whole of it as the engine handed it over ("namespace:key" to value); it
// shows misspelt keys, which no lookup by name can. The error names every
// fault, not just the first.
func LoadConfig(ctx *pulumi.Context, all map[string]string) (Config, error) {
	cfg := DefaultConfig()
	faults := unknownKeys(all)
	source := config.New(ctx, Project)
	v := reflect.ValueOf(&cfg).Elem()
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("json")
		raw, err := source.Try(key)
		switch {
		case errors.Is(err, config.ErrMissingVar):
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: %w", key, err))
		default:
			faults = append(faults, decode(key, []byte(raw), v.Field(i))...)
		}
	}
	faults = append(faults, cfg.check()...)
	if err := checkStackName(ctx.Stack()); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return cfg, fmt.Errorf("the configuration of stack %q has %s:\n%w",
			ctx.Stack(), count(len(faults), "fault"), errors.Join(faults...))
	}
	return cfg, nil
}

// parseStackConfig reads what the engine puts into PULUMI_CONFIG.
func parseStackConfig(env string) (map[string]string, error) {
	all := map[string]string{}
	if env == "" {
		return all, nil
	}
	if err := json.Unmarshal([]byte(env), &all); err != nil {
		return nil, fmt.Errorf("reading PULUMI_CONFIG: %w", err)
	}
	return all, nil
}

// unknownKeys finds keys nobody reads. "aws" belongs to the provider and
// "pulumi" to the engine, which check their own.
func unknownKeys(all map[string]string) []error {
	var faults []error
	known := fieldsOf(reflect.TypeFor[Config]())
	for _, name := range sortedKeys(all) {
		namespace, key, _ := strings.Cut(name, ":")
		switch {
		case namespace == "aws" || namespace == "pulumi":
		case namespace != Project:
			faults = append(faults, fmt.Errorf("%s: nothing reads this; our keys begin with %q", name, Project+":"))
		case known[key] == nil:
			faults = append(faults, fmt.Errorf("%s: there is no such key; allowed are %s", key, strings.Join(sortedKeys(known), ", ")))
		}
	}
	return faults
}

// fieldsOf maps the JSON names of a struct's fields to their indexes.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for i := range t.NumField() {
		fields[t.Field(i).Tag.Get("json")] = t.Field(i).Index
	}
	return fields
}

// decode puts raw into v and reports every fault below key. Unlike
// encoding/json it takes exact names only and does not stop at the first.
func decode(key string, raw []byte, v reflect.Value) []error {
	if text := strings.TrimSpace(string(raw)); text == "" || text == "null" {
		return []error{fmt.Errorf("%s: is empty; give it a value or leave it out", key)}
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
			return []error{fmt.Errorf("%s: must be %s, not %s", key, kindName(v.Type()), shown(raw))}
		}
		return nil
	}
	members := map[string]json.RawMessage{}
	fields := fieldsOf(v.Type())
	if err := json.Unmarshal(raw, &members); err != nil {
		return []error{fmt.Errorf("%s: must be an object with any of the keys %s, not %s", key, strings.Join(sortedKeys(fields), ", "), shown(raw))}
	}
	faults := repeated(key, raw)
	for _, name := range sortedKeys(members) {
		index, ok := fields[name]
		if !ok {
			faults = append(faults, fmt.Errorf("%s.%s: there is no such key; allowed are %s", key, name, strings.Join(sortedKeys(fields), ", ")))
			continue
		}
		faults = append(faults, decode(key+"."+name, members[name], v.FieldByIndex(index))...)
	}
	return faults
}

// repeated reports members that an object has twice: encoding/json takes the
// last one and says nothing. raw is a whole object.
func repeated(key string, raw []byte) []error {
	var faults []error
	seen := map[any]int{}
	reader := json.NewDecoder(bytes.NewReader(raw))
	_, err := reader.Token() // {
	for err == nil && reader.More() {
		var name json.Token
		if name, err = reader.Token(); err != nil {
			break
		}
		if seen[name]++; seen[name] == 2 {
			faults = append(faults, fmt.Errorf("%s.%s: is there twice; keep one of them", key, name))
		}
		err = reader.Decode(new(json.RawMessage))
	}
	if err != nil {
		faults = append(faults, fmt.Errorf("%s: %w", key, err))
	}
	return faults
}

// shown is a value for a message, unless it holds a URL, in which a token may be.
func shown(raw []byte) string {
	if bytes.Contains(raw, []byte("://")) {
		return "its value (not shown, a URL is in it)"
	}
	return string(raw)
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list of texts"
	default:
		return "a text"
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
