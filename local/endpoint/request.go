package endpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"strings"
	"unicode/utf8"
)

const (
	jsonType = "application/json"
	csvType  = "text/csv"
)

// imageTypes are taken as raw pictures, audioTypes as something that no
// picture can come of. Whatever the name says, the bytes decide the format.
var (
	imageTypes = map[string]bool{"image/jpeg": true, "image/png": true, "image/tiff": true, "image/bmp": true,
		"image/gif": true, "image/webp": true, "image/x-image": true}
	audioTypes = map[string]bool{"audio/x-flac": true, "audio/mpeg": true, "audio/wave": true, "audio/ogg": true, "audio/x-audio": true}
)

// defaultTopK is how many labels are answered unless the request says so.
const defaultTopK = 5

// input is a decoded request.
type input struct {
	sources []source
	list    bool // the request had a list of pictures
	topK    int
}

// said is an error in the container's own words, capitals and full stops
// included.
type said string

func (s said) Error() string { return string(s) }

func sayf(format string, args ...any) error { return said(fmt.Sprintf(format, args...)) }

// source is one picture, not decoded yet: raw bytes, or what stood in JSON.
type source struct {
	raw   []byte
	value any
}

var errIncorrectFormat = said("Incorrect format used for image. Should be an url linking to an image, a base64 string, a local path, or a PIL image.")

func unsupported(contentType string) error {
	if contentType == "" {
		contentType = "None"
	}
	return sayf("Content type %s is not supported by this framework.\n\n"+
		"            Please implement input_fn to to deserialize the request data or an output_fn to\n"+
		"            serialize the response. For more information, see the SageMaker Python SDK README.", contentType)
}

// decodeRequest compares the content type letter by letter, parameters and
// case included, as the toolkit does.
func decodeRequest(contentType string, body []byte) (input, error) {
	switch {
	case imageTypes[contentType]:
		return input{sources: []source{{raw: body}}, topK: defaultTopK}, nil
	case audioTypes[contentType]:
		return input{}, errIncorrectFormat
	case contentType == jsonType:
		return decodeJSON(body)
	case contentType == csvType:
		return decodeCSV(body)
	default:
		return input{}, unsupported(contentType)
	}
}

func decodeJSON(body []byte) (input, error) {
	var data any
	if err := json.Unmarshal(body, &data); err != nil {
		return input{}, jsonFault(body, err)
	}
	object, ok := data.(map[string]any)
	if !ok {
		if _, ok := data.([]any); ok {
			return input{}, said("pop expected at most 1 argument, got 2")
		}
		return input{}, sayf("'%s' object has no attribute 'pop'", pythonType(data))
	}
	inputs, ok := object["inputs"]
	if !ok {
		return input{}, errIncorrectFormat
	}
	topK, err := readParameters(object["parameters"])
	if err != nil {
		return input{}, err
	}
	if list, ok := inputs.([]any); ok {
		in := input{list: true, topK: topK}
		for _, v := range list {
			in.sources = append(in.sources, source{value: v})
		}
		return in, nil
	}
	return input{sources: []source{{value: inputs}}, topK: topK}, nil
}

// pythonType names the type of a JSON value in the container's language.
func pythonType(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case float64:
		return "float"
	case string:
		return "str"
	default:
		return "list"
	}
}

// jsonFault words a syntax error as Python does, in the commonest case.
func jsonFault(body []byte, err error) error {
	offset := len(body)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) && offset > 0 && !strings.Contains(syntax.Error(), "unexpected end") {
		offset = int(syntax.Offset) - 1
	}
	before := body[:offset]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return sayf("Expecting value: line %d column %d (char %d)", line, column, utf8.RuneCount(before))
}

// readParameters returns top_k. The pipeline's other two parameters: timeout
// is for fetching URLs; function_to_apply needs what the model computed before
// its scores, so only the usual one is taken.
func readParameters(v any) (int, error) {
	if v == nil {
		return defaultTopK, nil
	}
	parameters, ok := v.(map[string]any)
	if !ok {
		return 0, fmt.Errorf("argument after ** must be a mapping, not %s", pythonType(v))
	}
	topK := defaultTopK
	for name, value := range parameters {
		switch name {
		case "timeout":
		case "function_to_apply":
			if value != nil && value != "softmax" {
				return 0, fmt.Errorf("function_to_apply %v is not supported by this local endpoint, only softmax", value)
			}
		case "top_k":
			k, ok := value.(float64)
			switch {
			case value == nil:
			case !ok || k != math.Trunc(k):
				return 0, fmt.Errorf("top_k must be a whole number, not %v", value)
			case k < 0:
				return 0, errors.New("selected index k out of range")
			default:
				topK = int(min(k, math.MaxInt32))
			}
		default:
			return 0, fmt.Errorf("ImageClassificationPipeline._sanitize_parameters() got an unexpected keyword argument '%s'", name)
		}
	}
	return topK, nil
}

func decodeCSV(body []byte) (input, error) {
	header, _, _ := strings.Cut(strings.ToLower(string(body)), "\n")
	if !strings.Contains(header, "question") && !strings.Contains(header, "context") && !strings.Contains(header, "inputs") {
		return input{}, said("You need to provide the correct CSV with Header columns to use it with the inference toolkit default handler. : 400")
	}
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		return input{}, err
	}
	in := input{list: true, topK: defaultTopK}
	for _, row := range rows[1:] {
		s := source{}
		for i, name := range rows[0] {
			if name == "inputs" {
				s.value = row[i]
			}
		}
		in.sources = append(in.sources, s)
	}
	return in, nil
}

// load decodes the picture, upright.
func (s source) load() (image.Image, error) {
	if s.raw != nil {
		return decodePicture(s.raw)
	}
	text, ok := s.value.(string)
	if !ok {
		return nil, errIncorrectFormat
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return nil, errors.New("this local endpoint fetches nothing from the network: send the picture itself, as base64 in \"inputs\" or raw with its own content type")
	}
	encoded := text
	if strings.HasPrefix(text, "data:image/") {
		_, encoded, _ = strings.Cut(text, ",")
	}
	img, err := fromBase64(encoded)
	if err != nil {
		return nil, sayf("Incorrect image source. Must be a valid URL starting with `http://` or `https://`, "+
			"a valid path to an image file, or a base64 encoded string. Got %s. Failed with %v", encoded, err)
	}
	return img, nil
}

func fromBase64(text string) (image.Image, error) {
	// Go's decoder would pass over line ends; Python's strict one does not.
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, said("Only base64 data is allowed")
	}
	return decodePicture(data)
}
