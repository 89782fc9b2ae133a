package model

import (
	"runtime"
	"sync"
)

// panel is how many outputs the kernel makes at once. Weights lie in panels:
// for each panel of outputs, for each input, the panel's weights side by side.
const panel = 4

// linear is y = x W^T + b.
type linear struct {
	in, out int
	panels  []float32
	bias    []float32 // nil for none
}

// pack takes the weights in PyTorch's order, [out][in].
func (l *linear) pack(w []float32) {
	l.panels = packPanels(make([]float32, panelled(l.out)*l.in), w, l.out, l.in, l.in, 1)
}

// panelled rounds n up to whole panels.
func panelled(n int) int { return (n + panel - 1) / panel * panel }

// packPanels lays w, whose element (o, i) is w[o*ostep+i*istep], out for the
// kernel. Outputs that only fill the last panel are zero.
func packPanels(dst, w []float32, out, in, ostep, istep int) []float32 {
	for p := 0; p < panelled(out); p += panel {
		block := dst[p*in : (p+panel)*in]
		for j := range panel {
			for i := range in {
				var v float32
				if p+j < out {
					v = w[(p+j)*ostep+i*istep]
				}
				block[i*panel+j] = v
			}
		}
	}
	return dst
}

// matrix is a row-major view: element (r, c) is data[r*step+c].
type matrix struct {
	data       []float32
	rows, step int
}

func (m matrix) row(r, width int) []float32 { return m.data[r*m.step : r*m.step+width] }

// apply writes x W^T + b to dst, on all cores.
func (l *linear) apply(dst, x matrix) {
	parallel(panelled(l.out)/panel, func(from, to int) {
		multiply(dst, x, l.panels, l.bias, l.in, l.out, from, to)
	})
}

// rowBlock rows of x are used with each panel before the next panel is
// fetched: 64 rows of 768 floats stay in a core's second-level cache.
const rowBlock = 64

// multiply computes the panels from up to (not including) to.
func multiply(dst, x matrix, panels, bias []float32, in, out, from, to int) {
	for r0 := 0; r0 < x.rows; r0 += rowBlock {
		r1 := min(r0+rowBlock, x.rows)
		for p := from; p < to; p++ {
			w := panels[p*panel*in : (p+1)*panel*in]
			for r := r0; r < r1; r += 2 {
				s := min(r+1, r1-1) // an odd last row is done twice
				a, b := kernel(x.row(r, in), x.row(s, in), w)
				store(dst, r, p*panel, out, &a, bias)
				store(dst, s, p*panel, out, &b, bias)
			}
		}
	}
}

func store(dst matrix, r, column, out int, sums *[panel]float32, bias []float32) {
	row := dst.row(r, out)[column:]
	row = row[:min(len(row), panel)]
	for j := range row {
		row[j] = sums[j]
		if bias != nil {
			row[j] += bias[column+j]
		}
	}
}

// kernel multiplies two rows of inputs with one panel of weights.
func kernel(x, y, w []float32) (a, b [panel]float32) {
	var a0, a1, a2, a3, b0, b1, b2, b3 float32
	y = y[:len(x)]
	w = w[:panel*len(x)]
	for i, u := range x {
		v, q := y[i], w[panel*i:panel*i+panel:panel*i+panel]
		a0 += u * q[0]
		a1 += u * q[1]
		a2 += u * q[2]
		a3 += u * q[3]
		b0 += v * q[0]
		b1 += v * q[1]
		b2 += v * q[2]
		b3 += v * q[3]
	}
	return [panel]float32{a0, a1, a2, a3}, [panel]float32{b0, b1, b2, b3}
}

// parallel splits 0..n into one range for each core and waits for all.
func parallel(n int, do func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		do(0, n)
		return
	}
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { do(n*i/workers, n*(i+1)/workers) })
	}
	wg.Wait()
}
