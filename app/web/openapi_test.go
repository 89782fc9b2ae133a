package web_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/pb33f/libopenapi"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/web"
)

// TestEveryRouteIsDescribed holds the route table and the document together,
// both ways.
func TestEveryRouteIsDescribed(t *testing.T) {
	s := newSite(t)
	server, err := web.New(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(web.Document())
	if err != nil {
		t.Fatal(err)
	}
	model, err := document.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for route := range server.Routes() {
		if !described[route] {
			t.Errorf("%s is not described", route)
		}
	}
	for route := range described {
		if !server.Routes()[route] {
			t.Errorf("%s is described, but there is no such route", route)
		}
	}
	resp, body := s.do("GET", "/openapi.yaml", nil)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/yaml" || body != string(web.Document()) {
		t.Errorf("served: %d %v", resp.StatusCode, resp.Header)
	}
}

func TestStatsPage(t *testing.T) {
	s := newSite(t)
	if got := words(s.open("/stats").Find("main")); !strings.Contains(got, "No picture was sent in these days.") {
		t.Errorf("empty: %q", got)
	}
	if want := s.now.AddDate(0, 0, -29); s.span.Since.Format("2006-01-02") != want.Format("2006-01-02") || s.span.Until.Sub(s.span.Since).Hours() != 30*24 {
		t.Errorf("asked for %+v", s.span)
	}
	s.set(func(s *site) {
		s.stats = car.Stats{Total: 5, Labels: []car.LabelCount{{Label: "Vinfast_VF_8", Count: 4, Judged: 2, Agreed: 1}, {Label: "<b>", Count: 1}},
			Days: []car.DayCount{{Day: s.now.Truncate(24 * 3600e9), Count: 5}}, Confidence: [10]int{9: 4, 3: 1}}
	})
	d := s.open("/stats?since=2026-01-01&until=2026-01-31")
	if d.Find("svg[role=img] > title").Length() != 3 || d.Find("svg > desc").Length() != 3 || d.Find("table caption").Length() != 3 {
		t.Error("a chart lacks its title, description or table")
	}
	d.Find("svg").Each(func(_ int, e *goquery.Selection) {
		for _, id := range strings.Fields(e.AttrOr("aria-labelledby", "")) {
			if d.Find("#"+id).Length() != 1 {
				t.Errorf("no element %s", id)
			}
		}
	})
	if got := words(d.Find("#models ~ .beside tbody")); got != "VinFast VF 841 of 2 <b>1none said" {
		t.Errorf("models: %q", got)
	}
	if got := words(d.Find("svg .count")); !strings.HasPrefix(got, "4") {
		t.Errorf("the bars say %q", got)
	}
	for _, bad := range []string{"since=x", "until=2026-1-1", "since=2026-02-01&until=2026-01-01", "since=2020-01-01&until=2026-01-01", "x=1", "since=2026-01-01&since=2026-01-02", "until=9999-12-31"} {
		resp, body := s.do("GET", "/stats?"+bad, nil)
		if page(t, resp, body); resp.StatusCode != 400 {
			t.Errorf("%s: %d", bad, resp.StatusCode)
		}
	}
	s.set(func(s *site) { s.database = errDown })
	if resp, _ := s.do("GET", "/stats", nil); resp.StatusCode != 503 {
		t.Errorf("database down: %d", resp.StatusCode)
	}
}
