package main_test

import (
	"regexp"
	"strings"
	"testing"

	"vinfast-classifier/local/program"
)

// Imports point one way; and the demo model never gets into the binary that is
// deployed.
func TestImportsPointOneWay(t *testing.T) {
	for pkg, forbidden := range map[string]string{
		".":             `^vinfast-classifier/(local|infra)`,
		"./car":         `^(net/http|database/sql|github\.com/(aws|go-sql-driver)/.*)|^vinfast-classifier/(app/[^c]|local|infra)`,
		"./web":         `^vinfast-classifier/app/(doctor|reindex|sagemaker|photostore|predictions|spool|thumbs|keyfile)$`,
		"./photo":       `^(net/http|database/sql|github\.com/aws/.*)$|^vinfast-classifier/(app/([^p]|p[^h]|photos)|local|infra)`,
		"./thumbs":      `^vinfast-classifier/(app/[^t]|local|infra)`,
		"./keyfile":     `^vinfast-classifier/(app/[^k]|local|infra)`,
		"./sagemaker":   `^vinfast-classifier/app/(doctor|reindex|web|photostore|predictions|spool)$`,
		"./photostore":  `^vinfast-classifier/app/(doctor|reindex|web|sagemaker|predictions|spool)$`,
		"./predictions": `^vinfast-classifier/app/(doctor|reindex|web|sagemaker|photostore|spool)$`,
		"./spool":       `^vinfast-classifier/app/(doctor|reindex|web|sagemaker|photostore|predictions)$`,
		"./doctor":      `^vinfast-classifier/(app/(web|reindex)|local|infra)`,
		"./reindex":     `^vinfast-classifier/(app/(web|sagemaker|spool|doctor)|local|infra)`,
		"../infra":      `^vinfast-classifier/(app|local)`,
		"../local":      `^vinfast-classifier/(app|infra)`,
	} {
		out, err := program.Command(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		bad := regexp.MustCompile(forbidden)
		for dep := range strings.Lines(string(out)) {
			if dep = strings.TrimSpace(dep); bad.MatchString(dep) {
				t.Errorf("%s depends on %s", pkg, dep)
			}
		}
	}
}
