package doctor

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"vinfast-classifier/app/predictions"
)

// Settings is what the app runs with, and how this machine is looked at.
type Settings struct {
	Version   string
	AWS       aws.Config // region, credentials, endpoints
	Listen    string     // of the app, host:port
	Endpoint  string     // of SageMaker
	Bucket    string
	SharedDir string
	SpoolDir  string
	LogFile   string // empty: the app logs to standard error only
	LogGroup  string // empty: nobody ships the log file
	Database  Database
	Machine   Machine
}

// Database is the app's account, or a DSN in its place.
type Database struct {
	Examine           func(context.Context) (predictions.Examination, error)
	DSN               bool   // no parameters and no certificate to look at
	Secret            string // to be kept out of the report: the DSN's password
	PasswordParameter string
	CAParameter       string
}

// Machine is how the checks see the machine and the network. The zero value
// is the real one; tests bring what they cannot have.
type Machine struct {
	EC2       func() bool
	Lookup    func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	MountInfo string           // default /proc/self/mountinfo
	Now       func() time.Time // default time.Now
	LogPause  time.Duration    // between two looks for the log event; default 3 s
	LogLimit  time.Duration    // until the log event must have come; default 90 s
}

func (m *Machine) defaults() {
	if m.EC2 == nil {
		m.EC2 = isEC2
	}
	if m.Lookup == nil {
		m.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		}
	}
	if m.Dial == nil {
		m.Dial = new(net.Dialer).DialContext
	}
	if m.MountInfo == "" {
		m.MountInfo = "/proc/self/mountinfo"
	}
	if m.Now == nil {
		m.Now = time.Now
	}
	if m.LogPause == 0 {
		m.LogPause = 3 * time.Second
	}
	if m.LogLimit == 0 {
		m.LogLimit = 90 * time.Second
	}
}

// isEC2 asks the firmware, which tells also when the metadata service does not
// answer: on an instance that is a fault, elsewhere it is not.
func isEC2() bool {
	vendor, err := os.ReadFile("/sys/class/dmi/id/sys_vendor")
	return err == nil && strings.TrimSpace(string(vendor)) == "Amazon EC2"
}

// doctor is one run.
type doctor struct {
	Settings

	mu      sync.Mutex
	secrets []string
}

// keep remembers a secret, so that it gets into no line of the report.
func (d *doctor) keep(secret string) {
	if len(secret) < 4 {
		return // would mask half of every text
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secrets = append(d.secrets, secret)
}

func (d *doctor) mask(text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}

// guide is where the operations guide explains a matter. A test holds the
// sections against the guide.
func guide(section string) string { return " See docs/operations.md#" + section }

// checks lists every question, in the order of the report.
func (d *doctor) checks() []check {
	d.Machine.defaults()
	d.keep(d.Database.Secret)
	const quick, network = 5 * time.Second, 20 * time.Second
	list := []check{
		{"identity", quick, "The instance has no identity: look at its instance profile and metadata options in the EC2 console.", d.identity},
		{"clock", network, "Set the clock: systemctl restart chronyd. AWS refuses requests that are five minutes off.", d.clock},
		{"disk", quick, "Make room: journalctl --vacuum-size=100M, then look for what grows: du -xh / | sort -h | tail.", d.disk},
		{"shared folder", network, "Look at: systemctl status srv-vinfast.mount; journalctl -u vinfast-boot." + guide("restore-the-shared-files"), d.shared},
		{"spool", quick, "Uploads wait for S3 or MySQL." + guide("the-spool"), d.spool},
		{"address s3", network, "The name must resolve: look at enableDnsSupport of the VPC.", d.addressS3},
	}
	for _, e := range endpoints {
		list = append(list, check{"address " + e.name, network,
			"It must be a private address that answers: look at the VPC endpoint " + e.name + ", its private DNS, subnet and security group.", d.address(e)})
	}
	return append(list,
		check{"bucket", network, "Look at the S3 gateway's route and policy, and at the rights of the instance's role.", d.bucket},
		check{"password parameter", network, "The database instance fills it in at its first boot: sudo vinfast-doctor there.", d.passwordParameter},
		check{"CA parameter", network, "The database instance fills it in at every boot: sudo vinfast-doctor there.", d.caParameter},
		check{"database", network, "sudo vinfast-doctor on the database instance.", d.database},
		check{"model", 65 * time.Second, "Is model.enabled true, and the endpoint in service? aws sagemaker describe-endpoint." + guide("switch-the-endpoint-off-and-on"), d.model},
		check{"log event", d.Machine.LogLimit + network, "Look at the agent: systemctl status amazon-cloudwatch-agent." + guide("read-the-logs"), d.logEvent},
		check{"web app", network, "Look at: journalctl -u vinfast -n 50. Its answer names the part that is down.", d.app},
	)
}
