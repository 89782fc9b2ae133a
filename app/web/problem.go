package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"

	"vinfast-classifier/app/car"
	"vinfast-classifier/app/web/words"
)

// handler answers one request or returns why not; adapt does the rest.
type handler func(w http.ResponseWriter, r *http.Request) error

// fault is an error that knows its answer. detail is shown to people, cause is
// only logged.
type fault struct {
	status int
	slug   string // last part of the problem's type
	title  string
	detail string
	retry  int    // seconds for Retry-After; 0 for none
	allow  string // Allow header; empty for none
	key    string // of the detail among the words; empty for the slug's own
	args   []any  // what is in the detail
	cause  error
	extra  any // "predictions" of a problem about several files; nil for none
}

func (f *fault) Error() string {
	if f.cause != nil {
		return f.title + ": " + f.cause.Error()
	}
	return f.title + ": " + f.detail
}

func (f *fault) Unwrap() error { return f.cause }

// problem is RFC 9457's shape.
type problem struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Status      int    `json:"status"`
	Detail      string `json:"detail"`
	Instance    string `json:"instance"` // the request id, as in the log
	Predictions any    `json:"predictions,omitempty"`
}

func (f *fault) problem(ctx context.Context) *problem {
	return &problem{Type: "urn:vinfast-classifier:problem:" + f.slug, Title: f.title, Status: f.status,
		Detail: f.detail, Instance: about(ctx).id, Predictions: f.extra}
}

// with says which sentence of the words the detail is, if it is not the slug's
// own, and what is in it.
func (f *fault) with(key string, args ...any) *fault {
	f.key, f.args = key, args
	return f
}

// said is the problem in the language of the request, for a page. What the
// words do not have stays English.
func (f *fault) said(ctx context.Context) *problem {
	p, lang := f.problem(ctx), about(ctx).lang
	key := f.key
	if key == "" {
		key = "problem." + f.slug
	}
	if title, err := lang.T("problem." + f.slug + ".title"); err == nil {
		p.Title = title
	}
	if detail, err := lang.T(key, f.args...); err == nil && lang != words.English {
		p.Detail = detail
	}
	return p
}

// known says how each fault of the domain is answered. The first that matches
// counts; a car.Refusal brings its own sentence.
var known = []struct {
	is error
	fault
}{
	{car.ErrTooLarge, fault{status: 413, slug: "too-large", title: "Picture too large", detail: "This file is larger than the server takes. Send a smaller one."}},
	{car.ErrUnsupportedType, fault{status: 415, slug: "unsupported-type", title: "Unsupported picture type", detail: "Send a JPEG, PNG, WebP or GIF picture."}},
	{car.ErrTooManyPixels, fault{status: 422, slug: "too-many-pixels", title: "Too many pixels", detail: "Scale the picture down and send it again."}},
	{car.ErrBroken, fault{status: 422, slug: "broken", title: "Broken picture", detail: "The file cannot be read to its end. Save it again, or send another one."}},
	{car.ErrNotImage, fault{status: 400, slug: "not-an-image", title: "Not a picture", detail: "Send a JPEG, PNG, WebP or GIF picture."}},
	{car.ErrEndpointTimeout, fault{status: 504, slug: "model-too-slow", title: "The model is too slow", detail: "The model did not answer in time. The picture was not kept; send it again in a minute.", retry: 30}},
	{car.ErrEndpointBusy, fault{status: 503, slug: "model-busy", title: "The model is busy", detail: "The model gets more pictures than it can look at. This one was not kept; send it again in a few seconds.", retry: 5}},
	{car.ErrPictureRefused, fault{status: 422, slug: "picture-refused", title: "The model cannot read this picture", detail: "The model works, but refuses this picture. Save it again as an ordinary JPEG, or send another one."}},
	{car.ErrEndpointUnavailable, fault{status: 503, slug: "model-unavailable", title: "The model is not available", detail: "The model is switched off, starting or busy. The picture was not kept; send it again in a minute.", retry: 30}},
	{car.ErrSpoolFull, fault{status: 503, slug: "storage-full", title: "Too many pictures wait", detail: "So many pictures wait to be stored that no more are taken. This one was not kept; send it again in a few minutes.", retry: 60}},
	{car.ErrSpoolUnavailable, fault{status: 503, slug: "storage-unavailable", title: "Storage is not available", detail: "The picture could not be written down safely and was not kept. Send it again in a minute.", retry: 30}},
	{car.ErrInFlight, fault{status: 409, slug: "in-flight", title: "Still at work", detail: "The first request with this key or picture is not finished. Ask again in a few seconds.", retry: 2}},
	{car.ErrDeleted, fault{status: 410, slug: "deleted", title: "Deleted before", detail: "This picture was sent and deleted before. To send it again, use a new Idempotency-Key or reload the start page."}},
	{car.ErrNotYours, fault{status: 403, slug: "not-yours", title: "Not yours", detail: "Only the browser that sent this picture may do this."}},
	{car.ErrBusy, fault{status: 503, slug: "history-busy", title: "Too many look things up", detail: "Many are looking things up right now. Pictures are taken all the same; look again in a few seconds.", retry: 5}},
	{car.ErrTooSlow, fault{status: 503, slug: "too-much", title: "This is too much at once", detail: "Looking this up takes too long. Give fewer days with since and until.", retry: 30}},
	{car.ErrUnfit, fault{status: 400, slug: "bad-parameters", title: "Bad parameters", key: "said.unfit", detail: "The database cannot take one of these values."}},
	{car.ErrResting, fault{status: 503, slug: "database-unavailable", title: "The database is not available", detail: "The database does not answer and is asked again in a few seconds. Nothing is lost; look again then.", retry: 10}},
	{car.ErrNotFound, fault{status: 404, slug: "not-found", title: "Not found", detail: "There is no such prediction. It may have been deleted."}},
	{car.ErrBadCursor, fault{status: 400, slug: "bad-parameters", title: "Bad parameters", detail: "cursor: take the value of \"next\" from the page before."}},
	{os.ErrDeadlineExceeded, fault{status: 408, slug: "too-slow", title: "The upload took too long", detail: "The picture did not arrive in time. Try a better connection or a smaller picture."}},
	{context.DeadlineExceeded, fault{status: 504, slug: "timeout", title: "This took too long", detail: "The server gave up. Nothing was kept; try again in a minute.", retry: 30}},
}

