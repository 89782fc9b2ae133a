package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"unicode"

	"vinfast-classifier/app/car"
)

const (
	// maxFiles bounds the pictures of one request.
	maxFiles = 20
	// partOverhead is what the headers of one multipart part may take; a part's
	// header longer than this makes the body too large.
	partOverhead = 4 << 10
	// maxField bounds the form's own small fields.
	maxField = 256
	// drainBytes of a refused body are read and dropped, so that a browser,
	// which sends all before it listens, sees the answer instead of a reset.
	drainBytes = 64 << 20
)

// file is one picture as it was sent.
type file struct {
	name string // what the sender called it; for people only
	data []byte
	err  error // why there is no data
}

// form is an upload request, read.
type form struct {
	files  []file
	token  string // hidden field of the page
	sample string // the sample button that was pressed
}

// bodyLimit is the most one request may send.
func (s *Server) bodyLimit(r *http.Request) int64 {
	if isMultipart(r) {
		return maxFiles * (s.Limits.Bytes + partOverhead)
	}
	return s.Limits.Bytes
}

// isMultipart goes by the beginning: who gets the boundary wrong is told so, and
// not that a form is no form.
func isMultipart(r *http.Request) bool {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	t, _, _ = strings.Cut(strings.TrimSpace(t), " ")
	return strings.EqualFold(t, "multipart/form-data")
}

// refuseEncoded answers a body in a Content-Encoding: it would have to be
// unpacked within the same limits, and pictures are packed already.
func refuseEncoded(w http.ResponseWriter, r *http.Request) error {
	coding := strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ","))
	if coding == "" || strings.EqualFold(coding, "identity") {
		return nil
	}
	w.Header().Set("Accept-Encoding", "identity")
	return (&fault{status: http.StatusUnsupportedMediaType, slug: "encoded", title: "Packed body",
		detail: fmt.Sprintf("The body comes in the Content-Encoding %q, which is not taken. Send it as it is.",
			clip(coding))}).
		with("problem.encoded", clip(coding))
}

// readMultipart takes the parts one by one, in memory that upload's body
// accounts for. fields names the small text fields the route knows.
func (s *Server) readMultipart(r *http.Request, fields ...string) (form, error) {
	var f form
	parts, err := r.MultipartReader()
	if err != nil {
		return f, badRequest("bad-form", "Broken form", `The Content-Type names no usable boundary. `+
			`Write it after a semicolon, and in quotation marks if it holds more than letters, digits and hyphens: `+
			`multipart/form-data; boundary="a/b=c".`, err)
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return f, readFault(err)
		}
		if err := s.takePart(&f, part, fields); err != nil {
			return f, err
		}
	}
}

func (s *Server) takePart(f *form, part *multipart.Part, fields []string) error {
	name, fileName := disposition(part.Header.Get("Content-Disposition"))
	for _, field := range fields {
		if name == field && fileName == "" {
			return takeField(f, name, part)
		}
	}
	if name != "image" {
		return badRequest("wrong-field", "Wrong field name",
			fmt.Sprintf("The form field is called %q. Send the picture in a field called \"image\".", clip(name)), nil).with("", clip(name))
	}
	if len(f.files) == maxFiles {
		return &fault{status: http.StatusRequestEntityTooLarge, slug: "too-many-files", title: "Too many pictures",
			detail: fmt.Sprintf("Send at most %d pictures at once.", maxFiles), args: []any{maxFiles}}
	}
	data, err := s.readPicture(part)
	if errors.Is(err, car.ErrTooLarge) {
		// Its own fault; the form's other pictures may be good. NextPart skips
		// what is left of it.
		f.files = append(f.files, file{name: fileName, err: err})
		return nil
	}
	if err != nil {
		return nameFile(err, fileName)
	}
	if len(data) == 0 && fileName == "" {
		return nil // what a browser sends when no file was chosen
	}
	f.files = append(f.files, file{name: fileName, data: data})
	return nil
}

var (
	looseName     = regexp.MustCompile(`(?i)[;\s]name="?([^";]*)`)
	looseFileName = regexp.MustCompile(`(?i)[;\s]filename="?(.*?)"?\s*(?:;\s*filename\*?=.*)?$`)
	// asTyped takes back what the HTML standard lets browsers put in the place of
	// three characters of a name.
	asTyped = strings.NewReplacer("%22", `"`, "%0A", "\n", "%0D", "\r")
)

// disposition reads a part's Content-Disposition: the field's name and the
// file's. Programs write file names with quotation marks or blanks in them, or
// twice; the picture is as good, so what the standard does not allow is read by
// its looks.
func disposition(header string) (name, fileName string) {
	if _, params, err := mime.ParseMediaType(header); err == nil {
		name, fileName = params["name"], params["filename"]
	} else {
		if m := looseName.FindStringSubmatch(header); m != nil {
			name = strings.TrimSpace(m[1])
		}
		if m := looseFileName.FindStringSubmatch(header); m != nil {
			fileName = m[1]
		}
	}
	if fileName == "" {
		return name, ""
	}
	return name, asTyped.Replace(path.Base(fileName))
}

func takeField(f *form, name string, part *multipart.Part) error {
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if err != nil {
		return readFault(err)
	}
	if len(value) > maxField {
		return badRequest("bad-form", "Broken form", fmt.Sprintf("The field %q is too long. Reload the page and try again.", name), nil).
			with("said.long-field", name)
	}
	switch name {
	case "token":
		f.token = string(value)
	case "sample":
		f.sample = string(value)
	}
	return nil
}

// readPicture reads at most one byte more than a picture may have.
func (s *Server) readPicture(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, s.Limits.Bytes+1))
	if err != nil {
		return nil, readFault(err)
	}
	if int64(len(data)) > s.Limits.Bytes {
		return nil, s.tooLarge()
	}
	return data, nil
}

func (s *Server) tooLarge() error {
	most := bytesForPeople(s.Limits.Bytes)
	return &car.Refusal{Reason: car.ErrTooLarge, Key: "said.large-picture", Args: []any{most},
		Sentence: fmt.Sprintf("A picture may have at most %s. Scale it down and send it again.", most)}
}

// readFault tells why a body could not be read.
func readFault(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		f := faultOf(car.ErrTooLarge)
		f.key = "said.large-request"
		f.detail = "The request is larger than the server takes. Send fewer or smaller pictures."
		f.cause = err
		return f
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if busy, ok := errors.AsType[*fault](err); ok {
		return busy
	}
	return badRequest("broken-upload", "Broken upload", "The upload ended early or is not well formed. Send it again.", err)
}

// nameFile puts the file's name before the sentence of err.
func nameFile(err error, name string) error {
	f := *faultOf(err)
	if name != "" {
		f.detail = clip(name) + ": " + f.detail
	}
	return &f
}

// clip shortens what a sender typed to what fits in a sentence, without the
// controls that turn the direction of what follows.
func clip(s string) string {
	const most = 80
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func bytesForPeople(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%.4g MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d bytes", n)
}

// drain drops what is left of a refused body, within bounds. Whoever asked
// first with "Expect: 100-continue" does not send it at all.
func drain(r *http.Request, body io.Reader) {
	if r.Header.Get("Expect") == "" {
		// The answer does not depend on the rest, so neither does an error.
		_, _ = io.CopyN(io.Discard, body, drainBytes)
	}
}
