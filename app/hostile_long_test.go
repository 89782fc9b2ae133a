//go:build long && !unit

package main_test

import (
	"context"
	"sync"
	"testing"
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
