package model

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
)

const weightsFile = "model.safetensors"

// network holds the weights, laid out for the kernel.
type network struct {
	cls, positions []float32
	patches        linear
	layers         []layer
	final          norm
	classifier     linear
}

type layer struct {
	before, after          norm
	query, key, value, out linear
	up, down               linear
}

// norm is a layer normalisation.
type norm struct{ gain, bias []float32 }

// slot is a tensor that the file must have: its shape, and what to do with
// its values (which are the slot's to keep).
type slot struct {
	shape []int
	put   func([]float32)
}

// slots lists every tensor of the network under its published name.
func (n *network) slots(c *config) map[string]slot {
	s := map[string]slot{}
	const embeddings = "vit.embeddings."
	s[embeddings+"cls_token"] = keep(&n.cls, 1, 1, c.Hidden)
	s[embeddings+"position_embeddings"] = keep(&n.positions, 1, c.tokens(), c.Hidden)
	addLinear(s, embeddings+"patch_embeddings.projection", &n.patches, c.patchArea(), c.Hidden, true)
	s[embeddings+"patch_embeddings.projection.weight"] = slot{[]int{c.Hidden, 3, c.Patch.h, c.Patch.w}, n.patches.pack}
	n.layers = make([]layer, c.Layers)
	for i := range n.layers {
		l, prefix := &n.layers[i], fmt.Sprintf("vit.encoder.layer.%d.", i)
		addNorm(s, prefix+"layernorm_before", &l.before, c.Hidden)
		addNorm(s, prefix+"layernorm_after", &l.after, c.Hidden)
		addLinear(s, prefix+"attention.attention.query", &l.query, c.Hidden, c.Hidden, c.QKVBias)
		addLinear(s, prefix+"attention.attention.key", &l.key, c.Hidden, c.Hidden, c.QKVBias)
		addLinear(s, prefix+"attention.attention.value", &l.value, c.Hidden, c.Hidden, c.QKVBias)
		addLinear(s, prefix+"attention.output.dense", &l.out, c.Hidden, c.Hidden, true)
		addLinear(s, prefix+"intermediate.dense", &l.up, c.Hidden, c.Inner, true)
		addLinear(s, prefix+"output.dense", &l.down, c.Inner, c.Hidden, true)
	}
	addNorm(s, "vit.layernorm", &n.final, c.Hidden)
	addLinear(s, "classifier", &n.classifier, c.Hidden, len(c.labels), true)
	return s
}

func keep(dst *[]float32, shape ...int) slot {
	return slot{shape, func(v []float32) { *dst = v }}
}

func addNorm(s map[string]slot, name string, n *norm, size int) {
	s[name+".weight"] = keep(&n.gain, size)
	s[name+".bias"] = keep(&n.bias, size)
}

func addLinear(s map[string]slot, name string, l *linear, in, out int, bias bool) {
	l.in, l.out = in, out
	s[name+".weight"] = slot{[]int{out, in}, l.pack}
	if bias {
		s[name+".bias"] = keep(&l.bias, out)
	}
}

// loadNetwork reads model.safetensors. Nothing of the size of a tensor is
// allocated before the file is known to hold exactly the network of c.
func loadNetwork(fsys fs.FS, c *config) (*network, error) {
	f, err := fsys.Open(weightsFile)
	if errors.Is(err, fs.ErrNotExist) && hasPickle(fsys) {
		return nil, fmt.Errorf("the folder has pytorch_model.bin but no %s; convert it with transformers' save_pretrained", weightsFile)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", weightsFile, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat %s: %w", weightsFile, err)
	}
	r := bufio.NewReaderSize(f, 1<<16)
	tensors, err := readHeader(r, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", weightsFile, err)
	}
	n := &network{}
	slots := n.slots(c)
	if err := match(tensors, slots); err != nil {
		return nil, fmt.Errorf("%s: %w", weightsFile, err)
	}
	for _, t := range tensors {
		if err := fill(r, t, slots[t.name]); err != nil {
			return nil, fmt.Errorf("%s: tensor %q: %w", weightsFile, t.name, err)
		}
	}
	return n, nil
}

func hasPickle(fsys fs.FS) bool {
	_, err := fs.Stat(fsys, "pytorch_model.bin")
	return err == nil
}

// unused are tensors some published files carry though a classifier has no
// use for them; transformers drops them too.
var unused = []string{"vit.pooler.dense.weight", "vit.pooler.dense.bias"}

// match compares the file's tensors with those the network must have.
func match(tensors []tensor, slots map[string]slot) error {
	missing := map[string]bool{}
	total := 0
	for name, s := range slots {
		missing[name] = true
		total += product(s.shape)
	}
	if total > maxParameters {
		return fmt.Errorf("config.json asks for %d parameters; at most %d are supported", total, maxParameters)
	}
	for _, t := range tensors {
		s, ok := slots[t.name]
		if !ok && slices.Contains(unused, t.name) {
			continue
		}
		if !ok {
			return fmt.Errorf("tensor %q does not belong to the network config.json describes", t.name)
		}
		if !slices.Equal(t.shape, s.shape) {
			return fmt.Errorf("tensor %q has shape %v; config.json asks for %v", t.name, t.shape, s.shape)
		}
		delete(missing, t.name)
	}
	if len(missing) == 0 {
		return nil
	}
	names := make([]string, 0, len(missing))
	for name := range missing {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Errorf("%d tensors are missing: %s", len(names), strings.Join(names[:min(len(names), 3)], ", "))
}

// fill reads t's values into its slot; without one it skips them.
func fill(r io.Reader, t tensor, s slot) error {
	if s.put == nil {
		_, err := io.CopyN(io.Discard, r, t.end-t.begin)
		return noEOF(err)
	}
	values := make([]float32, product(t.shape))
	if err := readValues(r, t.dtype, values); err != nil {
		return err
	}
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("value %d is %v", i, v)
		}
	}
	s.put(values)
	return nil
}

func product(shape []int) int {
	n := 1
	for _, side := range shape {
		n *= side
	}
	return n
}
