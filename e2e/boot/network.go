package boot

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"vinfast-classifier/e2e/tools"
)

// Host is a network namespace: the place in the network that an instance has, which a later one in its stead takes over.
type Host struct {
	Address string // the private IPv4
	name    string
}

// NewHosts makes two places in a network of their own and wires them to one another. Nothing of the machine's own network
// is touched, and nothing leads out.
func NewHosts(t *testing.T, addresses [2]string) (hosts [2]Host) {
	t.Helper()
	for i, address := range addresses {
		hosts[i] = Host{Address: address, name: fmt.Sprintf("vinfast-%d-%d", os.Getpid(), i)}
		ip(t, "netns", "add", hosts[i].name)
		t.Cleanup(func() { tell(t, tools.Command(context.Background(), "ip", "netns", "delete", hosts[i].name)) })
		ip(t, "-n", hosts[i].name, "link", "set", "lo", "up")
	}
	ip(t, "-n", hosts[0].name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", hosts[1].name)
	for _, host := range hosts {
		ip(t, "-n", host.name, "address", "add", host.Address+"/8", "dev", "eth0")
		ip(t, "-n", host.name, "link", "set", "eth0", "up")
		// Where the metadata service is.
		ip(t, "-n", host.name, "address", "add", metadataAddress+"/32", "dev", "lo")
	}
	return hosts
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if output, err := tools.Command(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// tell runs a command that cleans up, and makes its failure the test's.
func tell(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(command.Args, " "), err, output)
	}
}

func (h Host) file() string { return filepath.Join("/run/netns", h.name) }

// within calls do on a thread that is in the namespace. The thread ends with it: what do opens stays there.
func (h Host) within(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- h.enter(do)
	}()
	return <-done
}

func (h Host) enter(do func() error) error {
	namespace, err := os.Open(h.file())
	if err != nil {
		return fmt.Errorf("open the network namespace: %w", err)
	}
	defer namespace.Close()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network namespace %s: %w", h.name, err)
	}
	return do()
}

// Listen listens in the namespace.
func (h Host) Listen(t *testing.T, address string) net.Listener {
	t.Helper()
	var listener net.Listener
	err := h.within(func() (err error) {
		listener, err = net.Listen("tcp4", address)
		return err
	})
	if err != nil {
		t.Fatalf("listen on %s of %s: %v", address, h.name, err)
	}
	return listener
}

// Dial connects from inside the namespace; for http.Transport. The address is one with an IP, not a name.
func (h Host) Dial(ctx context.Context, network, address string) (connection net.Conn, err error) {
	err = h.within(func() (err error) {
		connection, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return connection, err
}
