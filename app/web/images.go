package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vinfast-classifier/app/car"
)

// imageTime bounds the reading of one picture from S3.
const imageTime = time.Minute

// getImage sends a picture: its pixels as they were sent, without what a camera
// noted beside them. With original=true whoever sent it gets every byte back.
// The bytes are a stranger's in any case, so the answer gives them no rights.
func (s *Server) getImage(w http.ResponseWriter, r *http.Request) error {
	original, err := wantsOriginal(r)
	if err != nil {
		return err
	}
	p, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	etag := `"` + p.SHA256 + `-clean"`
	if original {
		if !mine(r, p.Visitor) {
			return fmt.Errorf("%w: original of %s", car.ErrNotYours, p.ID)
		}
		etag = `"` + p.SHA256 + `"`
	}
	h := w.Header()
	imageHeaders(h, etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	leave, err := s.views.enter(r.Context(), 2*p.Size) // as it came, and clean
	if err != nil {
		return err
	}
	defer leave()
	data, err := s.readImage(r.Context(), p)
	if err != nil {
		return err
	}
	if !original {
		if data, err = s.clean(r.Context(), p, data); err != nil {
			return err
		}
	}
	h.Set("Content-Type", http.DetectContentType(data))
	h.Set("Content-Disposition", "inline; filename="+p.Key[strings.LastIndex(p.Key, "/")+1:])
	s.writeImage(w, r, data)
	return nil
}

func wantsOriginal(r *http.Request) (bool, error) {
	original := false
	query, err := queryOf(r)
	if err != nil {
		return false, err
	}
	for name, values := range query {
		if name != "original" || len(values) > 1 || yesNo(values[0], &original) != nil {
			return false, badRequest("bad-parameters", "Bad parameters", "A picture takes one parameter: original, true or false.", nil).with("said.bad-original")
		}
	}
	return original, nil
}

// imageHeaders are those of any picture of a visitor.
func imageHeaders(h http.Header, etag string) {
	h.Set("Etag", etag)
	// The bytes under an id never change; private, since they are a person's.
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}

func (s *Server) writeImage(w http.ResponseWriter, r *http.Request, data []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(data); err != nil {
		s.Log.DebugContext(r.Context(), "write picture", "err", err)
	}
}

// clean takes a picture's notes away; one of an odd structure is encoded anew,
// smaller.
func (s *Server) clean(ctx context.Context, p car.Prediction, data []byte) ([]byte, error) {
	clean, err := car.Clean(data)
	if err == nil {
		return clean, nil
	}
	s.Log.InfoContext(ctx, "encode a picture anew", "upload_id", p.ID, "err", err)
	return s.shrink(ctx, p, data, fullSide)
}

// readImage reads all of a picture.
func (s *Server) readImage(ctx context.Context, p car.Prediction) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, imageTime)
	defer cancel()
	body, err := s.openImage(ctx, p)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data := make([]byte, p.Size)
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, picturesFault(fmt.Errorf("read picture %s: %w", p.ID, err))
	}
	return data, nil
}

// openImage reads S3, or the spool while the picture waits there.
func (s *Server) openImage(ctx context.Context, p car.Prediction) (io.ReadCloser, error) {
	if !p.Stored {
		_, body, err := s.Spool.Find(p.ID)
		if !errors.Is(err, car.ErrNotFound) {
			return body, err
		}
	}
	// Stored, or stored since we looked.
	body, size, err := s.Photos.Get(ctx, p.Key)
	if err == nil && size != p.Size {
		body.Close()
		err = fmt.Errorf("picture %s has %d bytes, not %d", p.Key, size, p.Size)
	}
	if err == nil || errors.Is(err, car.ErrNotFound) {
		return body, err
	}
	return nil, picturesFault(err)
}

func picturesFault(err error) error {
	return &fault{status: http.StatusServiceUnavailable, slug: "pictures-unavailable", title: "The picture is not available",
		detail: "The picture store does not answer. Look again in a minute.", retry: 30, cause: err}
}

// matches tells whether an If-None-Match header names etag.
func matches(header, etag string) bool {
	for _, one := range strings.Split(header, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
			return true
		}
	}
	return false
}
