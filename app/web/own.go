package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"vinfast-classifier/app/car"
)

// What a visitor may do with own uploads: delete them, and say what they show.

const (
	// changesPerPicture is how many changes an address may make for each picture
	// it may send.
	changesPerPicture = 2
	// maxChange bounds the body of a change, in bytes.
	maxChange = 4 << 10
	// otherCar is the feedback for a car that the model does not know.
	otherCar = "other"
)

// change puts the limits before a route that changes what is kept.
func (s *Server) change(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.limitChanges(r); err != nil {
			return err
		}
		if err := refuseEncoded(w, r); err != nil {
			return err
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxChange)
		return next(w, r)
	}
}

// deletePrediction is the API's; a second time is as good as the first.
func (s *Server) deletePrediction(w http.ResponseWriter, r *http.Request) error {
	if err := s.remove(r); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteForm goes back to the gallery it came from.
func (s *Server) deleteForm(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if err := s.remove(r); err != nil {
		return err
	}
	back, err := url.ParseQuery(form.Get("back"))
	if err != nil {
		back = nil // nothing that this site wrote
	}
	http.Redirect(w, r, address("/history", selection(back, back.Get("cursor"))), http.StatusSeeOther)
	return nil
}

func (s *Server) remove(r *http.Request) error {
	id := strings.ToLower(r.PathValue("id"))
	if !goodID(id) {
		return fmt.Errorf("%w: %q is no id", car.ErrNotFound, clip(id))
	}
	err := s.Remover.Remove(r.Context(), id, about(r.Context()).visitor)
	if errors.Is(err, car.ErrNotYours) {
		return err
	}
	if err != nil {
		return historyFault(err)
	}
	if err := s.Thumbnails.Delete(id); err != nil {
		s.Log.WarnContext(r.Context(), "a thumbnail of a deleted upload is left", "upload_id", id, "err", err)
	}
	return nil
}

// postFeedback is the API's: {"label":"..."}.
func (s *Server) postFeedback(w http.ResponseWriter, r *http.Request) error {
	label, err := readLabel(r)
	if err != nil {
		return err
	}
	p, err := s.feedback(r, label)
	if err != nil {
		return err
	}
	s.writeJSON(w, r, http.StatusOK, "application/json", jsonOf(r, p))
	return nil
}

// feedbackForm goes back to the result.
func (s *Server) feedbackForm(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	p, err := s.feedback(r, form.Get("label"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/predictions/"+p.ID, http.StatusSeeOther)
	return nil
}

func (s *Server) feedback(r *http.Request, label string) (car.Prediction, error) {
	if label != otherCar && !slices.Contains(knownLabels, label) {
		return car.Prediction{}, badRequest("bad-label", "Unknown label",
			"Send one of these labels: "+strings.Join(knownLabels, ", ")+", "+otherCar+".", nil).
			with("problem.bad-label", strings.Join(knownLabels, ", ")+", "+otherCar)
	}
	p, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		return p, err
	}
	if !mine(r, p.Visitor) {
		return p, fmt.Errorf("%w: %s", car.ErrNotYours, p.ID)
	}
	if !p.Stored {
		return p, &fault{status: http.StatusConflict, slug: "not-stored", title: "Not stored yet", retry: 10,
			detail: "This picture is kept safe, but not in the history yet. Try again in a few seconds."}
	}
	if err := s.History.SetFeedback(r.Context(), p.ID, label, s.Now()); err != nil {
		return p, historyFault(err)
	}
	p.Feedback = label
	return p, nil
}

// readLabel takes {"label":"..."} and nothing else.
func readLabel(r *http.Request) (string, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return "", &fault{status: http.StatusUnsupportedMediaType, slug: "not-json", title: "Not JSON", cause: err,
			detail: "Send {\"label\":\"...\"} with the Content-Type application/json."}
	}
	var body struct {
		Label *string `json:"label"`
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&body)
	if err == nil && body.Label == nil {
		err = errors.New("no label")
	}
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		return "", changeFault(err, badRequest("bad-json", "Bad JSON", "Send an object with the label that is right and nothing else: {\"label\":\"Vinfast_VF_8\"}.", err))
	}
	return *body.Label, nil
}

// readForm takes what a browser sends of a small form.
func readForm(r *http.Request) (url.Values, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, &fault{status: http.StatusUnsupportedMediaType, slug: "unsupported-form", title: "Unsupported form", cause: err,
			detail: "Use the form on the page, or the API."}
	}
	if err := r.ParseForm(); err != nil {
		return nil, changeFault(err, badRequest("broken-form", "Broken form", "The form cannot be read. Reload the page and try again.", err))
	}
	return r.PostForm, nil
}

// changeFault is bad, unless the body was too large.
func changeFault(err error, bad *fault) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &fault{status: http.StatusRequestEntityTooLarge, slug: "too-long", title: "Too long", cause: err,
			detail: "This is longer than the server takes."}
	}
	return bad
}
