package e2e_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"

	"vinfast-classifier/e2e/boot"
	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/tools"
)

// bootLimit ends a hang; no test is decided by how fast an instance is.
const bootLimit = 10 * time.Minute

// site is a deployed stack whose instances are started: the places in the network that they have, and the volume.
type site struct {
	system
	base          tools.BootRoot
	database, web boot.Host
	volume        boot.Volume
}

// TestBoot brings the stack up and executes the user data of its instances.
func TestBoot(t *testing.T) {
	started := time.Now()
	base, err := tools.PrepareBootRoot(t.Context(), ".", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	report.Add("boot: root file system", time.Since(started), 0, "")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(must[string](t, "compare with the last boot")(base.Moved()))
		}
	})
	s := newSite(t, base)
	d, w := s.newDatabase(t), s.newWeb(t)
	phase(t, "boot: web, shared files failing twice", func() {
		w.Write(t, "var/lib/machine/efs-failures", "2\n", 0o644)
		w.Boot(t)
		s.up(t, w)
		s.waits(t, w)
	})
	phase(t, "boot: database, app ready", func() {
		d.Boot(t)
		d.Attach(t, s.volume) // after the instance, as on EC2
		s.up(t, d)
		s.ready(t, w)
	})
	t.Run("environment", func(t *testing.T) { startsClean(t, d) })
	t.Run("database", func(t *testing.T) { s.checkDatabase(t, d) })
	t.Run("web", func(t *testing.T) { s.checkWeb(t, w) })
	t.Run("classification", func(t *testing.T) { s.classify(t, d) })
	t.Run("dump", func(t *testing.T) { s.dump(t, d) })
	t.Run("second boot", func(t *testing.T) { s.secondBoot(t, d, w) })
	before := s.kept(t, d)
	phase(t, "boot: another database instance, damaged MySQL", func() { d = s.replaced(t, d, s.volume) })
	s.ready(t, w)
	if after := s.kept(t, d); after != before {
		t.Errorf("another instance with the same volume changed\n%s\nto\n%s", before, after)
	}
	phase(t, "boot: another web instance, damaged app", func() {
		w = s.replaced(t, w)
		s.ready(t, w)
	})
	phase(t, "boot: a volume with something else", func() { s.otherVolume(t, d) })
}

// phase enters what do takes into the report.
func phase(t *testing.T, name string, do func()) {
	t.Helper()
	started := time.Now()
	do()
	report.Add(name, time.Since(started), 0, "")
}

func newSite(t *testing.T, base tools.BootRoot) *site {
	t.Helper()
	account := cloud.Start(t, theTools.Python, ".", region)
	stack := newStack(t, account, "dev")
	archive := must[[]byte](t, "read MySQL's archive")(os.ReadFile(base.MySQL))
	stack.Set(t, "database.mysqlUrl", "file://"+base.MySQL)
	stack.Set(t, "database.mysqlSha256", digest(archive))
	stack.Must(t, "boot: up", deployLimit, "up", "--yes", "--skip-preview")
	s := &site{system: system{Account: account, folder: stack.Folder, outputs: stack.Outputs(t)}, base: base}
	database, web := s.instance(t, s.output("databaseInstanceId")), s.system.web(t)
	hosts := boot.NewHosts(t, [2]string{aws.ToString(database.PrivateIpAddress), aws.ToString(web.PrivateIpAddress)})
	s.database, s.web = hosts[0], hosts[1]
	s.volume = s.newVolume(t, database)
	return s
}

// newVolume is the data volume of the instance, as big as AWS says.
func (s *site) newVolume(t *testing.T, instance ec2types.Instance) boot.Volume {
	t.Helper()
	answer := must[*ec2.DescribeVolumesOutput](t, "describe the data volume")(s.EC2.DescribeVolumes(t.Context(), &ec2.DescribeVolumesInput{
		VolumeIds: s.hardened(t, instance)}))
	volume := answer.Volumes[0]
	return boot.NewVolume(t, *volume.VolumeId, int64(*volume.Size)<<30)
}

// machine is an instance in its place in the network, with its user data and the ways to the emulated account.
func (s *site) machine(t *testing.T, instance ec2types.Instance, host boot.Host, memoryMiB int, more map[string]string) *boot.Machine {
	t.Helper()
	environment := map[string]string{
		"AWS_ENDPOINT_URL": "http://" + host.Forward(t, strings.TrimPrefix(s.Endpoint, "http://")),
		"RETRY_SECONDS":    "1", // of the scripts' own waits
	}
	maps.Copy(environment, more)
	host.ServeMetadata(t, boot.Identity{InstanceID: *instance.InstanceId, Region: region, Role: filepath.Base(*instance.IamInstanceProfile.Arn)})
	return boot.New(t, s.base, boot.Settings{Name: *instance.InstanceId, UserData: s.userData(t, instance), Host: host, MemoryMiB: memoryMiB, SharedOwner: s.sharedOwner(t),
		Environment: environment})
}

// sharedOwner is whom the access point's folder belongs to.
func (s *site) sharedOwner(t *testing.T) int {
	t.Helper()
	points := must[*efs.DescribeAccessPointsOutput](t, "list access points")(s.EFS.DescribeAccessPoints(t.Context(),
		&efs.DescribeAccessPointsInput{FileSystemId: aws.String(s.output("fileSystemId"))}))
	return int(*points.AccessPoints[0].RootDirectory.CreationInfo.OwnerUid)
}

func (s *site) newDatabase(t *testing.T) *boot.Machine {
	t.Helper()
	return s.machine(t, s.instance(t, s.output("databaseInstanceId")), s.database, 1900, nil) // t3.small
}

// up waits until the boot script has succeeded.
func (s *site) up(t *testing.T, m *boot.Machine) {
	t.Helper()
	await(t, m, "the boot script to succeed", func(ctx context.Context) error {
		_, err := m.Try(ctx, "systemctl", "is-active", "vinfast-boot.service")
		return err
	})
}

// await looks again until there is no error, and shows the instance's journal if that never happens.
func await(t *testing.T, m *boot.Machine, what string, look func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	for {
		err := look(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			journal, _ := m.Try(t.Context(), "journalctl", "--no-pager", "--lines=150", "--output=cat", "--no-hostname")
			t.Fatalf("waited %s for %s: %v\n%s", bootLimit, what, err, journal)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
