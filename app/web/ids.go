package web

import (
	"crypto/sha256"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// newID makes an id for an upload that nobody will ask to repeat. Version 7
// begins with the time, which keeps the rows of one day together.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// keyedID makes the same id from the same key, position and bytes, so that a
// retry finds what the first request made, whoever sends it: with other bytes
// it is another upload. An empty key gives a new id.
func keyedID(key string, index int, sha string) string {
	if key == "" {
		return newID()
	}
	return derivedID("key", key, strconv.Itoa(index), sha)
}

// formerID is what keyedID was before the bytes counted. It finds what an
// instance of that release has taken, and can go a release later.
func formerID(key string, index int) string {
	if key == "" {
		return ""
	}
	return derivedID("key", key, strconv.Itoa(index))
}

// formID makes the same id for the same picture sent from the same page.
func formID(token, sha string) string { return derivedID("form", token, sha) }

// derivedID hashes the parts into the shape of a UUID version 8 (RFC 9562:
// the content is up to us).
func derivedID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	var id uuid.UUID
	copy(id[:], h.Sum(nil))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// idempotencyKey returns the header's value, empty if there is none.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	bad := badRequest("bad-key", "Bad Idempotency-Key", "Send one Idempotency-Key of 1 to 255 visible ASCII characters.", nil)
	if len(values) > 1 || len(values[0]) == 0 || len(values[0]) > 255 {
		return "", bad
	}
	for _, c := range []byte(values[0]) {
		if c < '!' || c > '~' {
			return "", bad
		}
	}
	return values[0], nil
}

// goodID tells an id from whatever else stands in a path.
func goodID(id string) bool {
	return len(id) == 36 && uuid.Validate(id) == nil
}
