package document

import (
	"fmt"
	"html"
	"strings"

	"vinfast-classifier/infra/rehearsal"
)

const (
	pictureWidth  = 1228
	pictureHeight = 804
)

// drawing collects the parts of the picture. Labels of wires come last, over
// everything.
type drawing struct {
	plan   *rehearsal.Plan
	parts  strings.Builder
	labels strings.Builder
}

func (d *drawing) frame(x, y, w, h int, title, class string) {
	fmt.Fprintf(&d.parts, `<rect class="frame %s" x="%d" y="%d" width="%d" height="%d" rx="10"/>`+"\n", class, x, y, w, h)
	fmt.Fprintf(&d.parts, `<text class="caption" x="%d" y="%d">%s</text>`+"\n", x+12, y+20, html.EscapeString(title))
}

// wire draws an arrow along the points, line the same without its head.
func (d *drawing) wire(points ...[2]int) { d.path("wire arrow", points) }
func (d *drawing) line(points ...[2]int) { d.path("wire", points) }

func (d *drawing) path(class string, points [][2]int) {
	var path strings.Builder
	for i, p := range points {
		fmt.Fprintf(&path, "%s%d %d", []string{"M", " L"}[min(i, 1)], p[0], p[1])
	}
	fmt.Fprintf(&d.parts, `<path class="%s" d="%s"/>`+"\n", class, path.String())
}

// label writes on a wire.
func (d *drawing) label(x, y int, text string) {
	fmt.Fprintf(&d.labels, `<text class="label" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", x, y, html.EscapeString(text))
}

// box draws a node. One that stands for a resource which is not there is an
// error.
func (d *drawing) box(n node) error {
	kept := false
	if n.kind != "" {
		r := d.plan.One(n.kind, n.name)
		if r.Name == "" {
			return fmt.Errorf("the picture shows %s %s, which the program does not make", n.kind, n.name)
		}
		kept = d.plan.One("Selection", "everything").Mentions(r.ARN())
	}
	fmt.Fprintf(&d.parts, `<g><rect class="box %s" x="%d" y="%d" width="%d" height="%d" rx="8"/>`, n.class, n.x, n.y, n.w, n.h)
	fmt.Fprintf(&d.parts, `<rect class="mark %s" x="%d" y="%d" width="5" height="%d" rx="2"/>`+"\n", n.class, n.x, n.y+8, n.h-16)
	top := n.y + (n.h-18*(len(n.lines)+1))/2 + 14
	fmt.Fprintf(&d.parts, `<text class="title" x="%d" y="%d">%s</text>`, n.x+16, top, html.EscapeString(n.title))
	for i, line := range n.lines {
		fmt.Fprintf(&d.parts, `<text class="line" x="%d" y="%d">%s</text>`, n.x+16, top+18*(i+1), html.EscapeString(line))
	}
	if kept {
		fmt.Fprintf(&d.parts, `<text class="badge" x="%d" y="%d" text-anchor="end">backed up</text>`, n.x+n.w-10, n.y+16)
	}
	d.parts.WriteString("</g>\n")
	return nil
}

const pictureStyle = `
svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.frame { fill: none; stroke-width: 1.5; }
.region { fill: #f7f9fc; stroke: #c3cfdf; }
.vpc { fill: #ffffff; stroke: #7a5fb5; }
.public { fill: #f1f8ee; stroke: #8fbf7a; stroke-dasharray: 5 4; }
.private { fill: #eef5fb; stroke: #86b3d8; stroke-dasharray: 5 4; }
.caption { font-size: 12px; fill: #55616f; font-weight: 600; }
.box { fill: #ffffff; stroke: #aab6c4; stroke-width: 1.2; }
.mark.compute { fill: #e07b1a; } .mark.storage { fill: #4a9231; } .mark.net { fill: #7a5fb5; }
.mark.safety { fill: #c23a74; } .mark.person { fill: #3b6fb6; }
.title { font-size: 14px; font-weight: 700; fill: #1d2733; }
.line { font-size: 11.5px; fill: #44505d; }
.badge { font-size: 10.5px; font-weight: 600; fill: #c23a74; }
.wire { fill: none; stroke: #5b6876; stroke-width: 1.4; }
.arrow { marker-end: url(#arrow); }
.label { font-size: 11px; fill: #26323f; font-weight: 600; paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
.head { font-size: 20px; font-weight: 700; fill: #1d2733; }
.sub { font-size: 12.5px; fill: #55616f; }
`

func (d *drawing) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Architecture of the VinFast car classifier on AWS">`+"\n", pictureWidth, pictureHeight)
	fmt.Fprintf(&b, "<style>%s</style>\n", pictureStyle)
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#5b6876"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", pictureWidth, pictureHeight)
	b.WriteString(`<text class="head" x="24" y="34">VinFast car classifier on AWS</text>` + "\n")
	b.WriteString(`<text class="sub" x="24" y="54">Drawn from the program: the stack dev</text>` + "\n")
	b.WriteString(d.parts.String())
	b.WriteString(d.labels.String())
	b.WriteString("</svg>\n")
	return b.String()
}
