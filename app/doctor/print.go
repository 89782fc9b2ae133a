package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// JSON writes the report as one indented object.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Table writes one line a check, and under what failed a line of advice.
func (r Report) Table(w io.Writer) error {
	width, failed := len("CHECK"), 0
	for _, l := range r.Checks {
		width = max(width, len(l.Name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-8s  %-*s  %8s  %s\n", "RESULT", width, "CHECK", "SECONDS", "WHAT WAS SEEN")
	for _, l := range r.Checks {
		result := string(l.Result)
		if l.Result == Failed {
			result = "FAILED"
			failed++
		}
		fmt.Fprintf(&b, "%-8s  %-*s  %8.3f  %s\n", result, width, l.Name, l.Seconds, l.Detail)
		if l.Advice != "" {
			fmt.Fprintf(&b, "%-8s  %-*s  %8s  -> %s\n", "", width, "", "", l.Advice)
		}
	}
	if failed == 0 {
		fmt.Fprintln(&b, "everything works")
	} else {
		fmt.Fprintf(&b, "%d of %d checks FAILED\n", failed, len(r.Checks))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
