package endpoint_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"vinfast-classifier/local/endpoint"
)

// sizer answers six scores, and the picture's size as the best label.
type sizer struct{}

func (sizer) Notice() string { return "tells sizes" }

func (sizer) Classify(_ context.Context, img image.Image) ([]endpoint.Score, error) {
	b := img.Bounds()
	if b.Dx() == 1 {
		return nil, errors.New("picture too narrow")
	}
	return []endpoint.Score{{Score: 0.9, Label: fmt.Sprintf("%dx%d", b.Dx(), b.Dy())}, {Score: 0.05, Label: "Vinfast_Lux_A2.0"},
		{Score: 0.02, Label: "Vinfast_Lux_SA2.0"}, {Score: 0.015, Label: "Vinfast_President"}, {Score: 0.01, Label: "Vinfast_VF_8"},
		{Score: 0.005, Label: "<Vinfast_VF_é34>"}}, nil
}

const (
	two   = `{"score":0.9,"label":"40x20"},{"score":0.05,"label":"Vinfast_Lux_A2.0"}`
	five  = `[` + two + `,{"score":0.02,"label":"Vinfast_Lux_SA2.0"},{"score":0.015,"label":"Vinfast_President"},{"score":0.01,"label":"Vinfast_VF_8"}]`
	csv5  = "score,label\r\n0.9,40x20\r\n0.05,Vinfast_Lux_A2.0\r\n0.02,Vinfast_Lux_SA2.0\r\n0.015,Vinfast_President\r\n0.01,Vinfast_VF_8\r\n"
	noPIL = "cannot identify image file <_io.BytesIO object at 0x7f0000000000>"
)

// failure is the model server's error body.
func failure(message string) string {
	m := strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "=", `\u003d`, "'", `\u0027`, "\n", `\n`).Replace(message)
	return "{\n  \"code\": 400,\n  \"type\": \"InternalServerException\",\n  \"message\": \"" + m + "\"\n}\n"
}

