//go:build !race

package model_test

import (
	"bytes"
	"encoding/json"
	"image"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"vinfast-classifier/local/model"
)

// What the demo model must reach on testdata/heldout: 60 renders, ten of each
// car, from seeds, backgrounds and camera ranges it was not trained on.
const (
	wantAccuracy = 0.92
	wantRecall   = 0.75
)

var six = []string{"Vinfast_Fadil", "Vinfast_Lux_A2.0", "Vinfast_Lux_SA2.0", "Vinfast_President", "Vinfast_VF_8", "Vinfast_VF_e34"}

// heldOut is a picture whose class is known.
type heldOut struct {
	class int
	img   image.Image
}

func heldOutSet(t *testing.T) []heldOut {
	t.Helper()
	files, err := filepath.Glob("testdata/heldout/*.jpg")
	if err != nil || len(files) != 60 {
		t.Fatalf("found %d held-out pictures (%v), want 60; run train/train.py", len(files), err)
	}
	var set []heldOut
	for _, file := range files {
		class, err := strconv.Atoi(strings.SplitN(filepath.Base(file), "-", 2)[0])
		if err != nil {
			t.Fatalf("%s does not begin with a class number", file)
		}
		set = append(set, heldOut{class, open(t, file)})
	}
	return set
}

// judge returns the accuracy of m on the set and each class's recall.
func judge(t *testing.T, m *model.Model, set []heldOut) (accuracy float64, recall []float64) {
	t.Helper()
	right, seen := make([]float64, len(six)), make([]float64, len(six))
	for _, h := range set {
		scores, err := m.Classify(t.Context(), h.img, 1)
		if err != nil {
			t.Fatal(err)
		}
		seen[h.class]++
		if scores[0].Label == six[h.class] {
			right[h.class]++
			accuracy += 1 / float64(len(set))
		}
	}
	for i := range right {
		right[i] /= seen[i]
	}
	return accuracy, right
}

func TestDemoModel(t *testing.T) {
	m, err := model.Demo()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Labels(), six) {
		t.Errorf("labels are %q", m.Labels())
	}
	if want := "demo model, trained on drawings, not for photos"; m.Notice() != want {
		t.Errorf("notice is %q, want %q", m.Notice(), want)
	}
	accuracy, recall := judge(t, m, heldOutSet(t))
	t.Logf("accuracy %.3f, recall %.2f", accuracy, recall)
	if accuracy <= wantAccuracy {
		t.Errorf("accuracy %.3f, want more than %.2f", accuracy, wantAccuracy)
	}
	for i, r := range recall {
		if r < wantRecall {
			t.Errorf("recall of %s is %.2f, want at least %.2f", six[i], r, wantRecall)
		}
	}
}

// demoFolder is the demo model's folder, to be damaged.
func demoFolder(t *testing.T) fstest.MapFS {
	t.Helper()
	files, err := model.DemoFiles()
	if err != nil {
		t.Fatal(err)
	}
	folder := fstest.MapFS{}
	for _, name := range []string{"config.json", "preprocessor_config.json", "model.safetensors"} {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		folder[name] = &fstest.MapFile{Data: bytes.Clone(data)}
	}
	if size := len(folder["model.safetensors"].Data); size > 2<<20 {
		t.Errorf("the weights are %d bytes, more than 2 MB", size)
	}
	return folder
}

// TestDemoNeedsEveryClass: a classifier with a row taken out does not load.
func TestDemoNeedsEveryClass(t *testing.T) {
	folder := demoFolder(t)
	var config map[string]any
	if err := json.Unmarshal(folder["config.json"].Data, &config); err != nil {
		t.Fatal(err)
	}
	delete(config["id2label"].(map[string]any), "5")
	folder["config.json"].Data = encode(config)
	refused(t, folder, "classifier", "shape")
}

func TestSamplesAreClassifiedRight(t *testing.T) {
	m, err := model.Demo()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("samples/*.jpg")
	if err != nil || len(files) < 8 {
		t.Fatalf("found %d samples (%v), want at least 8", len(files), err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		want := sampleLabel(t, file)
		seen[want] = true
		img := open(t, file)
		if size := img.Bounds().Size(); size != image.Pt(640, 400) {
			t.Errorf("%s is %v", file, size)
		}
		scores, err := m.Classify(t.Context(), img, 1)
		if err != nil {
			t.Fatal(err)
		}
		if scores[0].Label != want || scores[0].Score <= 0.8 {
			t.Errorf("%s: %v, want %s above 0.8", file, scores[0], want)
		}
	}
	if len(seen) != len(six) {
		t.Errorf("the samples show %d of the %d cars", len(seen), len(six))
	}
}

// sampleLabel reads samples/vf-8-street.jpg as Vinfast_VF_8.
func sampleLabel(t *testing.T, file string) string {
	t.Helper()
	name := filepath.Base(file)
	best := ""
	for _, label := range six {
		key := strings.NewReplacer("vinfast_", "", "_", "-", ".", "").Replace(strings.ToLower(label))
		if strings.HasPrefix(name, key+"-") {
			best = label
		}
	}
	if best == "" {
		t.Fatalf("%s does not begin with a car's name", file)
	}
	return best
}
