package web

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"vinfast-classifier/app/car"
)

// historyLimit is the pictures on one page of the gallery.
const historyLimit = 24

// galleryCard is one picture of the gallery.
type galleryCard struct {
	card
	Thumb  string // address
	Mine   bool   // may be deleted
	Agrees bool   // the sender says that the label is right
}

// choice is one line of a select.
type choice struct {
	Value, Name string
	Chosen      bool
}

type historyData struct {
	Cards        []galleryCard
	Mine         bool // shows the visitor's own
	Filtered     bool
	Labels       []choice
	Confidences  []choice
	Since, Until string // as they were typed
	Other        string // link to everybody's, or to the visitor's own
	Plain        string // link without filters
	CSV          string // link to the same selection, all pages
	Newest       string // link to the first page, empty on it
	Older        string // link to the next page, empty on the last
	Back         string // query of this page, for the way back from a form
}

// historyPage shows the visitor's own uploads, or with mine=false everybody's.
func (s *Server) historyPage(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	f, err := filterOf(r, historyLimit, true)
	if err != nil {
		return err
	}
	list, err := s.History.List(r.Context(), f)
	if err != nil {
		return historyFault(err)
	}
	page := historyData{Mine: f.Visitor != "", Labels: labelChoices(list, f.Label), Confidences: confidenceChoices(f.MinScore),
		Filtered: f.Label != "" || f.MinScore > 0 || !f.Since.IsZero() || !f.Until.IsZero(),
		Since:    query.Get("since"), Until: query.Get("until"), Back: query.Encode()}
	for _, p := range list.Predictions {
		p.Stored = true
		page.Cards = append(page.Cards, galleryCard{card: s.cardOf(p), Thumb: thumbnailURL(p.ID), Mine: mine(r, p.Visitor), Agrees: p.Feedback == p.Label})
	}
	page.links(query, list.Next)
	s.render(w, r, http.StatusOK, "history", page)
	return nil
}

func (d *historyData) links(query url.Values, next string) {
	who := url.Values{}
	if !d.Mine {
		who.Set("mine", "false")
	}
	d.Plain = address("/history", who)
	d.CSV = address("/api/v1/predictions.csv", selection(query, "", "mine", strconv.FormatBool(d.Mine)))
	d.Other = address("/history", selection(query, "", "mine", "false"))
	if !d.Mine {
		d.Other = address("/history", selection(query, "", "mine", ""))
	}
	if next != "" {
		d.Older = address("/history", selection(query, next))
	}
	if query.Get("cursor") != "" {
		d.Newest = address("/history", selection(query, ""))
	}
}

// selection is what query selects, at another cursor and with pairs of other
// values; an empty value takes a parameter away.
func selection(query url.Values, cursor string, pairs ...string) url.Values {
	to := url.Values{}
	for name, values := range query {
		if values[0] != "" {
			to[name] = values
		}
	}
	for i, pairs := 0, append(pairs, "cursor", cursor); i < len(pairs); i += 2 {
		to.Del(pairs[i])
		if pairs[i+1] != "" {
			to.Set(pairs[i], pairs[i+1])
		}
	}
	return to
}

func address(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// labelChoices are the known labels, those of the page and the chosen one.
func labelChoices(list car.Page, chosen string) []choice {
	labels := slices.Clone(knownLabels)
	for _, p := range list.Predictions {
		labels = append(labels, p.Label)
	}
	if chosen != "" {
		labels = append(labels, chosen)
	}
	slices.Sort(labels)
	var all []choice
	for _, label := range slices.Compact(labels) {
		all = append(all, choice{label, people(label), label == chosen})
	}
	return all
}

// confidenceChoices are steps, and the chosen value if somebody typed another.
func confidenceChoices(chosen float64) []choice {
	steps := []float64{0.5, 0.75, 0.9, 0.99}
	if chosen > 0 && !slices.Contains(steps, chosen) {
		steps = append(steps, chosen)
		slices.Sort(steps)
	}
	var all []choice
	for _, step := range steps {
		name := strconv.FormatFloat(math.Round(step*1e4)/100, 'f', -1, 64) + "%"
		all = append(all, choice{strconv.FormatFloat(step, 'g', -1, 64), name, step == chosen})
	}
	return all
}
