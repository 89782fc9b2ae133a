package web

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"vinfast-classifier/app/car"
)

const (
	// thumbnailSide is the longest side of a thumbnail, in pixels: twice what the
	// gallery shows, for screens of double density.
	thumbnailSide = 480
	// fullSide is that of a picture that has to be encoded anew to be shown.
	fullSide = 1024
)

func thumbnailURL(id string) string { return "/thumbnails/" + id }

// getThumbnail sends a small JPEG of a picture, from the cache if it can.
func (s *Server) getThumbnail(w http.ResponseWriter, r *http.Request) error {
	p, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	etag := `"` + p.SHA256 + `-480"`
	imageHeaders(w.Header(), etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	data, err := s.thumbnail(r.Context(), p)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	s.writeImage(w, r, data)
	return nil
}

// thumbnail reads the cache. A cache that does not work costs time, nothing
// else. Of many who ask for the same one, one makes it.
func (s *Server) thumbnail(ctx context.Context, p car.Prediction) ([]byte, error) {
	data, err := s.Thumbnails.Get(p.ID)
	if err == nil {
		return data, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		s.Log.WarnContext(ctx, "read the cache of thumbnails", "err", err)
	}
	made, err, _ := s.making.Do(p.ID, func() (any, error) {
		// Not the first one's patience: the others wait for this too.
		return s.makeThumbnail(context.WithoutCancel(ctx), p)
	})
	if err != nil {
		return nil, err
	}
	return made.([]byte), nil
}

func (s *Server) makeThumbnail(ctx context.Context, p car.Prediction) ([]byte, error) {
	leave, err := s.views.enter(ctx, p.Size)
	if err != nil {
		return nil, err
	}
	defer leave()
	original, err := s.readImage(ctx, p)
	if err != nil {
		return nil, err
	}
	data, err := s.shrink(ctx, p, original, thumbnailSide)
	if err != nil {
		return nil, err
	}
	err = s.Thumbnails.Put(p.ID, data)
	// Deleted meanwhile: then whoever deleted it found no thumbnail to remove.
	if _, gone := s.History.ByID(ctx, p.ID); errors.Is(gone, car.ErrDeleted) {
		err = errors.Join(err, s.Thumbnails.Delete(p.ID))
	}
	if err != nil {
		s.Log.WarnContext(ctx, "write the cache of thumbnails", "err", err)
	}
	return data, nil
}

// shrink encodes a picture anew, within the memory for decoding.
func (s *Server) shrink(ctx context.Context, p car.Prediction, original []byte, side int) ([]byte, error) {
	// It was within the limits when it came; they may have become tighter.
	limits := car.Limits{Bytes: max(s.Limits.Bytes, p.Size), Pixels: max(s.Limits.Pixels, int64(p.Width)*int64(p.Height))}
	leave, err := s.decodes.enter(ctx, car.DecodeCost(original, limits))
	if err != nil {
		return nil, err
	}
	defer leave()
	return car.Thumbnail(original, limits, side)
}
