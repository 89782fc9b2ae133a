package infra

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// maxUserData is EC2's limit for user data before encoding, in bytes. It is
// why the app itself is not in there but fetched by its digest.
const maxUserData = 16384

//go:embed userdata
var userDataFiles embed.FS

var userDataTemplates = template.Must(template.New("").Funcs(template.FuncMap{
	"plain":  plain,
	"script": script,
}).ParseFS(userDataFiles, "userdata/*.tmpl"))

// Variable is one line of the app's environment.
type Variable struct{ Name, Value string }

// WebUserData is everything a web instance is told. It holds no secret.
type WebUserData struct {
	Region         string
	ArtifactBucket string
	AppKey         string
	AppSHA256      string
	AppUser        int
	FileSystem     string
	AccessPoint    string
	LogGroup       string
	Environment    []Variable
}

// Render returns cloud-init configuration.
func (d WebUserData) Render() (string, error) { return render("web.yaml.tmpl", d) }

// DatabaseUserData is everything the database instance is told. It holds no
// secret.
type DatabaseUserData struct {
	Region            string
	ArtifactBucket    string
	MySQLKey          string
	MySQLSHA256       string
	Volume            string
	Address           string // IPv4
	PasswordParameter string
	CAParameter       string
	Database          string
	User              string
	DumpBucket        string
	DumpPrefix        string
	LogGroup          string
}

// Render returns cloud-init configuration.
func (d DatabaseUserData) Render() (string, error) { return render("database.yaml.tmpl", d) }

func render(name string, data any) (string, error) {
	var out bytes.Buffer
	if err := userDataTemplates.ExecuteTemplate(&out, name, data); err != nil {
		return "", fmt.Errorf("rendering %s: %w", name, err)
	}
	if out.Len() > maxUserData {
		return "", fmt.Errorf("rendering %s: %d bytes are more than the %d EC2 takes", name, out.Len(), maxUserData)
	}
	return out.String(), nil
}

var plainPattern = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// plain passes values that shell, systemd and YAML read alike without quotes.
func plain(value string) (string, error) {
	if !plainPattern.MatchString(value) {
		return "", fmt.Errorf("value %q is empty or would need quotes", value)
	}
	return value, nil
}

// script is an embedded file as the content of a YAML block. Lines that hold
// nothing but a comment stay in the repository: they are a sixth of what fits.
func script(name string) (string, error) {
	text, err := userDataFiles.ReadFile("userdata/" + name)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	kept := []string{"    " + lines[0]} // #!
	for _, line := range lines[1:] {
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' {
			kept = append(kept, "    "+line)
		}
	}
	return strings.Join(kept, "\n"), nil
}
