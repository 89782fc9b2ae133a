//go:build long && !race

package model_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"

	"vinfast-classifier/local/model"
)

// setClass overwrites one class's row of a classifier tensor, of which each
// class has size float16 values.
func setClass(t *testing.T, file []byte, name string, class, size int, value uint16) {
	t.Helper()
	length := binary.LittleEndian.Uint64(file)
	var header map[string]struct {
		Offsets []int `json:"data_offsets"`
	}
	if err := json.Unmarshal(bytes.Replace(file[8:8+length], []byte(`"__metadata__":{"format":"pt"},`), nil, 1), &header); err != nil {
		t.Fatal(err)
	}
	row := file[8+int(length)+header[name].Offsets[0]+2*size*class:][:2*size]
	for i := 0; i < len(row); i += 2 {
		binary.LittleEndian.PutUint16(row[i:], value)
	}
}

// TestLongEachClassNeedsItsWeights: with one class's row of the classifier gone,
// that class's recall falls below the bound of TestDemoModel and the others
// stay above it.
func TestLongEachClassNeedsItsWeights(t *testing.T) {
	set := heldOutSet(t)
	for class, label := range six {
		t.Run(label, func(t *testing.T) {
			folder := demoFolder(t)
			weights := folder["model.safetensors"].Data
			setClass(t, weights, "classifier.weight", class, 128, 0)
			m, err := model.Load(folder)
			if err != nil {
				t.Fatal(err)
			}
			accuracy, recall := judge(t, m, set)
			if accuracy > wantAccuracy {
				t.Errorf("accuracy is still %.3f", accuracy)
			}
			for i, r := range recall {
				if (r < wantRecall) != (i == class) {
					t.Errorf("recall of %s is %.2f", six[i], r)
				}
			}
		})
	}
}
