//go:build linux && !unit

package main_test

import (
	"bytes"
	"compress/zlib"
	"context"
	bits "encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"vinfast-classifier/app/web"
	"vinfast-classifier/local/program"
)

// residentBound is what the app may take of memory, whatever is sent to it: what
// its gates let in, and a share for the program, 4096 connections, the decoders'
// own needs and garbage that is not collected yet.
const residentBound = web.Memory + 256<<20

// plain is the app as it is deployed: the race detector takes memory of its own.
var plain = sync.OnceValues(func() (string, error) {
	path := binary + "-plain"
	out, err := program.Command(context.Background(), "go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build the app: %w\n%s", err, out)
	}
	return path, err
})

func newPlainSystem(t *testing.T) *system {
	t.Helper()
	s := newSystem(t, fixed)
	var err error
	s.program, err = plain()
	must(t, err)
	return s
}

// resident is the most memory the process has had, in bytes.
func (a *process) resident(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.cmd.Process.Pid))
	must(t, err)
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	kB, err := strconv.ParseInt(string(m[1]), 10, 64)
	must(t, err)
	return kB << 10
}

// bomb is a PNG of that many pixels in some kilobytes, of which it holds so many
// bytes: one that is refused by its header needs no more than a beginning.
func bomb(t *testing.T, width, height, held int) []byte {
	t.Helper()
	out := bytes.NewBufferString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		must(t, bits.Write(out, bits.BigEndian, uint32(len(data))))
		body := append([]byte(kind), data...)
		out.Write(body)
		must(t, bits.Write(out, bits.BigEndian, crc32.ChecksumIEEE(body)))
	}
	header := bits.BigEndian.AppendUint32(bits.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	must(t, err)
	zeros := make([]byte, 1<<20)
	for left := held; left > 0; left -= len(zeros) {
		if _, err := z.Write(zeros[:min(left, len(zeros))]); err != nil {
			t.Fatal(err)
		}
	}
	must(t, z.Close())
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return out.Bytes()
}

// send posts one file in a form and returns status and body.
func (a *process) send(name string, data []byte) (int, string, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="image"; filename="` + strings.ReplaceAll(name, `"`, `\"`) + `"`}}
	part, err := w.CreatePart(header)
	if err != nil {
		return 0, "", err
	}
	if _, err := part.Write(data); err != nil {
		return 0, "", err
	}
	if err := w.Close(); err != nil {
		return 0, "", err
	}
	resp, err := http.Post(a.url+"/api/v1/predictions", w.FormDataContentType(), &form)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// TestHostilePictures: bombs, two formats in one file, names that are code.
func TestHostilePictures(t *testing.T) {
	s := newPlainSystem(t)
	a := s.start()
	script := "<script>alert(1)</script>"
	for name, c := range map[string]struct {
		file   string
		data   []byte
		status int
	}{
		"bomb beyond the pixel limit":   {"a.png", bomb(t, 20_000, 20_000, 10<<20), 422},
		"bomb of one endless row":       {"a.png", bomb(t, 1<<24, 4, 10<<20), 422},
		"GIF that is a script":          {"a.gif", []byte("GIF89a/*" + strings.Repeat("x", 40) + "*/=1;alert(1)//"), 422},
		"page before a JPEG":            {"a.jpg", append([]byte("<html>"+script+"</html>"), picture(1)...), 400},
		"JPEG before a page":            {"a.jpg", append(picture(2), "<html>"+script+"</html>"...), 201},
		"SVG with a script":             {"a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + script + `</svg>`), 415},
		"name that climbs":              {"../../../../etc/passwd", picture(3), 201},
		"name that is SQL":              {`'; DROP TABLE predictions; --`, picture(4), 201},
		"name that is HTML":             {`"><img src=x onerror=alert(1)>`, picture(5), 201},
		"name that is HTML, no picture": {`<img src=x onerror=alert(1)>`, []byte("nothing"), 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, err := a.send(c.file, c.data)
			must(t, err)
			if status != c.status && (status < 400 || status > 499 || c.status < 400) {
				t.Errorf("status %d, want %d: %s", status, c.status, body)
			}
			if strings.Contains(body, "<img") || strings.Contains(body, "<script") {
				t.Errorf("markup comes back as it was: %s", body)
			}
			var got answer
			if status == 201 {
				must(t, json.Unmarshal([]byte(body), &got))
				a.harmless(t, got.Predictions[0].ImageURL)
			}
		})
	}
	for _, key := range s.keys() {
		if !regexp.MustCompile(`^images/\d{4}/\d\d/\d\d/[0-9a-f-]{36}\.jpg$`).MatchString(key) {
			t.Errorf("object %q", key)
		}
	}
	if n := len(s.rows()); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
	for _, path := range []string{"/images/../../etc/passwd", "/images/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/static/../config.go", "/static/%2e%2e/server.go",
		"/static/..%2f..%2fconfig.go", "/api/v1/predictions/' OR 1=1", "/images/" + strings.Repeat("a", 9000), "//etc/passwd", "/images/\x00"} {
		if status := a.raw(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); status < 300 || status > 499 {
			t.Errorf("GET %.60q: status %d", path, status)
		}
	}
}

// harmless: what a stranger sent is shown as a picture or not at all.
func (a *process) harmless(t *testing.T, path string) {
	t.Helper()
	resp, err := http.Get(a.url + path)
	must(t, err)
	must(t, resp.Body.Close())
	h := resp.Header
	if h.Get("Content-Type") != "image/jpeg" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers %v", h)
	}
}

// raw sends bytes and returns the status that is answered; 0 for none.
func (a *process) raw(t *testing.T, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	must(t, err)
	defer conn.Close()
	_, _ = io.WriteString(conn, request) // the server may hang up before the end
	line := make([]byte, 12)
	if _, err := io.ReadFull(conn, line); err != nil {
		return 0
	}
	status, err := strconv.Atoi(string(line[9:]))
	must(t, err)
	return status
}

func TestHeaderFlood(t *testing.T) {
	s := newPlainSystem(t)
	a := s.start()
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, "X-%d: %d\r\n", i, i)
	}
	for name, flood := range map[string]string{"one huge": "X-A: " + strings.Repeat("a", 64<<20) + "\r\n", "very many": many.String()} {
		if status := a.raw(t, "GET / HTTP/1.1\r\nHost: x\r\n"+flood+"\r\n"); status != 0 && status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if get(a.url+"/healthz") != http.StatusOK {
		t.Error("the app does not answer any more")
	}
	if got := a.resident(t); got > residentBound {
		t.Errorf("%d MiB resident", got>>20)
	}
}
