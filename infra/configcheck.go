package infra

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // timezones are checked on machines that have no database of them
)

var (
	extraEndpoints = []string{"ec2", "ec2messages", "kms", "monitoring", "sts"}
	retentionDays  = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

	amiPattern      = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
	snapshotPattern = regexp.MustCompile(`^snap-[0-9a-f]{8,17}$`)
	sha256Pattern   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	revisionPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	hubPattern      = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[\w.-]+$`)
	tagPattern      = regexp.MustCompile(`^\w[\w.-]{0,127}$`)
	mlTypePattern   = regexp.MustCompile(`^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	// AWS Backup takes no rates, nothing more often than each hour, and a "?" for
	// the day of the month or of the week.
	schedulePattern = regexp.MustCompile(`^cron\([0-5]?\d \S+ (\? \S+ \S+|\S+ \S+ \?) \S+\)$`)
	stackPattern    = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)
)

// faults collects sentences of the form "key: what is allowed".
type faults []error

func (f *faults) unless(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// check returns every fault of the values, in the order of the fields.
func (c Config) check() []error {
	var f faults
	c.Network.check(&f)
	c.Web.check(&f)
	c.Database.check(&f)
	c.Model.check(&f)
	f.unless(slices.Contains(retentionDays, c.Logs.RetentionDays),
		"logs.retentionDays: %d is not one of %s", c.Logs.RetentionDays, strings.Trim(fmt.Sprint(retentionDays), "[]"))
	c.Backup.check(&f)
	checkLater(&f, "", reflect.ValueOf(c), reflect.ValueOf(DefaultConfig()))
	return f
}

// checkLater refuses what is planned and does not work yet.
func checkLater(f *faults, prefix string, v, standard reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := prefix + field.Tag.Get("json")
		if later, ok := field.Tag.Lookup("later"); ok {
			f.unless(reflect.DeepEqual(v.Field(i).Interface(), standard.Field(i).Interface()),
				"%s: not yet: %s does not work so far; leave it out", name, later)
			continue
		}
		if v.Field(i).Kind() == reflect.Struct {
			checkLater(f, name+".", v.Field(i), standard.Field(i))
		}
	}
}

func (n NetworkConfig) check(f *faults) {
	prefix, err := netip.ParsePrefix(n.CIDR)
	f.unless(err == nil && prefix.Addr().Is4() && prefix.Addr().IsPrivate() && prefix == prefix.Masked() && prefix.Bits() >= 16 && prefix.Bits() <= maxNetworkBits,
		"network.cidr: %q is not a private IPv4 range from /16 to /%d, such as 10.20.0.0/16", n.CIDR, maxNetworkBits)
	f.unless(n.AZCount >= 1 && n.AZCount <= maxZones, "network.azCount: %d is not 1 to %d", n.AZCount, maxZones)
	f.unless(n.EndpointAZCount >= 1 && n.EndpointAZCount <= n.AZCount,
		"network.endpointAzCount: %d is not 1 to network.azCount (%d)", n.EndpointAZCount, n.AZCount)
	for i, name := range n.ExtraEndpoints {
		f.unless(slices.Contains(extraEndpoints, name), "network.extraEndpoints: %q is not one of %s", name, strings.Join(extraEndpoints, ", "))
		f.unless(!slices.Contains(n.ExtraEndpoints[:i], name), "network.extraEndpoints: %q is there twice", name)
	}
}

func (w WebConfig) check(f *faults) {
	checkInstanceType(f, "web.instanceType", w.InstanceType)
	for i, cidr := range w.AllowedCIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		f.unless(err == nil && prefix.Addr().Is4() && prefix == prefix.Masked(),
			"web.allowedCidrs: %q is not an IPv4 range such as 203.0.113.7/32", cidr)
		f.unless(!slices.Contains(w.AllowedCIDRs[:i], cidr), "web.allowedCidrs: %q is there twice", cidr)
	}
	f.unless(w.AMIID == "" || amiPattern.MatchString(w.AMIID), "web.amiId: %q is not ami- and hex digits", w.AMIID)
}

