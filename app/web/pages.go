package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/web/words"
)

//go:embed templates
var templateFiles embed.FS

// pages are the parsed templates by language and name: base.html with one
// block filled.
type pages struct {
	byName map[words.Language]map[string]*template.Template
}

// pageNames are the templates that fill base.html.
var pageNames = []string{"upload", "results", "history", "stats", "docs", "error"}

func parsePages(a *assets) (*pages, error) {
	funcs := template.FuncMap{
		"asset":   a.url,
		"people":  people,
		"percent": percent,
		"rfc3339": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"json":    inJSON,
		"labels":  func() []string { return knownLabels },
	}
	p := &pages{byName: map[words.Language]map[string]*template.Template{}}
	for _, l := range words.All {
		p.byName[l.Language] = map[string]*template.Template{}
		for _, name := range pageNames {
			t, err := template.New("base.html").Funcs(funcs).Funcs(languageFuncs(l.Language)).
				ParseFS(templateFiles, "templates/base.html", "templates/parts.html", "templates/lineup.html", "templates/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("page %s: %w", name, err)
			}
			p.byName[l.Language][name] = t
		}
	}
	return p, nil
}

// frame is what base.html is made of; the blocks of a page see only Data.
type frame struct {
	Lang    words.Language
	Tongues []tongue
	Route   string // path pattern, to mark the place in the navigation
	Data    any
}

// fragmentHeader asks for the inner part of a page alone, in place of the
// whole: what app.js puts into the page that is open.
const fragmentHeader = "X-Fragment"

// render writes the page into a buffer first: half a page is no page.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	notes := about(r.Context())
	block := "base.html"
	var with any = frame{notes.lang, tongues(r), notes.route, data}
	if r.Header.Get(fragmentHeader) != "" {
		block, with = "fragment", data
	}
	var page bytes.Buffer
	if err := s.pages.byName[notes.lang][name].ExecuteTemplate(&page, block, with); err != nil {
		s.Log.ErrorContext(r.Context(), "render page", "page", name, "err", err)
		http.Error(w, "The page could not be made. The fault was written to the log.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(notes.lang))
	w.WriteHeader(status)
	if _, err := w.Write(page.Bytes()); err != nil {
		s.Log.DebugContext(r.Context(), "write page", "err", err)
	}
}

type errorData struct{ Problem *problem }

// sample is one button of the upload page.
type sample struct {
	File  string
	Label string
}

type uploadData struct {
	Token    string // one per page: the same picture sent twice is one upload
	Notice   string
	Down     []State
	Samples  []sample
	MaxFiles int
	MaxBytes string
	Bytes    int64
	MaxMega  string // megapixels
}

func (s *Server) uploadPage(w http.ResponseWriter, r *http.Request) error {
	data := uploadData{Token: uuid.NewString(), MaxFiles: maxFiles,
		Bytes:    s.Limits.Bytes,
		MaxBytes: bytesForPeople(s.Limits.Bytes), MaxMega: fmt.Sprintf("%.4g", float64(s.Limits.Pixels)/1e6)}
	for _, state := range s.health.glance() {
		if state.State == "up" {
			continue
		}
		lang := about(r.Context()).lang
		if said, err := lang.T("down." + state.Name); err == nil && lang != words.English {
			state.Detail = said
		}
		data.Down = append(data.Down, state)
	}
	data.Notice = s.health.modelNotice()
	for _, file := range s.assets.samples {
		label := file[:strings.LastIndex(file, ".")]
		data.Samples = append(data.Samples, sample{File: file, Label: people(label)})
	}
	s.render(w, r, http.StatusOK, "upload", data)
	return nil
}

// card is one picture's outcome on a page.
type card struct {
	File string // what the sender called it; empty on a permalink
	car.Prediction
	Took     string // seconds the answer took; empty on a permalink
	Own      bool   // the reader sent it, and may say what it shows
	Sure     bool
	Six      string // the cars the model knows; empty if it is another model
	MinScore float64
	ImageURL string
	Link     string // permalink
	Fault    *problem
}

type resultsData struct {
	Car   string // on the permalink of a sure answer, for the title
	Cards []card
}

func (s *Server) cardOf(p car.Prediction) card {
	return card{Prediction: p, Sure: p.Score >= s.MinScore, Six: sixCars(p.Scores), MinScore: s.MinScore, ImageURL: imageURL(p.ID), Link: "/predictions/" + p.ID}
}

// postForm is the page's upload. Good pictures are kept even if another one
// of the same form is bad: a person should not have to choose them again.
func (s *Server) postForm(w http.ResponseWriter, r *http.Request) error {
	if !isMultipart(r) {
		return &fault{status: http.StatusUnsupportedMediaType, slug: "unsupported-type", title: "Unsupported form",
			key: "said.form", detail: "Use the form on the start page, or the API at /api/v1/predictions."}
	}
	key, err := idempotencyKey(r) // app.js sends one with each picture
	if err != nil {
		return err
	}
	f, err := s.readMultipart(r, "token", "sample")
	if err != nil {
		return err
	}
	if f.sample != "" {
		data, ok := s.assets.sample(f.sample)
		if !ok {
			return badRequest("no-sample", "No such sample", "There is no sample picture of this name. Reload the start page.", nil)
		}
		f.files = append(f.files, file{name: f.sample, data: data})
	}
	if len(f.files) == 0 {
		return badRequest("no-picture", "No picture", "Choose a picture first.", nil)
	}
	if err := s.limitRate(r, len(f.files)-1); err != nil {
		return err
	}
	items := make([]item, len(f.files))
	for i, file := range f.files {
		items[i].file = file
	}
	if err := s.decode(r.Context(), items); err != nil {
		return err
	}
	if f.token == "" {
		f.token = newID() // a form of somebody's own; at least within it nothing doubles
	}
	for i := range items {
		items[i].id = formID(f.token, items[i].photo.SHA256)
		if key != "" {
			items[i].keyed(key, i)
		}
	}
	s.classify(r.Context(), items)
	s.showResults(w, r, items)
	return nil
}

func (s *Server) showResults(w http.ResponseWriter, r *http.Request, items []item) {
	var page resultsData
	kept := false
	for _, it := range items {
		var c card
		if it.err == nil {
			kept = true
			c = s.cardOf(it.prediction)
			c.Own = mine(r, it.prediction.Visitor)
			c.Took = seconds(about(r.Context()).lang, it.took)
		} else {
			f := faultOf(it.err)
			s.logFault(r.Context(), f)
			c.Fault = f.said(r.Context())
		}
		c.File = clip(it.name)
		page.Cards = append(page.Cards, c)
	}
	status := http.StatusCreated
	if !kept {
		first := faultOf(items[0].err)
		first.headers(w.Header())
		status = first.status
	}
	s.render(w, r, status, "results", page)
}

func (s *Server) resultPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	c := s.cardOf(p)
	c.Own = mine(r, p.Visitor)
	page := resultsData{Cards: []card{c}}
	if c.Sure {
		page.Car = people(p.Label)
	}
	s.render(w, r, http.StatusOK, "results", page)
	return nil
}
