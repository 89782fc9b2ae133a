package model_test

import (
	"bytes"
	"image"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"vinfast-classifier/local/model"
)

// refused loads files and demands an error that has every one of words.
func refused(t *testing.T, files fstest.MapFS, words ...string) {
	t.Helper()
	_, err := model.Load(files)
	if err == nil {
		t.Fatalf("loaded; want an error about %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not name %q", err, word)
		}
	}
}

func TestTinyLoads(t *testing.T) {
	for name, change := range map[string]func(*tiny){
		"as it is":          func(*tiny) {},
		"lists for sides":   func(m *tiny) { m.config["image_size"], m.config["patch_size"] = []int{4, 4}, []int{2, 2} },
		"a number for size": func(m *tiny) { m.processor["size"] = 4 },
		"an old processor": func(m *tiny) {
			m.processor["image_processor_type"] = nil
			m.processor["feature_extractor_type"] = "ViTFeatureExtractor"
		},
		"a null setting":      func(m *tiny) { m.config["problem_type"] = nil },
		"a pooler beside it":  func(m *tiny) { m.add("vit.pooler.dense.weight", 4, 4); m.add("vit.pooler.dense.bias", 4) },
		"a step switched off": func(m *tiny) { m.processor["do_center_crop"] = false },
		"no resizing":         func(m *tiny) { m.processor["do_resize"] = false },
	} {
		t.Run(name, func(t *testing.T) {
			folder := newTiny()
			change(folder)
			m, err := model.Load(folder.files())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(m.Labels(), " "); got != "no yes maybe" {
				t.Errorf("labels are %q", got)
			}
			if m.Notice() != "" {
				t.Errorf("notice is %q", m.Notice())
			}
			scores, err := m.Classify(t.Context(), image.NewNRGBA(image.Rect(0, 0, 4, 4)), 2)
			if err != nil || len(scores) != 2 || scores[0].Score < scores[1].Score {
				t.Errorf("scores %v, error %v", scores, err)
			}
		})
	}
}

func TestSettingsRefusedByName(t *testing.T) {
	config := map[string]any{
		"model_type": "deit", "architectures": []string{"ViTModel"}, "problem_type": "multi_label_classification",
		"quantization_config": map[string]any{"bits": 8}, "pruned_heads": map[string][]int{"0": {1}}, "hidden_act": "quick_gelu",
		"hidden_size": 0, "num_hidden_layers": 1 << 30, "num_attention_heads": 3, "intermediate_size": -1, "image_size": 1 << 30,
		"patch_size": 5, "num_channels": 1, "head_dim": 3, "layer_norm_eps": -1, "id2label": map[string]string{"0": "a", "2": "b"},
	}
	for name, value := range config {
		t.Run(name, func(t *testing.T) {
			folder := newTiny()
			folder.config[name] = value
			refused(t, folder.files(), "config.json", name)
		})
	}
	processor := map[string]any{
		"image_processor_type": "CLIPImageProcessor", "feature_extractor_type": "DetrFeatureExtractor", "resample": 5,
		"size": map[string]int{"shortest_edge": 4}, "image_std": 0, "image_mean": []float64{1, 2}, "do_center_crop": true, "do_pad": true,
	}
	for name, value := range processor {
		t.Run(name, func(t *testing.T) {
			folder := newTiny()
			folder.processor[name] = value
			words := []string{"preprocessor_config.json", name}
			if strings.HasSuffix(name, "_type") {
				words[1] = value.(string)
			}
			if name == "image_mean" {
				words[1] = "three"
			}
			refused(t, folder.files(), words...)
		})
	}
}

func TestSizesMustAgree(t *testing.T) {
	folder := newTiny()
	folder.processor["size"] = 5
	refused(t, folder.files(), "preprocessor_config.json", "5x5", "4x4")
}

func TestEveryMissingTensorIsRefused(t *testing.T) {
	for name := range newTiny().tensors {
		t.Run(name, func(t *testing.T) {
			folder := newTiny()
			delete(folder.tensors, name)
			refused(t, folder.files(), "missing", name)
		})
	}
}

func TestTensorsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tiny)
		words  []string
	}{
		"surplus":      {func(m *tiny) { m.add("vit.encoder.layer.1.output.dense.bias", 4) }, []string{"layer.1.output.dense.bias", "does not belong"}},
		"bias unasked": {func(m *tiny) { m.config["qkv_bias"] = false }, []string{"bias", "does not belong"}},
		"misshapen":    {func(m *tiny) { m.add("classifier.weight", 4, 3) }, []string{"classifier.weight", "[4 3]", "[3 4]"}},
		"fewer labels": {func(m *tiny) { m.config["id2label"] = map[string]string{"0": "a", "1": "b"} }, []string{"classifier", "shape"}},
		"other type":   {func(m *tiny) { m.tensors["classifier.bias"] = entry{"I64", []int{3}, make([]byte, 24)} }, []string{"classifier.bias", "I64"}},
		"short data":   {func(m *tiny) { m.tensors["classifier.bias"] = entry{"F32", []int{3}, make([]byte, 8)} }, []string{"classifier.bias", "8 bytes"}},
		"not a number": {func(m *tiny) { m.tensors["classifier.bias"] = entry{"BF16", []int{3}, []byte{0, 0, 0xc0, 0x7f, 0, 0}} }, []string{"classifier.bias", "NaN"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := newTiny()
			c.change(folder)
			refused(t, folder.files(), append(c.words, "model.safetensors")...)
		})
	}
}

