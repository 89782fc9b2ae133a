package model

import (
	"context"
	"math"
)

// activations by transformers' names; each works in place.
var activations = map[string]func([]float32){
	"gelu": each(func(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }),
	// the tanh approximation, under its two names
	"gelu_new":          each(geluTanh),
	"gelu_pytorch_tanh": each(geluTanh),
	"relu":              each(func(x float64) float64 { return max(x, 0) }),
	"silu":              each(func(x float64) float64 { return x / (1 + math.Exp(-x)) }),
}

func geluTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func each(f func(float64) float64) func([]float32) {
	return func(v []float32) {
		for i, x := range v {
			v[i] = float32(f(float64(x)))
		}
	}
}

// buffers are one forward pass's working memory.
type buffers struct {
	hidden, normed, query, key, value, inner matrix
}

func newMatrix(rows, columns int) matrix {
	return matrix{make([]float32, rows*columns), rows, columns}
}

// forward runs the network on patches, one row of channel-major pixel values
// for each patch in reading order. It returns one logit per label.
func (m *Model) forward(ctx context.Context, patches matrix) ([]float32, error) {
	c, n := m.config, m.network
	t, d := c.tokens(), c.Hidden
	b := &buffers{
		hidden: newMatrix(t, d), normed: newMatrix(t, d),
		query: newMatrix(t, d), key: newMatrix(t, d), value: newMatrix(t, d), inner: newMatrix(t, c.Inner),
	}
	copy(b.hidden.data, n.cls)
	n.patches.apply(matrix{b.hidden.data[d:], t - 1, d}, patches)
	add(b.hidden.data, n.positions)
	for i := range n.layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.block(&n.layers[i], b)
	}
	first := matrix{b.hidden.data[:d], 1, d}
	normalise(first, first, n.final, c.Epsilon)
	logits := newMatrix(1, len(c.labels))
	n.classifier.apply(logits, first)
	return logits.data, nil
}

// block is one encoder layer: attention and a two-layer network, each on
// normalised input and added to what came in.
func (m *Model) block(l *layer, b *buffers) {
	normalise(b.normed, b.hidden, l.before, m.config.Epsilon)
	l.query.apply(b.query, b.normed)
	l.key.apply(b.key, b.normed)
	l.value.apply(b.value, b.normed)
	attend(b.normed, b.query, b.key, b.value, m.config.Heads)
	l.out.apply(b.query, b.normed)
	add(b.hidden.data, b.query.data)

	normalise(b.normed, b.hidden, l.after, m.config.Epsilon)
	l.up.apply(b.inner, b.normed)
	act := activations[m.config.Activation]
	parallel(b.inner.rows, func(from, to int) { act(b.inner.data[from*b.inner.step : to*b.inner.step]) })
	l.down.apply(b.normed, b.inner)
	add(b.hidden.data, b.normed.data)
}

// attend writes softmax(q k^T / sqrt(d)) v to dst, head by head.
func attend(dst, query, key, value matrix, heads int) {
	t, size := query.rows, query.step/heads
	scale := float32(1 / math.Sqrt(float64(size)))
	parallel(heads, func(from, to int) {
		scores := newMatrix(t, t)
		keys := make([]float32, panelled(t)*size)
		values := make([]float32, panelled(size)*t)
		for h := from; h < to; h++ {
			at := h * size
			packPanels(keys, key.data[at:], t, size, key.step, 1)
			packPanels(values, value.data[at:], size, t, 1, value.step)
			multiply(scores, matrix{query.data[at:], t, query.step}, keys, nil, size, t, 0, panelled(t)/panel)
			for r := range t {
				softmax(scores.row(r, t), scale)
			}
			multiply(matrix{dst.data[at:], t, dst.step}, scores, values, nil, t, size, 0, panelled(size)/panel)
		}
	})
}

// softmax of scale*v, in place.
func softmax(v []float32, scale float32) {
	top := float32(math.Inf(-1))
	for _, x := range v {
		top = max(top, x)
	}
	var sum float32
	for i, x := range v {
		v[i] = float32(math.Exp(float64((x - top) * scale)))
		sum += v[i]
	}
	for i := range v {
		v[i] /= sum
	}
}

// normalise gives each row of x mean 0 and variance 1, then gain and bias.
// dst may be x.
func normalise(dst, x matrix, n norm, epsilon float64) {
	for r := range x.rows {
		in, out := x.row(r, x.step), dst.row(r, x.step)
		var mean, variance float64
		for _, v := range in {
			mean += float64(v)
		}
		mean /= float64(len(in))
		for _, v := range in {
			variance += (float64(v) - mean) * (float64(v) - mean)
		}
		scale := 1 / math.Sqrt(variance/float64(len(in))+epsilon)
		for i, v := range in {
			out[i] = float32((float64(v)-mean)*scale)*n.gain[i] + n.bias[i]
		}
	}
}

func add(dst, v []float32) {
	for i := range dst {
		dst[i] += v[i]
	}
}
