package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vinfast-classifier/e2e/boot"
	"vinfast-classifier/e2e/tools"
)

// waits checks that the app runs without a database whose password is not there yet, and says so.
func (s *site) waits(t *testing.T, w *boot.Machine) {
	if value := s.parameter(t, passwordParameter); value != "unset" {
		t.Fatalf("the password is there before the database instance: %q", value)
	}
	await(t, w, "the app to answer", func(ctx context.Context) error {
		status, text, err := s.ask(ctx, http.MethodGet, "/readyz", "", nil)
		if err == nil && status != http.StatusServiceUnavailable {
			t.Fatalf("without a database /readyz answers %d %s", status, text)
		}
		return err
	})
}

// replaced boots another root file system in the instance's stead while the artifact it fetches is damaged: it is refused and
// asked for again until the right one is there.
func (s *site) replaced(t *testing.T, old *boot.Machine, volumes ...boot.Volume) *boot.Machine {
	t.Helper()
	variable := "MYSQL_KEY="
	if len(volumes) == 0 {
		variable = "APP_KEY="
	}
	_, rest, _ := strings.Cut(old.UserData, variable)
	key, _, _ := strings.Cut(rest, "\n")
	bucket := s.artifacts(t)
	right := s.object(t, bucket, key)
	put := func(content []byte) {
		must[*s3.PutObjectOutput](t, "put "+key)(s.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)}))
	}
	if old.Running() {
		old.PowerOff(t)
	}
	m := boot.New(t, s.base, old.Settings)
	for _, volume := range volumes {
		m.Attach(t, volume)
	}
	put(bytes.Repeat([]byte("damaged"), 1000))
	m.Boot(t)
	s.refused(t, m, key+" does not have the digest")
	put(right)
	s.up(t, m)
	return m
}

// refused waits until the boot script has refused and, started again by systemd, refused again.
func (s *site) refused(t *testing.T, m *boot.Machine, why string) {
	t.Helper()
	await(t, m, "the boot script to refuse twice", func(ctx context.Context) error {
		journal, err := m.Try(ctx, "journalctl", "--unit=vinfast-boot.service", "--output=cat", "--no-pager")
		if err == nil && strings.Count(journal, why) < 2 {
			err = errors.New("not yet refused twice: " + why)
		}
		return err
	})
}

// otherVolume offers the instance a volume with somebody's ext4 on it.
func (s *site) otherVolume(t *testing.T, old *boot.Machine) {
	other := boot.NewVolume(t, s.volume.ID, 64<<20)
	if text, err := tools.Command(t.Context(), "mkfs.ext4", "-q", other.Device).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v\n%s", err, text)
	}
	before := other.Digest(t)
	if old.Running() {
		old.PowerOff(t)
	}
	m := boot.New(t, s.base, old.Settings)
	m.Attach(t, other)
	m.Boot(t)
	s.refused(t, m, "is neither blank nor xfs")
	m.PowerOff(t)
	if other.Digest(t) != before {
		t.Error("the volume with ext4 was written to")
	}
}
