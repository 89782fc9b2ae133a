package hub

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// maxHeader is the format's own bound of its header, in bytes.
const maxHeader = 100_000_000

// CheckWeights reads the header of a safetensors file (eight bytes of length,
// JSON, data) and finds whether the data it describes is all there.
func CheckWeights(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open weights: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open weights: %w", err)
	}
	var length uint64
	if err := binary.Read(f, binary.LittleEndian, &length); err != nil {
		return fmt.Errorf("%w: %s is no safetensors file: %w", ErrDamaged, path, err)
	}
	if length > maxHeader || int64(length) > info.Size()-8 {
		return fmt.Errorf("%w: %s is no safetensors file: a header of %d bytes", ErrDamaged, path, length)
	}
	var header map[string]struct {
		Offsets []int64 `json:"data_offsets"`
	}
	if err := json.NewDecoder(io.LimitReader(f, int64(length))).Decode(&header); err != nil {
		return fmt.Errorf("%w: %s is no safetensors file: %w", ErrDamaged, path, err)
	}
	data, end := info.Size()-8-int64(length), int64(0)
	for name, tensor := range header {
		if name == "__metadata__" {
			continue
		}
		if len(tensor.Offsets) != 2 || tensor.Offsets[0] < 0 || tensor.Offsets[1] < tensor.Offsets[0] {
			return fmt.Errorf("%w: %s: tensor %q has no place", ErrDamaged, path, name)
		}
		end = max(end, tensor.Offsets[1])
	}
	if end != data {
		return fmt.Errorf("%w: %s has %d bytes of weights, its header describes %d", ErrDamaged, path, data, end)
	}
	return nil
}