func (d DatabaseConfig) check(f *faults) {
	if checkInstanceType(f, "database.instanceType", d.InstanceType) {
		f.unless(isNitro(d.InstanceType),
			"database.instanceType: %s is not a Nitro type, which the data volume's device name needs; take t3.small or another newer type", d.InstanceType)
		f.unless(!isARM(d.InstanceType) || d.MySQLURL != "",
			"database.instanceType: %s is arm64 and the built-in MySQL is x86_64; take an x86_64 type or set database.mysqlUrl and database.mysqlSha256 to an arm64 build", d.InstanceType)
	}
	f.unless(d.VolumeGiB >= 5 && d.VolumeGiB <= 16384, "database.volumeGiB: %d is not 5 to 16384", d.VolumeGiB)
	f.unless(d.SnapshotID == "" || snapshotPattern.MatchString(d.SnapshotID), "database.snapshotId: %q is not snap- and hex digits", d.SnapshotID)
	f.unless((d.MySQLURL == "") == (d.MySQLSHA256 == ""), "database.mysqlUrl and database.mysqlSha256: set both or neither")
	if d.MySQLURL != "" {
		u, err := url.Parse(d.MySQLURL)
		f.unless(err == nil && (u.Scheme == "https" || u.Scheme == "file") && tarName.MatchString(u.Path),
			"database.mysqlUrl: %q is not https://... or file://... with a name ending in .tar.xz or .tar.gz", plainURL(d.MySQLURL))
		if err == nil {
			// It becomes part of a key that the instance's scripts name.
			name := path.Base(u.Path)
			f.unless(plainPattern.MatchString(name), "database.mysqlUrl: the file's name %q may hold letters, digits and _ . : @ %% + , = - only", name)
		}
	}
	f.unless(d.MySQLSHA256 == "" || sha256Pattern.MatchString(d.MySQLSHA256), "database.mysqlSha256: %q is not 64 lower-case hex digits", d.MySQLSHA256)
	f.unless(d.AMIID == "" || amiPattern.MatchString(d.AMIID), "database.amiId: %q is not ami- and hex digits", d.AMIID)
}

func (m ModelConfig) check(f *faults) {
	f.unless(hubPattern.MatchString(m.HuggingFaceID), "model.huggingFaceId: %q is not owner/name", m.HuggingFaceID)
	f.unless(m.Revision == "" || revisionPattern.MatchString(m.Revision),
		"model.revision: %q is not a commit of 40 lower-case hex digits", m.Revision)
	f.unless(m.Revision == "" || m.DataPath == "", "model.revision: has no effect with model.dataPath; remove one of them")
	f.unless(tagPattern.MatchString(m.ImageTag), "model.imageTag: %q is not a container tag", m.ImageTag)
	f.unless(mlTypePattern.MatchString(m.InstanceType), "model.instanceType: %q is not a SageMaker type such as ml.m5.xlarge", m.InstanceType)
	f.unless(m.InstanceCount >= 1 && m.InstanceCount <= 10, "model.instanceCount: %d is not 1 to 10; to pay nothing set model.enabled to false", m.InstanceCount)
	if m.DataPath == "" {
		return
	}
	info, err := os.Stat(m.DataPath)
	f.unless(err == nil && (info.IsDir() || strings.HasSuffix(filepath.Base(m.DataPath), ".tar.gz")),
		"model.dataPath: %q is neither a folder nor a .tar.gz file here", m.DataPath)
	if err == nil && info.IsDir() {
		err := checkModelFolder(m.DataPath)
		f.unless(err == nil, "model.dataPath: %v", err)
	}
}

func (b BackupConfig) check(f *faults) {
	f.unless(schedulePattern.MatchString(b.Schedule), "backup.schedule: %q is not cron(...) with six fields: one minute, hours, day of month, month, day of week (one of the two days is ?), year, such as cron(0 10 * * ? *)", b.Schedule)
	_, err := time.LoadLocation(b.Timezone)
	f.unless(err == nil && b.Timezone != "" && b.Timezone != "Local", "backup.timezone: %q is not an IANA name such as Asia/Bangkok", b.Timezone)
	f.unless(b.StartWindowMinutes >= 60 && b.StartWindowMinutes <= 10080, "backup.startWindowMinutes: %d is not 60 to 10080", b.StartWindowMinutes)
	f.unless(b.CompletionWindowMinutes >= b.StartWindowMinutes+60 && b.CompletionWindowMinutes <= 100000,
		"backup.completionWindowMinutes: %d is not startWindowMinutes + 60 (%d) to 100000", b.CompletionWindowMinutes, b.StartWindowMinutes+60)
	f.unless(b.RetentionDays >= 1 && b.RetentionDays <= 36500, "backup.retentionDays: %d is not 1 to 36500", b.RetentionDays)
}

// checkStackName holds the stack's name to what the endpoint's name allows,
// "vinfast-<stack>" in at most 63 letters, digits and single hyphens. Capitals
// are out: SageMaker writes the endpoint's ARN in lower case, and policies
// compare ARNs letter by letter.
func checkStackName(stack string) error {
	if stackPattern.MatchString(stack) && len(stack) <= 40 {
		return nil
	}
	return fmt.Errorf("the stack's name %q must be at most 40 lower-case letters, digits and single hyphens: it becomes part of the endpoint's name, which SageMaker writes in lower case", stack)
}
