//go:build !unit

package doctor_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vinfast-classifier/app/predictions"
	"vinfast-classifier/local/database"
	"vinfast-classifier/local/endpoint"
	"vinfast-classifier/local/objectstore"
	"vinfast-classifier/local/program"
)

const (
	bucket    = "vinfast-test-images"
	modelName = "vinfast-test"
	region    = "us-east-1"
)

// world is the real servers that all tests of this package share: SSM and
// CloudWatch Logs of moto, S3, SageMaker Runtime, and MySQL over TLS.
var world struct {
	moto, s3, model string // host:port
	refuse          atomic.Value
	db              *database.Server
	ca              authority
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "doctor")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code, err := setUp(m, dir)
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

func setUp(m *testing.M, dir string) (int, error) {
	end, err := startMoto()
	if err != nil {
		return 1, err
	}
	defer end()
	if world.ca, err = newAuthority(); err != nil {
		return 1, err
	}
	files, err := world.ca.issue(dir)
	if err != nil {
		return 1, err
	}
	if world.db, err = database.Start(context.Background(), database.Options{Dir: filepath.Join(dir, "db"), TLS: &files}); err != nil {
		return 1, fmt.Errorf("these tests need a MariaDB or MySQL server: %w", err)
	}
	defer world.db.Kill()
	connector, err := predictions.FromDSN(world.db.DSN())
	if err != nil {
		return 1, err
	}
	rows := predictions.Open(connector, bucket)
	if err := errors.Join(rows.Migrate(context.Background()), rows.Close()); err != nil {
		return 1, err
	}
	store, closer, err := objectstore.New(filepath.Join(dir, "objects"), slog.New(slog.DiscardHandler), bucket)
	if err != nil {
		return 1, err
	}
	defer closer.Close()
	world.refuse.Store("")
	objects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == world.refuse.Load() {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
			return
		}
		store.ServeHTTP(w, r)
	}))
	defer objects.Close()
	container := httptest.NewServer(endpoint.Container(endpoint.Fixed{Scores: []endpoint.Score{{Score: 0.9, Label: "Vinfast_VF_8"}}}, 2))
	defer container.Close()
	api := endpoint.Runtime{Endpoint: modelName, Region: region, Account: "000000000000", Container: container.URL, Timeout: time.Minute}
	runtime := httptest.NewServer(api.Handler())
	defer runtime.Close()
	world.s3, world.model = objects.Listener.Addr().String(), runtime.Listener.Addr().String()
	return m.Run(), nil
}

// startMoto runs the emulator; it ends with this process, however that ends.
func startMoto() (end func(), err error) {
	python := os.Getenv("VINFAST_TEST_PYTHON")
	if python == "" {
		python = filepath.Join("..", "..", ".local", "venv", "bin", "python")
	}
	cmd := program.Command(context.Background(), python, filepath.Join("testdata", "aws.py"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: run make test-deps", err)
	}
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s does not run moto (%w): run make test-deps", python, err)
	}
	world.moto = net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
	return func() { _, _ = in.Close(), cmd.Wait() }, nil
}

// authority is a certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string
}

func newAuthority() (authority, error) {
	return authorityUntil(time.Now().Add(20 * 365 * 24 * time.Hour))
}

func authorityUntil(end time.Time) (authority, error) {
	a := authority{certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return a, err
	}
	der, err := x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, a.key.Public(), a.key)
	a.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a, err
}

// issue writes a certificate for 127.0.0.1 into dir.
func (a authority) issue(dir string) (database.TLS, error) {
	files := database.TLS{CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return files, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, key.Public(), a.key)
	if err != nil {
		return files, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return files, err
	}
	return files, errors.Join(
		os.WriteFile(files.CA, []byte(a.pem), 0o600),
		os.WriteFile(files.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}
