package infra

import (
	"regexp"
	"slices"
	"strings"
)

// typePattern splits c7gn.xlarge into family, generation, attributes, size.
var typePattern = regexp.MustCompile(`^([a-z]+)(\d+)([a-z-]*)\.([a-z0-9-]+)$`)

// preNitro are the types AWS still runs on Xen; their volumes are not NVMe.
var preNitro = []string{"c1", "c3", "c4", "d2", "f1", "g2", "g3", "g3s", "h1", "i2", "i3", "m1", "m2", "m3", "m4", "p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e"}

// checkInstanceType reports whether name can be one of ours.
func checkInstanceType(f *faults, key, name string) bool {
	parts := typePattern.FindStringSubmatch(name)
	if parts == nil {
		f.unless(false, "%s: %q is not an EC2 instance type such as t3.small", key, name)
		return false
	}
	f.unless(parts[4] != "nano", "%s: %s has half a GiB of memory; take micro or larger", key, name)
	f.unless(parts[1] != "mac", "%s: %s runs macOS only; take t3.small", key, name)
	return parts[4] != "nano" && parts[1] != "mac"
}

// isNitro reports whether a type's volumes appear as NVMe devices.
func isNitro(name string) bool {
	family, _, _ := strings.Cut(name, ".")
	return !slices.Contains(preNitro, family)
}

// isARM reports whether a type has an arm64 processor: AWS writes a g behind
// the generation (t4g, c7gn, im4gn); the first generation was a1.
func isARM(name string) bool {
	parts := typePattern.FindStringSubmatch(name)
	return parts != nil && (strings.Contains(parts[3], "g") || parts[1]+parts[2] == "a1")
}

// goarch is the type's architecture as Go names it.
func goarch(name string) string {
	if isARM(name) {
		return "arm64"
	}
	return "amd64"
}
