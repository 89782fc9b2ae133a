package e2e_test

import (
	"strings"
	"testing"

	"vinfast-classifier/e2e/cloud"
)

// TestBadConfig sets one fault of each kind: every one is named in one error, and nothing was made.
func TestBadConfig(t *testing.T) {
	t.Parallel()
	account := cloud.Start(t, theTools.Python, ".", region)
	before := inventory(t, account)
	s := newStack(t, account, "dev")
	faults := []struct{ path, value, named string }{
		{"networks.cidr", "10.20.0.0/16", "networks"},                  // no such key
		{"web.instanceTyp", "t3.small", "web.instanceTyp"},             // no such key one level down
		{"network.cidr", "192.0.2.0/24", "network.cidr"},               // not private
		{"network.azCount", "many", "network.azCount"},                 // not a number
		{"database.instanceType", "t2.micro", "database.instanceType"}, // not Nitro
		{"logs.retentionDays", "2", "logs.retentionDays"},              // not one of the allowed
		{"backup.timezone", "Mars/Olympus", "backup.timezone"},         // no such zone
		{"web.domain", "cars.example.com", "web.domain"},               // not yet
	}
	for _, fault := range faults {
		s.Set(t, fault.path, fault.value)
	}
	for _, command := range [][]string{{"preview"}, {"up", "--yes", "--skip-preview"}} {
		output, err := s.Run(t.Context(), "bad config: "+command[0], planLimit, command...)
		if err == nil {
			t.Errorf("%s accepts the configuration", command[0])
		}
		for _, fault := range faults {
			if !strings.Contains(output, fault.named+": ") {
				t.Errorf("%s does not name %s=%s in\n%s", command[0], fault.path, fault.value, output)
			}
		}
		sameInventory(t, before, inventory(t, account))
	}
}
