package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vinfast-classifier/app/web/words"
)

// languageCookie keeps what somebody chose with the switch.
const languageCookie = "lang"

// speak finds the language of a page: the switch (?lang=vi), what was chosen
// before, or what the browser asks for. The API speaks English.
func speak(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		notes := about(r.Context())
		query := r.URL.Query()
		chosen, ok := words.Named(query.Get("lang"))
		if ok {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: string(chosen), Path: "/",
				MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: overTLS(r)})
		} else if cookie, err := r.Cookie(languageCookie); err == nil {
			chosen, ok = words.Named(cookie.Value)
		}
		if !ok {
			chosen = words.Preferred(r.Header.Get("Accept-Language"))
		}
		notes.lang = chosen
		if query.Has("lang") {
			// The pages know nothing of it, and are strict about their parameters.
			query.Del("lang")
			r.URL.RawQuery = query.Encode()
		}
		w.Header().Add("Vary", "Accept-Language, Cookie")
		next.ServeHTTP(w, r)
	})
}

// overTLS tells whether the browser came over HTTPS, here or at the balancer.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || fromBalancer(r) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// tongue is one line of the language switch.
type tongue struct {
	Code, Name string
	Link       string // this page in that language
	Current    bool
}

// tongues link to the same page; what was posted cannot be had again, so from
// there the switch leads to the start.
func tongues(r *http.Request) []tongue {
	at := url.URL{Path: "/"}
	query := url.Values{}
	if r.Method == http.MethodGet {
		at.Path, query = r.URL.Path, r.URL.Query()
	}
	var all []tongue
	for _, l := range words.All {
		query.Set("lang", string(l.Language))
		at.RawQuery = query.Encode()
		all = append(all, tongue{string(l.Language), l.Name, at.String(), l.Language == about(r.Context()).lang})
	}
	return all
}

// languageFuncs are the functions of the templates that speak.
func languageFuncs(lang words.Language) template.FuncMap {
	return template.FuncMap{
		"t":     lang.T,
		"group": lang.Group,
		"day": func(t time.Time) (string, error) {
			layout, err := lang.T("site.date")
			return t.UTC().Format(layout), err
		},
		"date": func(t time.Time) (string, error) {
			layout, err := lang.T("stats.date")
			return t.UTC().Format(layout), err
		},
		// notice translates what the built-in model says of itself.
		"notice": func(said string) (string, error) {
			if english, err := words.English.T("result.demo"); err != nil || said != english {
				return said, err
			}
			return lang.T("result.demo")
		},
	}
}