func TestBrokenFilesRefused(t *testing.T) {
	whole := newTiny().safetensors()
	data := whole[len(whole)-8:]
	for name, c := range map[string]struct {
		file []byte
		word string
	}{
		"empty":            {nil, "length"},
		"seven bytes":      {whole[:7], "length"},
		"half a header":    {whole[:100], "header"},
		"a byte short":     {whole[:len(whole)-1], "holds"},
		"a byte more":      {append(bytes.Clone(whole), 0), "holds"},
		"huge header":      {append([]byte{255, 255, 255, 255, 255, 255, 255, 127}, whole[8:]...), "header"},
		"not JSON":         {assemble(`[1]`, data), "object"},
		"open JSON":        {assemble(`{"a":`, data), "EOF"},
		"trailing text":    {assemble(`{}x`, data), "follows"},
		"twice":            {assemble(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, data), "twice"},
		"overlap":          {assemble(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, data), "begins"},
		"hole":             {assemble(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, data), "begins"},
		"out of range":     {assemble(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}`, data), "holds"},
		"backwards":        {assemble(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}`, data), "range"},
		"negative":         {assemble(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, data), "range"},
		"negative side":    {assemble(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, data), "negative"},
		"overflowing":      {assemble(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, data), "too large"},
		"beyond any file":  {assemble(`{"a":{"dtype":"F32","shape":[1152921504606846975],"data_offsets":[0,4611686018427387900]}}`, data), "holds"},
		"metadata no text": {assemble(`{"__metadata__":{"a":1}}`, data), "__metadata__"},
	} {
		t.Run(name, func(t *testing.T) {
			files := newTiny().files()
			files["model.safetensors"].Data = c.file
			refused(t, files, "model.safetensors", c.word)
		})
	}
}

func TestEveryTruncationRefused(t *testing.T) {
	whole := newTiny().safetensors()
	for n := 0; n < len(whole); n += 13 {
		files := newTiny().files()
		files["model.safetensors"].Data = whole[:n]
		refused(t, files, "model.safetensors")
	}
}

func TestMissingFilesNamed(t *testing.T) {
	for _, name := range []string{"config.json", "preprocessor_config.json", "model.safetensors"} {
		files := newTiny().files()
		delete(files, name)
		refused(t, files, name)
	}
	files := newTiny().files()
	delete(files, "model.safetensors")
	files["pytorch_model.bin"] = &fstest.MapFile{Data: []byte("pickle")}
	refused(t, files, "pytorch_model.bin", "save_pretrained")
}

// TestRefusalsCostLittle holds that a small file cannot make Load take the
// memory it talks about.
func TestRefusalsCostLittle(t *testing.T) {
	folder := newTiny()
	for name, value := range map[string]int{"hidden_size": 8192, "num_attention_heads": 64, "num_hidden_layers": 256, "intermediate_size": 65536} {
		folder.config[name] = value
	}
	absurd := folder.files()
	claims := newTiny().files()
	claims["model.safetensors"].Data = assemble(`{"classifier.weight":{"dtype":"F32","shape":[3,4],"data_offsets":[0,17179869184]}}`, nil)
	for name, files := range map[string]fstest.MapFS{"config": absurd, "header": claims} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		refused(t, files)
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 16<<20 {
			t.Errorf("%s: refusing it took %d bytes", name, taken)
		}
	}
}

func FuzzLoad(f *testing.F) {
	whole := newTiny().safetensors()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(assemble(`{"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}`, []byte{0, 1}))
	f.Add(assemble(`{"__metadata__":{"format":"pt"}}  `, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		files := newTiny().files()
		files["model.safetensors"].Data = data
		m, err := model.Load(files)
		if err != nil {
			return
		}
		logits, err := m.Logits(t.Context(), image.NewGray(image.Rect(0, 0, 3, 5)))
		if err != nil || len(logits) != 3 {
			t.Fatalf("a file that loads gives %v, %v", logits, err)
		}
	})
}

func FuzzConfig(f *testing.F) {
	files := newTiny().files()
	f.Add(files["config.json"].Data, files["preprocessor_config.json"].Data)
	f.Add([]byte(`{"image_size":[4,4],"patch_size":[2,2],"id2label":{"0":"a","1":"b"}}`), []byte(`{"size":[4,4]}`))
	f.Fuzz(func(t *testing.T, config, processor []byte) {
		files := newTiny().files()
		files["config.json"].Data, files["preprocessor_config.json"].Data = config, processor
		m, err := model.Load(files)
		if err != nil {
			return
		}
		logits, err := m.Logits(t.Context(), image.NewGray(image.Rect(0, 0, 4, 4)))
		if err == nil && len(logits) != len(m.Labels()) {
			t.Fatalf("%d logits for %d labels", len(logits), len(m.Labels()))
		}
	})
}

func TestHalfPrecisionIsExact(t *testing.T) {
	// the classifier's bias shows in the logits when its weights are zero
	for dtype, c := range map[string]struct {
		data []byte
		want []float32
	}{
		"F16":  {[]byte{0x01, 0x00, 0xff, 0xfb, 0x00, 0x3e}, []float32{0x1p-24, -65504, 1.5}},
		"BF16": {[]byte{0x80, 0x33, 0x80, 0xc7, 0xc0, 0x3f}, []float32{0x1p-24, -65536, 1.5}},
	} {
		folder := newTiny()
		folder.tensors["classifier.weight"] = entry{"F32", []int{3, 4}, make([]byte, 48)}
		folder.tensors["classifier.bias"] = entry{dtype, []int{3}, c.data}
		m, err := model.Load(folder.files())
		if err != nil {
			t.Fatal(err)
		}
		logits, err := m.Logits(t.Context(), image.NewGray(image.Rect(0, 0, 4, 4)))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range logits {
			if math.Float32bits(v) != math.Float32bits(c.want[i]) {
				t.Errorf("%s: logit %d is %v, want %v", dtype, i, v, c.want[i])
			}
		}
	}
}
