package spool

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"vinfast-classifier/app/car"
)

// An entry's file is
//
//	<checksum> {"upload":{...},"photoChecksum":n}\n
//	the photo's bytes
//	<checksum> {the promised prediction}\n
//
// with the last line missing until something was promised. A line's checksum
// is the CRC-32C of its JSON in eight hex digits.
type entry struct {
	upload   car.Upload
	checksum uint32          // CRC-32C of the photo
	start    int64           // offset of the photo
	promised *car.Prediction // nil for nothing
}

type head struct {
	Upload        car.Upload `json:"upload"`
	PhotoChecksum uint32     `json:"photoChecksum"`
}

// maxLine bounds what is read of a line: a prediction has at most a thousand
// labels or so.
const maxLine = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newEntry returns the first line of a new entry's file, and the entry.
func newEntry(u car.Upload, original []byte) ([]byte, entry, error) {
	sum := crc32.Checksum(original, castagnoli)
	line, err := seal(head{u, sum})
	return line, entry{upload: u, checksum: sum, start: int64(len(line))}, err
}

// seal writes a value as a line with its checksum.
func seal(value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(data, castagnoli), data)
	if len(line) > maxLine {
		return nil, fmt.Errorf("%d bytes are too many for a line", len(line))
	}
	return line, nil
}

var errTorn = errors.New("line is torn")

// unseal reads a line back into a value; errTorn if it is not whole.
func unseal(line []byte, value any) error {
	data, whole := bytes.CutSuffix(line, []byte("\n"))
	if !whole || len(data) < 9 || fmt.Sprintf("%08x ", crc32.Checksum(data[9:], castagnoli)) != string(data[:9]) {
		return errTorn
	}
	return json.Unmarshal(data[9:], value)
}

// readEntry reads everything but the photo. An entry that is not whole, or not
// that of id, is ErrDamaged.
func readEntry(f *os.File, id string) (entry, error) {
	line, err := bufio.NewReader(io.LimitReader(f, maxLine)).ReadBytes('\n')
	if err != nil && err != io.EOF {
		return entry{}, err
	}
	var h head
	if err := unseal(line, &h); err != nil {
		return entry{}, fmt.Errorf("%w: its header: %w", ErrDamaged, err)
	}
	if h.Upload.ID != id {
		return entry{}, fmt.Errorf("%w: it is that of %q", ErrDamaged, h.Upload.ID)
	}
	info, err := f.Stat()
	if err != nil {
		return entry{}, err
	}
	e := entry{upload: h.Upload, checksum: h.PhotoChecksum, start: int64(len(line))}
	end := e.start + e.upload.Size
	if info.Size() < end {
		return entry{}, fmt.Errorf("%w: it has %d bytes of %d", ErrDamaged, info.Size(), end)
	}
	rest, err := io.ReadAll(io.NewSectionReader(f, end, maxLine))
	if err != nil {
		return entry{}, err
	}
	// A promise that does not read back was never acknowledged.
	var p car.Prediction
	if unseal(rest, &p) == nil && p.ID == id {
		e.promised = &p
	}
	return e, nil
}

// photo gives the original bytes out of the entry's file, and closes it.
func (e entry) photo(f *os.File) photo {
	return photo{io.NewSectionReader(f, e.start, e.upload.Size), f}
}

type photo struct {
	*io.SectionReader
	io.Closer
}

// check holds the photo against its checksum and goes back to its start.
func (e entry) check(p photo) error {
	sum := crc32.New(castagnoli)
	if _, err := io.Copy(sum, p); err != nil {
		return err
	}
	if sum.Sum32() != e.checksum {
		return fmt.Errorf("%w: its photo", ErrDamaged)
	}
	_, err := p.Seek(0, io.SeekStart)
	return err
}
