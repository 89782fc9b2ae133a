package model_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing/fstest"
)

// entry is a tensor of a folder that a test builds.
type entry struct {
	Dtype string
	Shape []int
	Data  []byte
}

// tiny is a folder with one layer of four numbers, for an image of 4 by 4.
// Tests change its settings (nil takes one out) and tensors before files().
type tiny struct {
	config, processor map[string]any
	tensors           map[string]entry
}

func newTiny() *tiny {
	t := &tiny{
		config: map[string]any{
			"architectures": []string{"ViTForImageClassification"}, "model_type": "vit",
			"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 6, "hidden_act": "gelu",
			"layer_norm_eps": 1e-12, "image_size": 4, "patch_size": 2, "num_channels": 3, "qkv_bias": true,
			"id2label": map[string]string{"0": "no", "1": "yes", "2": "maybe"},
		},
		processor: map[string]any{
			"image_processor_type": "ViTImageProcessor", "do_resize": true, "size": map[string]int{"height": 4, "width": 4}, "resample": 2,
			"do_rescale": true, "rescale_factor": 1.0 / 255, "do_normalize": true, "image_mean": 0.5, "image_std": []float64{0.5, 0.5, 0.5},
		},
		tensors: map[string]entry{},
	}
	t.add("vit.embeddings.cls_token", 1, 1, 4)
	t.add("vit.embeddings.position_embeddings", 1, 5, 4)
	t.add("vit.embeddings.patch_embeddings.projection.weight", 4, 3, 2, 2)
	t.add("vit.embeddings.patch_embeddings.projection.bias", 4)
	for _, name := range []string{"attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense"} {
		t.add("vit.encoder.layer.0."+name+".weight", 4, 4)
		t.add("vit.encoder.layer.0."+name+".bias", 4)
	}
	for _, name := range []string{"vit.encoder.layer.0.layernorm_before", "vit.encoder.layer.0.layernorm_after", "vit.layernorm"} {
		t.add(name+".weight", 4)
		t.add(name+".bias", 4)
	}
	t.add("vit.encoder.layer.0.intermediate.dense.weight", 6, 4)
	t.add("vit.encoder.layer.0.intermediate.dense.bias", 6)
	t.add("vit.encoder.layer.0.output.dense.weight", 4, 6)
	t.add("vit.encoder.layer.0.output.dense.bias", 4)
	t.add("classifier.weight", 3, 4)
	t.add("classifier.bias", 3)
	return t
}

// add puts a float32 tensor of small, differing values.
func (t *tiny) add(name string, shape ...int) {
	n := 1
	for _, side := range shape {
		n *= side
	}
	var data []byte
	for i := range n {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32((i*7+len(name))%11-5)/10))
	}
	t.tensors[name] = entry{"F32", shape, data}
}

// file is what the header says of one tensor.
func (e entry) header(begin int) string {
	shape, _ := json.Marshal(e.Shape)
	return fmt.Sprintf(`{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, e.Dtype, shape, begin, begin+len(e.Data))
}

// safetensors writes the tensors in the order of their names.
func (t *tiny) safetensors() []byte {
	header, data := "{", []byte(nil)
	for i, name := range slices.Sorted(maps.Keys(t.tensors)) {
		if i > 0 {
			header += ","
		}
		header += fmt.Sprintf("%q:%s", name, t.tensors[name].header(len(data)))
		data = append(data, t.tensors[name].Data...)
	}
	return assemble(header+"}", data)
}

// assemble puts the length before the header and the data behind it.
func assemble(header string, data []byte) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), data...)
}

func (t *tiny) files() fstest.MapFS {
	return fstest.MapFS{
		"config.json":              {Data: encode(t.config)},
		"preprocessor_config.json": {Data: encode(t.processor)},
		"model.safetensors":        {Data: t.safetensors()},
	}
}

func encode(settings map[string]any) []byte {
	kept := maps.Clone(settings)
	maps.DeleteFunc(kept, func(_ string, v any) bool { return v == nil })
	data, err := json.Marshal(kept)
	if err != nil {
		panic(err) // a test put in what JSON cannot hold
	}
	return data
}
