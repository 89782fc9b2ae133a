// Package words holds every sentence that the pages show, in English and in
// Vietnamese side by side. A sentence lacking one language does not compile;
// the tests find keys that nobody uses, keys that do not exist, and sentences
// whose two languages take different arguments.
//
// Each part of the site has a file of its own with an area in it, listed in
// catalogue. Templates say {{t "history.title"}} or {{t "key" .Arg}}.
package words

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Language is a language of the pages, as in <html lang>.
type Language string

// The languages of the site. The first is spoken to whoever asks for neither.
const (
	English    Language = "en"
	Vietnamese Language = "vi"
)

// All languages, in the order of the switch, each by its own name.
var All = []struct {
	Language Language
	Name     string
}{{English, "English"}, {Vietnamese, "Tiếng Việt"}}

// pair is one sentence in all languages. Verbs are those of package fmt; where
// the order differs, %[2]s.
type pair struct{ en, vi string }

// area is the sentences of one part of the site, by key.
type area map[string]pair

// catalogue is all of them.
var catalogue = union(site, upload, result, problems, history, stats, docs)

func union(areas ...area) area {
	all := area{}
	for _, a := range areas {
		for key, p := range a {
			if _, twice := all[key]; twice {
				panic("words: two sentences for " + key)
			}
			all[key] = p
		}
	}
	return all
}

// Keys are those of all sentences, sorted.
func Keys() []string { return slices.Sorted(maps.Keys(catalogue)) }

// Has tells whether there is a sentence for key.
func Has(key string) bool {
	_, ok := catalogue[key]
	return ok
}

// T is the sentence for key with args in it; an error if there is none.
func (l Language) T(key string, args ...any) (string, error) {
	p, ok := catalogue[key]
	if !ok {
		return "", fmt.Errorf("no words for %q", key)
	}
	sentence := p.en
	if l == Vietnamese {
		sentence = p.vi
	}
	if len(args) == 0 {
		return sentence, nil
	}
	return fmt.Sprintf(sentence, args...), nil
}

// Group is the sentences whose keys begin with prefix, without it: what a
// script is given to say.
func (l Language) Group(prefix string) map[string]string {
	group := map[string]string{}
	for key, p := range catalogue {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			group[rest] = p.en
			if l == Vietnamese {
				group[rest] = p.vi
			}
		}
	}
	return group
}

// Named finds a language by its code.
func Named(code string) (Language, bool) {
	l := Language(code)
	return l, l == English || l == Vietnamese
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Vietnamese})

// Preferred reads an Accept-Language header.
func Preferred(header string) Language {
	_, index := language.MatchStrings(matcher, header)
	return All[index].Language
}
