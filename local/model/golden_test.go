package model_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"vinfast-classifier/local/model"
)

const golden = "testdata/golden"

// expectation is what transformers made of one picture (train/golden.py).
type expectation struct {
	SHA256 string    `json:"pixel_values_sha256"`
	First  []float32 `json:"first_values"`
	Logits []float32 `json:"logits"`
}

// goldenModels are the folders of testdata/golden.
func goldenModels(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(golden + "/*/expected.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("found %d golden models in %s (%v); run train/golden.py", len(files), golden, err)
	}
	for i, f := range files {
		files[i] = filepath.Dir(f)
	}
	return files
}

func load(t testing.TB, folder string) *model.Model {
	t.Helper()
	m, err := model.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t testing.TB, file string) image.Image {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("decode %s: %v", file, err)
	}
	return img
}

func TestEqualsTransformers(t *testing.T) {
	for _, folder := range goldenModels(t) {
		m := load(t, folder)
		data, err := os.ReadFile(filepath.Join(folder, "expected.json"))
		if err != nil {
			t.Fatal(err)
		}
		var expected map[string]expectation
		if err := json.Unmarshal(data, &expected); err != nil {
			t.Fatal(err)
		}
		if len(expected) < 5 {
			t.Fatalf("%s: only %d pictures", folder, len(expected))
		}
		for name, want := range expected {
			t.Run(filepath.Base(folder)+"/"+name, func(t *testing.T) {
				checkPicture(t, m, open(t, filepath.Join(golden, name+".png")), want)
			})
		}
	}
}

func checkPicture(t *testing.T, m *model.Model, img image.Image, want expectation) {
	values, err := m.PixelValues(img)
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != want.SHA256 {
		t.Errorf("pixel values differ; they begin %v, want %v", values[:4], want.First)
	}
	logits, err := m.Logits(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	if len(logits) != len(want.Logits) {
		t.Fatalf("%d logits, want %d", len(logits), len(want.Logits))
	}
	for i, v := range logits {
		if d := math.Abs(float64(v - want.Logits[i])); !(d <= 1e-4) {
			t.Errorf("logit %d is %g, want %g (off by %g)", i, v, want.Logits[i], d)
		}
	}
}
