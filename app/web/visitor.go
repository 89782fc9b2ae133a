package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A visitor is a browser, or a program that keeps cookies. The cookie is
//
//	v1.<16 random bytes>.<day it was given, since 1970>.<HMAC-SHA256 of all before>
//
// What is kept with an upload is a digest of the random bytes: whoever reads
// the table or the objects' metadata cannot make the cookie of it.
const visitorCookie = "visitor"

const (
	// visitorDays is the longest that browsers keep a cookie.
	visitorDays = 400
	// renewDays is the age from which a page gives the cookie anew.
	renewDays = 30
)

var base64url = base64.RawURLEncoding

// visitors signs and reads the cookies. All instances share the key.
type visitors struct {
	key []byte
	now func() time.Time
}

func (v visitors) day() int64 { return v.now().Unix() / (24 * 60 * 60) }

func (v visitors) sign(text string) string {
	mac := hmac.New(sha256.New, v.key)
	mac.Write([]byte(text))
	return base64url.EncodeToString(mac.Sum(nil))
}

// read returns the random bytes of a good cookie, in their text form, and its
// age in days.
func (v visitors) read(value string) (seed string, age int64, ok bool) {
	text, mac, found := cutLast(value, ".")
	if !found || !hmac.Equal([]byte(mac), []byte(v.sign(text))) {
		return "", 0, false
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[0] != "v1" {
		return "", 0, false
	}
	day, err := strconv.ParseInt(parts[2], 10, 64)
	return parts[1], v.day() - day, err == nil
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

func (v visitors) write(seed string) string {
	text := "v1." + seed + "." + strconv.FormatInt(v.day(), 10)
	return text + "." + v.sign(text)
}

func newSeed() string {
	var seed [16]byte
	rand.Read(seed[:]) // never fails: it ends the program instead
	return base64url.EncodeToString(seed[:])
}

// visitorOf is what is kept with the uploads of a seed: 32 hex digits.
func visitorOf(seed string) string {
	sum := sha256.Sum256([]byte("visitor " + seed))
	return hex.EncodeToString(sum[:16])
}

// meet notes who sends the request. Where welcome is true, whoever has no good
// cookie is given one, and an old one is renewed.
func (s *Server) meet(w http.ResponseWriter, r *http.Request, welcome bool) {
	seed, age, ok := "", int64(0), false
	// Of several of this name one may be good: another program on this host can
	// set cookies too.
	for _, c := range r.CookiesNamed(visitorCookie) {
		if seed, age, ok = s.visitors.read(c.Value); ok {
			break
		}
	}
	if welcome && !ok {
		seed = newSeed()
	}
	if welcome && (!ok || age >= renewDays) {
		http.SetCookie(w, &http.Cookie{Name: visitorCookie, Value: s.visitors.write(seed), Path: "/",
			MaxAge: visitorDays * 24 * 60 * 60, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: overTLS(r)})
		ok = true
	}
	if ok {
		about(r.Context()).visitor = visitorOf(seed)
	}
}

// mine tells whether the request comes from the visitor who sent an upload.
func mine(r *http.Request, visitor string) bool {
	return visitor != "" && visitor == about(r.Context()).visitor
}
