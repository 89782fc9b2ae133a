package web

import (
	"bytes"
	_ "embed"
	"net/http"
	"regexp"
	"time"
)

// openAPI describes every route of the table; a test holds the two together.
//
//go:embed openapi.yaml
var openAPIDocument []byte

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "openapi.yaml", time.Time{}, bytes.NewReader(openAPIDocument))
	return nil
}

type docsData struct {
	Base   string // address of this site, for the examples
	Labels []string
	Rate   int // pictures a minute
}

// plainHost is a host that may stand in a command somebody copies.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$|^\[[0-9a-fA-F:]+\](:[0-9]+)?$`)

func (s *Server) docsPage(w http.ResponseWriter, r *http.Request) error {
	scheme, host := "http", r.Host
	if overTLS(r) {
		scheme = "https"
	}
	if !plainHost.MatchString(host) {
		host = "localhost:8080"
	}
	s.render(w, r, http.StatusOK, "docs", docsData{Base: scheme + "://" + host, Labels: knownLabels, Rate: s.RatePerMinute})
	return nil
}
