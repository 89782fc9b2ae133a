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

// getImage sends the original bytes. They are a stranger's, so the answer
// gives them no rights at all.
func (s *Server) getImage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	etag := `"` + p.SHA256 + `"`
	h := w.Header()
	h.Set("Etag", etag)
	// The bytes under an id never change; private, since they are a person's.
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), imageTime)
	defer cancel()
	body, err := s.openImage(ctx, p)
	if err != nil {
		return err
	}
	defer body.Close()
	h.Set("Content-Type", p.ContentType)
	h.Set("Content-Length", strconv.FormatInt(p.Size, 10))
	h.Set("Content-Disposition", "inline; filename="+p.Key[strings.LastIndex(p.Key, "/")+1:])
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if r.Method == http.MethodHead {
		return nil
	}
	if n, err := io.Copy(w, body); err != nil || n != p.Size {
		s.cutOff(r, fmt.Errorf("send picture %s: %d of %d bytes: %w", p.ID, n, p.Size, err))
	}
	return nil
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
	return nil, &fault{status: http.StatusServiceUnavailable, slug: "pictures-unavailable", title: "The picture is not available",
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
