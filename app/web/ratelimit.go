package web

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxClients bounds the addresses remembered at once.
const maxClients = 10_000

// limiter is a token bucket per address. A bucket that nobody touched for a
// minute is full again, so forgetting it changes nothing.
type limiter struct {
	perMinute int
	now       func() time.Time
	mu        sync.Mutex
	clients   map[string]*client
	swept     time.Time
}

type client struct {
	bucket *rate.Limiter
	seen   time.Time
}

func newLimiter(perMinute int, now func() time.Time) *limiter {
	return &limiter{perMinute: perMinute, now: now, clients: map[string]*client{}, swept: now()}
}

// take asks for n tokens of address. If there are not enough it takes none and
// returns how long to wait for them.
func (l *limiter) take(address string, n int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c := l.clients[address]
	if c == nil {
		l.makeRoom(now)
		c = &client{bucket: rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)}
		l.clients[address] = c
	}
	c.seen = now
	// More than the bucket holds would never be granted.
	res := c.bucket.ReserveN(now, min(n, l.perMinute))
	if wait := res.DelayFrom(now); wait > 0 {
		res.CancelAt(now)
		return wait
	}
	return 0
}

// makeRoom forgets the idle, and if all are busy any one of them.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.clients) < maxClients && now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for address, c := range l.clients {
		if now.Sub(c.seen) > time.Minute {
			delete(l.clients, address)
		}
	}
	for address := range l.clients {
		if len(l.clients) < maxClients {
			return
		}
		delete(l.clients, address)
	}
}

// limitRate charges the sender for n pictures.
func (s *Server) limitRate(r *http.Request, n int) error {
	if n <= 0 {
		return nil
	}
	wait := s.rate.take(clientAddress(r), n)
	if peer, forwarded := forwarder(r); forwarded && wait == 0 {
		wait = s.forwarders.take(peer, n)
	}
	if wait == 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	return &fault{status: http.StatusTooManyRequests, slug: "too-many-requests", title: "Too many pictures", retry: seconds,
		detail: fmt.Sprintf("One address may send %d pictures a minute. Try again in %d s.", s.RatePerMinute, seconds), args: []any{s.RatePerMinute, seconds}}
}

// forwarderShare is how many addresses' worth one private peer may forward.
// Without a balancer a private peer is a client like others, and could evade
// its rate by a new X-Forwarded-For each time: so it gains a bounded part only.
// A balancer's node never forwards more than the model can look at.
const forwarderShare = 20

// forwarder is the peer whose X-Forwarded-For is believed, if it sent one.
func forwarder(r *http.Request) (peer string, forwarded bool) {
	return peerAddress(r), fromBalancer(r) && r.Header.Get("X-Forwarded-For") != ""
}

// fromBalancer tells whether what the peer says of the one before it counts:
// X-Forwarded-For and X-Forwarded-Proto. Behind the load balancer the peer is
// always the balancer, at a private address; what peers at public addresses
// and on loopback claim proves nothing.
func fromBalancer(r *http.Request) bool {
	address, err := netip.ParseAddr(peerAddress(r))
	return err == nil && address.Unmap().IsPrivate()
}

func peerAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// clientAddress is who the rate counts for: an IPv4 address or an IPv6 /64,
// which is what one customer gets. Of a balancer the last X-Forwarded-For entry
// is the one it wrote.
func clientAddress(r *http.Request) string {
	host := peerAddress(r)
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if fromBalancer(r) {
		forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
		last := forwarded[strings.LastIndex(forwarded, ",")+1:]
		if real, err := netip.ParseAddr(strings.TrimSpace(last)); err == nil {
			peer = real
		}
	}
	peer = peer.Unmap().WithZone("")
	if peer.Is4() {
		return peer.String()
	}
	prefix, err := peer.Prefix(64)
	if err != nil {
		return peer.String()
	}
	return prefix.String()
}
