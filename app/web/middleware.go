package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzhttp"

	"vinfast-classifier/app/web/words"
)

// request is what the layers share about one request.
type request struct {
	id    string
	route string // the path pattern; "other" before the table has matched
	lang  words.Language
	// visitor is who sends it, as kept with uploads; empty for nobody known.
	visitor string
}

type requestKey struct{}

// about returns the request's shared notes; a zero value outside of identify.
func about(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{lang: words.English}
}

var saneID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// identify gives each request an id: the caller's if it cannot do harm in a
// log or a header, else one of ours.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !saneID.MatchString(id) {
			id = uuid.NewString()
		}
		w.Header().Set("X-Request-Id", id)
		notes := &request{id: id, route: "other", lang: words.English}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, notes)))
	})
}

// observe writes one access-log line and the metrics of each request. The
// query is not logged: it may hold what somebody typed.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			rec.before = func() { s.rateHeaders(w.Header(), r) }
		}
		defer func() {
			took := time.Since(start)
			route := about(r.Context()).route
			s.metrics.request(r.Method, route, rec.code(), took)
			s.Log.Log(r.Context(), accessLevel(route, rec.code()), "request",
				"method", r.Method, "path", r.URL.Path, "route", route, "status", rec.code(),
				"bytes", rec.bytes, "duration_ms", took.Milliseconds(), "client", clientAddress(r))
		}()
		next.ServeHTTP(rec, r)
	})
}

// accessLevel leaves out what machines ask every few seconds, as long as the
// answer is good: kept logs cost money.
func accessLevel(route string, status int) slog.Level {
	switch route {
	case "/healthz", "/readyz", "/metrics":
		if status < 400 {
			return slog.LevelDebug
		}
	}
	return slog.LevelInfo
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	before func() // called before the header is sent; nil for nothing
}

func (r *recorder) WriteHeader(status int) {
	r.begin(status)
	r.ResponseWriter.WriteHeader(status)
}

// begin notes the first status.
func (r *recorder) begin(status int) {
	if r.status != 0 {
		return
	}
	r.status = status
	if r.before != nil {
		r.before()
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.begin(http.StatusOK)
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// pagePolicy allows what the pages use, all of it from this site; blob: is the
// preview of a chosen file.
const pagePolicy = "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// squeeze compresses text, for whoever takes it.
func squeeze(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypes([]string{"text/html", "text/css", "text/csv", "text/javascript",
		"image/svg+xml", "application/json", "application/problem+json", "application/yaml"}))
	if err != nil {
		panic(err) // the options above are wrong
	}
	return wrap(next)
}

func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: browsers then send "Origin: null" with our own form,
		// and over plain HTTP the Origin is all crossOrigin has to go by.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// recoverPanics turns a panic into a 500, logged once with its stack.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.ErrorContext(r.Context(), "panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				panic(http.ErrAbortHandler) // half an answer must not look whole
			}
			s.answer(w, r, wantsPage(r), internalFault)
		}()
		next.ServeHTTP(w, r)
	})
}

// crossOrigin refuses state-changing requests that another site's page makes
// a browser send.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	c := http.NewCrossOriginProtection()
	c.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := &fault{status: http.StatusForbidden, slug: "cross-origin",
			title: "Sent from another site", detail: "This request came from a page of another site. Open this site itself and try again."}
		if origin := r.Header.Get("Origin"); r.Header.Get("Sec-Fetch-Site") == "" && origin != "null" {
			// A browser without Sec-Fetch-Site is known by its Origin and our Host
			// only, and a proxy may have put another Host in its place.
			args := []any{clip(origin), clip(r.Host)}
			f.detail = fmt.Sprintf("This request came from a page of %q, and this server is called %q. If both are this site, "+
				"the proxy before it has to pass on the header Host as the browser sent it.", args...)
			f = f.with("said.other-host", args...)
		}
		s.fail(w, r, wantsPage(r), f)
	}))
	return c.Handler(next)
}

// wantsPage tells a browser from a program where the route does not.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// LogHandler adds the request id to every record logged with a request's
// context.
func LogHandler(h slog.Handler) slog.Handler { return logHandler{h} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := about(ctx).id; id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler { return logHandler{h.Handler.WithAttrs(a)} }
func (h logHandler) WithGroup(n string) slog.Handler      { return logHandler{h.Handler.WithGroup(n)} }
