package database

import (
	"io"
	"strings"
	"sync"
)

// tail passes a log on and keeps its end for error messages.
type tail struct {
	next io.Writer
	mu   sync.Mutex
	text string
}

const tailLines = 15

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	t.text = lastLines(t.text + string(p))
	t.mu.Unlock()
	// A reader that has gone away must not stop the server, so its error
	// is not ours.
	_, _ = t.next.Write(p)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text
}

func (t *tail) has(part string) bool { return strings.Contains(t.String(), part) }

// lastLines keeps the end of a text, at most tailLines lines and 8 KiB.
func lastLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	if n := len(lines); n > tailLines {
		lines = lines[n-tailLines:]
	}
	text = strings.Join(lines, "")
	if n := len(text); n > 8<<10 {
		text = text[n-8<<10:]
	}
	return text
}