var internalFault = &fault{status: 500, slug: "internal", title: "Something went wrong",
	detail: "The fault is on our side and was written to the log. Try again."}

// faultOf finds the answer to err.
func faultOf(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	for _, k := range known {
		if !errors.Is(err, k.is) {
			continue
		}
		f := k.fault
		f.cause = err
		if r, ok := errors.AsType[*car.Refusal](err); ok {
			f.detail, f.key, f.args = r.Sentence, r.Key, r.Args
		}
		return &f
	}
	f := *internalFault
	f.cause = err
	return &f
}

// adapt makes a route an http.Handler: it notes the route and answers errors.
func (s *Server) adapt(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		about(r.Context()).route = strings.TrimSuffix(rt.path, "{$}")
		s.meet(w, r, rt.page || r.Method == http.MethodPost)
		if err := rt.serve(w, r); err != nil {
			s.fail(w, r, rt.page || wantsPage(r), err)
		}
	})
}

// fail logs the cause once and answers.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, page bool, err error) {
	f := faultOf(err)
	s.logFault(r.Context(), f)
	s.answer(w, r, page, f)
}

func (s *Server) logFault(ctx context.Context, f *fault) {
	level := slog.LevelInfo
	if f.status >= 500 && ctx.Err() == nil {
		level = slog.LevelError
	}
	s.Log.Log(ctx, level, "request failed", "status", f.status, "problem", f.slug, "err", f.Error())
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, page bool, f *fault) {
	h := w.Header()
	f.headers(h)
	if page {
		s.render(w, r, f.status, "error", errorData{Problem: f.said(r.Context())})
		return
	}
	s.writeJSON(w, r, f.status, "application/problem+json", f.problem(r.Context()))
}

func (f *fault) headers(h http.Header) {
	if f.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(f.retry))
	}
	if f.allow != "" {
		h.Set("Allow", f.allow)
	}
	// What a handler set for its success does not fit its failure.
	for _, name := range []string{"Content-Length", "Content-Disposition", "Etag", "Last-Modified", "Location"} {
		h.Del(name)
	}
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
}

func (s *Server) writeJSON(w http.ResponseWriter, r *http.Request, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Log.ErrorContext(r.Context(), "encode answer", "err", err)
		status, body = 500, []byte(`{"title":"Something went wrong","status":500}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		s.Log.DebugContext(r.Context(), "write answer", "err", err)
	}
}

func wrongMethod(allowed []string) handler {
	allow := strings.Join(withHead(allowed), ", ")
	return func(_ http.ResponseWriter, r *http.Request) error {
		return &fault{status: http.StatusMethodNotAllowed, slug: "method-not-allowed", title: "Method not allowed",
			detail: "This address takes " + allow + ".", args: []any{allow}, allow: allow}
	}
}

// withHead adds HEAD, which the mux answers wherever GET is.
func withHead(methods []string) []string {
	var all []string
	for _, m := range methods {
		all = append(all, m)
		if m == http.MethodGet {
			all = append(all, http.MethodHead)
		}
	}
	return all
}

func noSuchPage(http.ResponseWriter, *http.Request) error {
	return &fault{status: 404, slug: "not-found", title: "Not found", key: "said.no-page", detail: "There is nothing at this address."}
}

func badRequest(slug, title, detail string, cause error) *fault {
	return &fault{status: http.StatusBadRequest, slug: slug, title: title, detail: detail, cause: cause}
}
