package boot

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Forward makes a server of this machine answer inside the namespace, on a port of the instance's loopback, and returns its
// address there.
func (h Host) Forward(t *testing.T, target string) string {
	t.Helper()
	listener := h.Listen(t, "127.0.0.1:0")
	var all sync.WaitGroup
	all.Go(func() {
		for {
			inside, err := listener.Accept()
			if err != nil {
				return // closed below
			}
			all.Go(func() { join(t, inside, target) })
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Errorf("end the way to %s: %v", target, err)
		}
		all.Wait()
	})
	return listener.Addr().String()
}

// join copies both ways until either end closes. What breaks off is for the two ends to see.
func join(t *testing.T, inside net.Conn, target string) {
	defer inside.Close()
	outside, err := net.Dial("tcp", target)
	if err != nil {
		t.Logf("an instance reaches for %s: %v", target, err)
		return
	}
	defer outside.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := io.Copy(outside, inside); err == nil {
			_ = errors.Join(outside.(*net.TCPConn).CloseWrite())
		}
	}()
	_, _ = io.Copy(inside, outside)
	_ = inside.Close()
	<-done
}
