package words_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vinfast-classifier/app/web/words"
)

// sources are the files that may say something: templates, scripts, and Go
// other than tests and the catalogue itself.
func sources(t *testing.T, ending string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, folder := range []string{"..", "../templates", "../static", "../../car"} {
		files, err := filepath.Glob(filepath.Join(folder, "*"+ending))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(data)
		}
	}
	if len(texts) == 0 {
		t.Fatalf("no %s files", ending)
	}
	return texts
}

// composed keys are put together when the program runs, from what the pattern
// finds in the sources.
var composed = []struct {
	ending, pattern string
	keys            func(found string) []string
}{
	{".html", `\bt "([^"]+)"`, func(s string) []string { return []string{s} }},
	{".go", `"((?:said|site|result|upload|history|stats|docs)\.[a-z0-9.-]*[a-z0-9])"`, func(s string) []string { return []string{s} }},
	{".go", `slug: "([^"]+)"`, func(s string) []string { return []string{"problem." + s + ".title", "problem." + s} }},
	{".go", `badRequest\("([^"]+)"`, func(s string) []string { return []string{"problem." + s + ".title", "problem." + s} }},
	{".js", `say\("([^"]+)"`, func(s string) []string { return []string{"js." + s} }},
	{".go", `as[A-Z][A-Za-z]+: "(\w+)"`, func(s string) []string { return []string{"said.type-" + s} }},
}

// Dependencies are named where the program is put together.
var dependencies = []string{"database", "bucket", "spool", "endpoint"}

func TestEveryKeyIsThereAndUsed(t *testing.T) {
	used := map[string]bool{}
	for _, c := range composed {
		pattern := regexp.MustCompile(c.pattern)
		for file, text := range sources(t, c.ending) {
			for _, match := range pattern.FindAllStringSubmatch(text, -1) {
				for _, key := range c.keys(match[1]) {
					used[key] = true
					if !words.Has(key) {
						t.Errorf("%s says %q, for which there are no words", file, key)
					}
				}
			}
		}
	}
	for _, name := range dependencies {
		used["down."+name] = true
		if !words.Has("down." + name) {
			t.Errorf("no words for a %s that is down", name)
		}
	}
	for _, key := range words.Keys() {
		if !used[key] {
			t.Errorf("nobody says %q", key)
		}
	}
}

var (
	verb        = regexp.MustCompile(`%(?:\[\d+\])?[-+ #0-9.]*[a-z]`)
	placeholder = regexp.MustCompile(`\{\w+\}`)
)

func TestLanguagesTakeTheSameArguments(t *testing.T) {
	for _, key := range words.Keys() {
		en, vi := say(t, words.English, key), say(t, words.Vietnamese, key)
		if strings.TrimSpace(en) == "" || strings.TrimSpace(vi) == "" {
			t.Errorf("%s is empty", key)
		}
		for _, pattern := range []*regexp.Regexp{verb, placeholder} {
			a, b := pattern.FindAllString(strings.ReplaceAll(en, "%%", ""), -1), pattern.FindAllString(strings.ReplaceAll(vi, "%%", ""), -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s takes %q in English and %q in Vietnamese", key, a, b)
			}
		}
	}
}

func say(t *testing.T, l words.Language, key string, args ...any) string {
	t.Helper()
	sentence, err := l.T(key, args...)
	if err != nil {
		t.Fatal(err)
	}
	return sentence
}

func TestT(t *testing.T) {
	if got := say(t, words.Vietnamese, "problem.too-many-files", 20); got != "Mỗi lần gửi tối đa 20 ảnh." {
		t.Errorf("got %q", got)
	}
	if got, err := words.English.T("no.such.key"); err == nil {
		t.Errorf("said %q", got)
	}
}

func TestPreferred(t *testing.T) {
	for header, want := range map[string]words.Language{
		"": words.English, "*": words.English, "vi": words.Vietnamese, "vi-VN,vi;q=0.9,en;q=0.8": words.Vietnamese,
		"en-US,en;q=0.9,vi;q=0.8": words.English, "fr,vi;q=0.5": words.Vietnamese, "de-DE": words.English,
		"vi;q=0,en": words.English, "\x00;;q=": words.English,
	} {
		if got := words.Preferred(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