func unsupported(contentType string) string {
	return failure("Content type " + contentType + " is not supported by this framework.\n\n            Please implement input_fn to to deserialize the request data or an output_fn to\n            serialize the response. For more information, see the SageMaker Python SDK README.")
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestInvocations holds what the toolkit under the model server answered to
// the same requests; where the wording is this program's own, the case says so.
func TestInvocations(t *testing.T) {
	server := httptest.NewServer(endpoint.Container(sizer{}, 2))
	defer server.Close()
	photo := string(read(t, "a.jpg"))
	b64 := base64.StdEncoding.EncodeToString([]byte(photo))
	turned := string(read(t, "turned.jpg"))
	const image5, jsonType = "image/jpeg", "application/json"
	incorrect := failure("Incorrect format used for image. Should be an url linking to an image, a base64 string, a local path, or a PIL image.")
	tests := map[string]struct {
		contentType, accept, body string
		want                      string // a body that starts with { is a 400
		wantType                  string // application/json if empty
	}{
		"jpeg":                     {image5, "", photo, five, ""},
		"accept json":              {image5, "application/json", photo, five, ""},
		"accept anything":          {image5, "*/*", photo, five, ""},
		"accept csv":               {image5, "text/csv", photo, csv5, "text/csv"},
		"accept xml":               {image5, "text/xml", photo, unsupported("text/xml"), ""},
		"accept with quality":      {image5, "application/json;q=0.9", photo, unsupported("application/json;q=0.9"), ""},
		"EXIF orientation 6":       {image5, "", turned, strings.Replace(five, "40x20", "20x40", 1), ""},
		"x-image":                  {"image/x-image", "", string(read(t, "a.png")), five, ""},
		"gif":                      {"image/gif", "", string(read(t, "a.gif")), five, ""},
		"bmp":                      {"image/bmp", "", string(read(t, "a.bmp")), five, ""},
		"tiff":                     {"image/tiff", "", string(read(t, "a.tiff")), five, ""},
		"webp":                     {"image/webp", "", string(read(t, "a.webp")), five, ""},
		"jpeg that says png":       {"image/png", "", photo, five, ""},
		"application/x-image":      {"application/x-image", "", photo, unsupported("application/x-image"), ""},
		"octets":                   {"application/octet-stream", "", photo, unsupported("application/octet-stream"), ""},
		"upper case":               {"IMAGE/JPEG", "", photo, unsupported("IMAGE/JPEG"), ""},
		"no type":                  {"", "", photo, unsupported("None"), ""},
		"not an image":             {image5, "", "hello", failure(noPIL), ""},
		"empty":                    {image5, "", "", failure(noPIL), ""},
		"truncated (own words)":    {image5, "", photo[:400], failure("image file is truncated or broken: unexpected EOF"), ""},
		"audio":                    {"audio/wave", "", "hello", incorrect, ""},
		"json":                     {jsonType, "", `{"inputs":"` + b64 + `"}`, five, ""},
		"json with charset":        {jsonType + "; charset=utf-8", "", `{"inputs":"` + b64 + `"}`, unsupported("application/json; charset=utf-8"), ""},
		"top_k 6":                  {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"top_k":6}}`, strings.TrimSuffix(five, "]") + `,{"score":0.005,"label":"<Vinfast_VF_é34>"}]`, ""},
		"top_k 2":                  {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"top_k":2,"timeout":3,"function_to_apply":"softmax"}}`, "[" + two + "]", ""},
		"top_k 0":                  {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"top_k":0}}`, "[]", ""},
		"top_k 99":                 {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"top_k":99}}`, strings.TrimSuffix(five, "]") + `,{"score":0.005,"label":"<Vinfast_VF_é34>"}]`, ""},
		"top_k null":               {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"top_k":null}}`, five, ""},
		"top_k -1":                 {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"top_k":-1}}`, failure("selected index k out of range"), ""},
		"top_k text (own words)":   {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"top_k":"6"}}`, failure("top_k must be a whole number, not 6"), ""},
		"sigmoid (own words)":      {jsonType, "", `{"inputs":"` + b64 + `","parameters":{"function_to_apply":"sigmoid"}}`, failure("function_to_apply sigmoid is not supported by this local endpoint, only softmax"), ""},
		"unknown parameter":        {jsonType, "", `{"inputs":"x","parameters":{"foo":6}}`, failure("ImageClassificationPipeline._sanitize_parameters() got an unexpected keyword argument 'foo'"), ""},
		"parameters not an object": {jsonType, "", `{"inputs":"x","parameters":[6]}`, failure("argument after ** must be a mapping, not list"), ""},
		"data URI":                 {jsonType, "", `{"inputs":"data:image/jpeg;base64,` + base64.StdEncoding.EncodeToString([]byte(turned)) + `"}`, strings.Replace(five, "40x20", "20x40", 1), ""},
		"list":                     {jsonType, "", `{"inputs":["` + b64 + `","` + b64 + `"],"parameters":{"top_k":2}}`, "[[" + two + "],[" + two + "]]", ""},
		"empty list":               {jsonType, "", `{"inputs":[]}`, "[]", ""},
		"no inputs":                {jsonType, "", `{"image":"x"}`, incorrect, ""},
		"number":                   {jsonType, "", `{"inputs":5}`, incorrect, ""},
		"null":                     {jsonType, "", `{"inputs":null}`, incorrect, ""},
		"not base64":               {jsonType, "", `{"inputs":"hello!"}`, failure("Incorrect image source. Must be a valid URL starting with `http://` or `https://`, a valid path to an image file, or a base64 encoded string. Got hello!. Failed with Only base64 data is allowed"), ""},
		"base64 of no image":       {jsonType, "", `{"inputs":"aGVsbG8="}`, failure("Incorrect image source. Must be a valid URL starting with `http://` or `https://`, a valid path to an image file, or a base64 encoded string. Got aGVsbG8=. Failed with " + noPIL), ""},
		"URL (own words)":          {jsonType, "", `{"inputs":"https://example.com/car.jpg"}`, failure(`this local endpoint fetches nothing from the network: send the picture itself, as base64 in \"inputs\" or raw with its own content type`), ""},
		"broken JSON":              {jsonType, "", `{"inputs":`, failure("Expecting value: line 1 column 11 (char 10)"), ""},
		"empty JSON":               {jsonType, "", "", failure("Expecting value: line 1 column 1 (char 0)"), ""},
		"JSON list":                {jsonType, "", `[1]`, failure("pop expected at most 1 argument, got 2"), ""},
		"JSON text":                {jsonType, "", `"x"`, failure("'str' object has no attribute 'pop'"), ""},
		"csv without header":       {"text/csv", "", "hello", failure("You need to provide the correct CSV with Header columns to use it with the inference toolkit default handler. : 400"), ""},
		"csv":                      {"text/csv", "", "inputs\n" + b64 + "\n", "[" + five + "]", ""},
		"the model fails":          {"image/png", "", narrow(t), failure("picture too narrow"), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp, body := post(t, server.URL+"/invocations", tt.contentType, tt.accept, tt.body)
			status := http.StatusOK
			if strings.HasPrefix(tt.want, "{") {
				status = http.StatusBadRequest
			}
			if resp.StatusCode != status || body != tt.want {
				t.Errorf("%s\n%s\nwant %d\n%s", resp.Status, body, status, tt.want)
			}
			wantType := "application/json"
			if tt.wantType != "" {
				wantType = tt.wantType
			}
			if got := resp.Header.Get("Content-Type"); got != wantType {
				t.Errorf("content type %q, want %q", got, wantType)
			}
			wantNotice := ""
			if status == http.StatusOK {
				wantNotice = "tells sizes"
			}
			if got := resp.Header.Get("X-Amzn-SageMaker-Custom-Attributes"); got != wantNotice {
				t.Errorf("notice %q, want %q", got, wantNotice)
			}
		})
	}
}

