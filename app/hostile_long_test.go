//go:build long && !unit

package main_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestLongManyBombsAtOnce: what is decoded at once is bounded by memory; who does
// not fit is told to come back.
func TestLongManyBombsAtOnce(t *testing.T) {
	s := newPlainSystem(t)
	a := s.start()
	big := bomb(t, 7000, 7000, 7000*(1+3*7000)) // within the limits, 150 MB when decoded
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			status, _, err := a.post(context.Background(), big, "")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	wg.Wait()
	t.Logf("statuses %v, %d MiB resident at most", statuses, a.resident(t)>>20)
	if statuses[201]+statuses[503] != 24 || statuses[201] == 0 {
		t.Errorf("statuses %v", statuses)
	}
	if got := a.resident(t); got > residentBound {
		t.Errorf("%d MiB resident, more than %d", got>>20, residentBound>>20)
	}
}

// TestLongSlowConnections: ten thousand that never finish their header take bounded
// memory, and are gone again soon.
func TestLongSlowConnections(t *testing.T) {
	const many = 10_000
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if limit.Max < many+1000 {
		t.Fatalf("this process may open %d files; the test needs %d (ulimit -Hn)", limit.Max, many+1000)
	}
	limit.Cur = limit.Max
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	s := newPlainSystem(t)
	a := s.start()
	var mu sync.Mutex
	var conns []net.Conn
	t.Cleanup(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	var wg sync.WaitGroup
	dialer := net.Dialer{Timeout: time.Second} // the kernel's queue may be full
	work := make(chan int)
	for range 200 {
		wg.Go(func() {
			for range work {
				conn, err := dialer.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
				if err != nil {
					continue
				}
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
				mu.Lock()
				conns = append(conns, conn)
				mu.Unlock()
			}
		})
	}
	for i := range many {
		work <- i
	}
	close(work)
	wg.Wait()
	t.Logf("%d connections stand, %d MiB resident at most", len(conns), a.resident(t)>>20)
	s.await("the app answers again", func() bool { return get(a.url+"/healthz") == http.StatusOK })
	status, _, err := a.post(t.Context(), picture(1), "")
	if err != nil || status != http.StatusCreated {
		t.Errorf("afterwards: %d, %v", status, err)
	}
	if got := a.resident(t); got > residentBound {
		t.Errorf("%d MiB resident, more than %d", got>>20, residentBound>>20)
	}
}
