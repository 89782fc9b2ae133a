package stack

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// event is what is read here of the engine's events: one for each step that begins.
type event struct {
	Step *struct {
		Metadata struct {
			Op    string   `json:"op"`
			URN   string   `json:"urn"`
			Type  string   `json:"type"`
			Diffs []string `json:"diffs"`
		} `json:"metadata"`
	} `json:"resourcePreEvent"`
}

// Diff runs a pulumi command that has to succeed and returns what it did, or would do: one line for each resource that
// does not stay as it is, sorted:
//
//   - type name                  made
//     ~ type name [properties]     changed in place
//     +- type name [properties]    replaced, the new one made before the old one goes
//     -+ type name [properties]    replaced, the old one gone before the new one is made
//   - type name                  deleted
//
// The properties are the inputs that differ.
func (s *Stack) Diff(t *testing.T, phase string, limit time.Duration, args ...string) []string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "events.json")
	s.Must(t, phase, limit, append(args, "--event-log", log)...)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatalf("read the events of pulumi %s: %v", strings.Join(args, " "), err)
	}
	changes, err := readEvents(text)
	if err != nil {
		t.Fatalf("read the events of pulumi %s: %v", strings.Join(args, " "), err)
	}
	return changes
}

func readEvents(log []byte) ([]string, error) {
	// The steps of a replacement follow one another: which of them comes first tells the two kinds apart.
	signs := map[string]string{"create": "+", "update": "~", "delete": "-", "create-replacement": "+-", "delete-replaced": "-+"}
	found := map[string]string{}
	properties := map[string][]string{}
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("read the event %q: %w", lines.Text(), err)
		}
		if e.Step == nil || signs[e.Step.Metadata.Op] == "" {
			continue
		}
		step := e.Step.Metadata
		name := strings.TrimPrefix(step.Type, "aws:") + " " + step.URN[strings.LastIndex(step.URN, "::")+2:]
		if found[name] == "" {
			found[name] = signs[step.Op]
		}
		properties[name] = append(properties[name], step.Diffs...)
	}
	var changes []string
	for name, sign := range found {
		change := sign + " " + name
		if list := slices.Compact(slices.Sorted(slices.Values(properties[name]))); len(list) > 0 {
			change += " " + fmt.Sprint(list)
		}
		changes = append(changes, change)
	}
	slices.Sort(changes)
	return changes, lines.Err()
}
