//go:build linux

package faults

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// sqlProxy is MySQL as one instance sees it: it passes packets on and can cut
// between an insert's arrival, its execution and its answer.
type sqlProxy struct {
	system   *system
	in       *instance
	listener net.Listener
	links    sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
	closed   bool
}

func newSQLProxy(s *system, in *instance) (*sqlProxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &sqlProxy{system: s, in: in, listener: l, open: map[net.Conn]bool{}}
	p.links.Go(p.accept)
	return p, nil
}

func (p *sqlProxy) addr() string { return p.listener.Addr().String() }

// close cuts all connections.
func (p *sqlProxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		err = errors.Join(err, c.Close())
	}
	p.mu.Unlock()
	p.links.Wait()
	return err
}

func (p *sqlProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.links.Go(func() { p.serve(client) })
	}
}

// keep notes a connection for close; false after it.
func (p *sqlProxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.open[c] = true
	}
	return !p.closed
}

func (p *sqlProxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[c] {
		delete(p.open, c)
		_ = c.Close() // the other side may have closed it, which is as good
	}
}

func (p *sqlProxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	server, err := net.DialTimeout("tcp", p.system.database.addr(), 5*time.Second)
	if err != nil {
		return // the database is down, and the client sees that
	}
	if !p.keep(server) {
		return
	}
	defer p.drop(server)
	l := &link{p: p, client: client, server: server, swallowed: make(chan struct{}, 1)}
	p.links.Go(l.answers)
	l.requests()
}

// link is one connection of the app to the database.
type link struct {
	p              *sqlProxy
	client, server net.Conn
	mu             sync.Mutex
	swallow        bool
	swallowed      chan struct{}
}

// answers passes on what the server says, until one answer is to be lost.
func (l *link) answers() {
	defer l.p.drop(l.client)
	buffer := make([]byte, 32<<10)
	for {
		n, err := l.server.Read(buffer)
		if n > 0 {
			l.mu.Lock()
			swallow := l.swallow
			l.mu.Unlock()
			if swallow {
				l.swallowed <- struct{}{}
				return
			}
			if _, err := l.client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			l.swallowed <- struct{}{}
			return
		}
	}
}

// requests passes on what the client says, packet by packet: three bytes of
// length, one of sequence, the payload.
func (l *link) requests() {
	for {
		packet := make([]byte, 4)
		if _, err := io.ReadFull(l.client, packet); err != nil {
			return
		}
		length := binary.LittleEndian.Uint32([]byte{packet[0], packet[1], packet[2], 0})
		packet = append(packet, make([]byte, length)...)
		if _, err := io.ReadFull(l.client, packet[4:]); err != nil {
			return
		}
		if !l.pass(packet) {
			return
		}
	}
}

// pass sends one packet to the server, with the faults that hit it, and tells
// whether the connection lives on.
func (l *link) pass(packet []byte) bool {
	number, ours := insertOf(packet)
	if !ours {
		_, err := l.server.Write(packet)
		return err == nil
	}
	s := l.p.system
	if f, found := s.plan.take(SQLBefore, number); found && !l.before(f, packet) {
		return false
	}
	f, found := s.plan.take(SQLAfter, number)
	if found {
		l.mu.Lock()
		l.swallow = true
		l.mu.Unlock()
	}
	if _, err := l.server.Write(packet); err != nil {
		return false
	}
	if !found {
		return true
	}
	<-l.swallowed
	l.inject(f)
	return false
}

// before injects a fault into an insert that was not executed, and tells
// whether to go on with it.
func (l *link) before(f fault, packet []byte) bool {
	if f.Kind == SQLCut && f.Variant%2 == 1 {
		// In the middle of the statement; the cut follows in any case.
		_, _ = l.server.Write(packet[:len(packet)/2])
	}
	return l.inject(f)
}

func (l *link) inject(f fault) bool {
	s := l.p.system
	switch f.Kind {
	case SQLCut:
		s.plan.hit(f.Kind, f.Step)
		return false
	case SQLKilled:
		s.struck(f, s.database.kill(f.Last))
		return false
	default:
		return s.strike(l.p.in, f)
	}
}

// insertOf finds the picture whose row a packet inserts: COM_QUERY with the
// values in its text, or COM_STMT_EXECUTE with the label among its values.
func insertOf(packet []byte) (int, bool) {
	const query, execute = 3, 23
	if len(packet) < 5 || packet[4] != query && packet[4] != execute {
		return 0, false
	}
	if packet[4] == query && !bytes.HasPrefix(packet[5:], []byte("INSERT INTO predictions")) {
		return 0, false
	}
	return numberIn(string(packet))
}