func post(t *testing.T, url, contentType, accept, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": contentType, "Accept": accept} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(answer)
}

func narrow(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 9))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOtherRoutes(t *testing.T) {
	server := httptest.NewServer(endpoint.Container(sizer{}, 1))
	defer server.Close()
	tests := []struct {
		path   string
		status int
		want   string
	}{
		{"/ping", 200, "{\n  \"status\": \"Healthy\"\n}\n"},
		{"/nothing", 404, "{\n  \"code\": 404,\n  \"type\": \"ResourceNotFoundException\",\n  \"message\": \"Requested resource is not found, please refer to API document.\"\n}\n"},
	}
	for _, tt := range tests {
		resp, err := http.Get(server.URL + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != tt.status || string(body) != tt.want {
			t.Errorf("%s: %s\n%s", tt.path, resp.Status, body)
		}
	}
}

// TestHugeHeader: a header that announces 4 gigapixels is refused before
// memory is taken for them.
func TestHugeHeader(t *testing.T) {
	server := httptest.NewServer(endpoint.Container(sizer{}, 1))
	defer server.Close()
	header := append([]byte{}, read(t, "a.png")...)
	copy(header[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0})
	copy(header[29:33], pngChecksum(header[12:29]))
	_, body := post(t, server.URL+"/invocations", "image/png", "", string(header))
	if want := failure("Image size (4294967296 pixels) exceeds limit of 178956970 pixels, could be decompression bomb DOS attack."); body != want {
		t.Errorf("%s\nwant %s", body, want)
	}
}

// kept remembers the picture that came in.
type kept struct {
	sizer
	img image.Image
}

func (k *kept) Classify(ctx context.Context, img image.Image) ([]endpoint.Score, error) {
	k.img = img
	return k.sizer.Classify(ctx, img)
}

// TestOrientations: all eight EXIF orientations of a picture whose corner is
// white come out with that corner on top left.
func TestOrientations(t *testing.T) {
	k := &kept{}
	server := httptest.NewServer(endpoint.Container(k, 1))
	defer server.Close()
	for orientation := 1; orientation <= 8; orientation++ {
		// Where the stored picture has what is shown on top left.
		right := orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8
		bottom := orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7
		stored := image.Rect(0, 0, 48, 32)
		if orientation >= 5 {
			stored = image.Rect(0, 0, 32, 48)
		}
		img := image.NewGray(stored)
		for y := range 8 {
			for x := range 8 {
				at := image.Pt(x, y)
				if right {
					at.X = stored.Dx() - 1 - x
				}
				if bottom {
					at.Y = stored.Dy() - 1 - y
				}
				img.SetGray(at.X, at.Y, color.Gray{255})
			}
		}
		if resp, body := post(t, server.URL+"/invocations", "image/jpeg", "", string(withOrientation(t, img, orientation))); resp.StatusCode != 200 {
			t.Fatalf("orientation %d: %s", orientation, body)
		}
		if size := k.img.Bounds().Size(); size != image.Pt(48, 32) {
			t.Errorf("orientation %d: %v", orientation, size)
		}
		if r, _, _, _ := k.img.At(3, 3).RGBA(); r < 0xf000 {
			t.Errorf("orientation %d: top left is dark", orientation)
		}
		if r, _, _, _ := k.img.At(44, 28).RGBA(); r > 0x0fff {
			t.Errorf("orientation %d: bottom right is light", orientation)
		}
	}
}

// withOrientation encodes a JPEG with an EXIF block of that one tag.
func withOrientation(t *testing.T, img image.Image, orientation int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), byte(orientation), 0, 0, 0, 0, 0, 0)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(append([]byte{0xff, 0xd8}, segment...), b.Bytes()[2:]...)
}

// TestQueue: with its one worker busy the container lets 100 requests wait and
// refuses the next.
func TestQueue(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 200)
	model := blocking{release: release, entered: entered}
	handler := endpoint.Container(model, 1)
	full := make(chan string, 1)
	photo := string(read(t, "a.jpg"))
	answers := make(chan int)
	for range 102 {
		go func() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/invocations", strings.NewReader(photo))
			r.Header.Set("Content-Type", "image/jpeg")
			handler.ServeHTTP(w, r)
			if w.Code == http.StatusServiceUnavailable {
				full <- w.Body.String()
			}
			answers <- w.Code
		}()
	}
	if body := <-full; !strings.Contains(body, "No worker is available to serve request: model") {
		t.Errorf("refused with %s", body)
	}
	close(release)
	count := map[int]int{}
	for range 102 {
		count[<-answers]++
	}
	if count[200] != 101 || count[503] != 1 {
		t.Errorf("statuses %v", count)
	}
}

type blocking struct {
	sizer
	release, entered chan struct{}
}

func (b blocking) Classify(ctx context.Context, img image.Image) ([]endpoint.Score, error) {
	b.entered <- struct{}{}
	<-b.release
	return b.sizer.Classify(ctx, img)
}

func pngChecksum(chunk []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk))
}
