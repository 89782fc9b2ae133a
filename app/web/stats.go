package web

import (
	"fmt"
	"net/http"
	"time"

	"vinfast-classifier/app/car"
)

const (
	// statsDays is what the page counts where the query does not say.
	statsDays = 30
	// maxStatsDays bounds the work of one page.
	maxStatsDays = 366
)

// Sizes of the charts, in units of their own; pages scale them.
const (
	chartWidth  = 640
	chartHeight = 200
	barStep     = 36 // from one horizontal bar to the next
	barLabel    = 200
)

// bar is one bar of a chart.
type bar struct {
	X, Y, Width, Height float64
	TextX, TextY        float64 // of the number
	Name                string
	Count               int
}

type chart struct {
	Width, Height float64
	Bars          []bar
	Most          int
}

type statsData struct {
	car.Stats
	Since, Until   time.Time // first and last day
	Judged, Agreed int
	Models         chart
	ByDay          chart
	Scores         chart
}

// statsPage counts what everybody sent, by default in the last 30 days.
func (s *Server) statsPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.statsSpan(r)
	if err != nil {
		return err
	}
	page.Stats, err = s.History.Stats(r.Context(), car.Span{Since: page.Since, Until: page.Until.AddDate(0, 0, 1)})
	if err != nil {
		return historyFault(err)
	}
	for _, l := range page.Labels {
		page.Judged += l.Judged
		page.Agreed += l.Agreed
	}
	page.Models = modelChart(page.Labels)
	page.ByDay = dayChart(page.Days, page.Since, page.Until)
	page.Scores = scoreChart(page.Confidence)
	s.render(w, r, http.StatusOK, "stats", page)
	return nil
}

// statsSpan reads the first and the last day.
func (s *Server) statsSpan(r *http.Request) (statsData, error) {
	var d statsData
	bad := func(say string) error {
		return badRequest("bad-parameters", "Bad parameters", say, nil).with("said.bad-span", maxStatsDays)
	}
	query, err := queryOf(r)
	if err != nil {
		return d, err
	}
	d.Until = s.Now().UTC().Truncate(24 * time.Hour)
	for name, values := range query {
		if name != "since" && name != "until" || len(values) > 1 {
			return d, bad(fmt.Sprintf("%q: the statistics take since and until, each once.", clip(name)))
		}
	}
	if v := query.Get("until"); v != "" {
		if err := date(v, &d.Until); err != nil {
			return d, bad("until: " + err.Error() + ".")
		}
	}
	d.Since = d.Until.AddDate(0, 0, 1-statsDays)
	if v := query.Get("since"); v != "" {
		if err := date(v, &d.Since); err != nil {
			return d, bad("since: " + err.Error() + ".")
		}
	}
	if days := d.Until.Sub(d.Since).Hours()/24 + 1; days < 1 || days > maxStatsDays {
		return d, bad(fmt.Sprintf("since must not be after until, and from one to the other there may be at most %d days.", maxStatsDays))
	}
	return d, nil
}

// date takes a day that the table can hold.
func date(v string, to *time.Time) error {
	t, err := time.Parse(time.DateOnly, v)
	if err != nil {
		return fmt.Errorf("%q is no date like 2026-01-31", clip(v))
	}
	return inRange(t, to)
}

// modelChart has a horizontal bar for each label, its name before it.
func modelChart(labels []car.LabelCount) chart {
	c := chart{Width: chartWidth, Height: float64(barStep * len(labels))}
	for _, l := range labels {
		c.Most = max(c.Most, l.Count)
	}
	for i, l := range labels {
		b := bar{X: barLabel, Y: float64(barStep*i + 6), Height: barStep - 12, Name: people(l.Label), Count: l.Count}
		b.Width = share(l.Count, c.Most) * (chartWidth - barLabel - 60)
		b.TextX, b.TextY = b.X+b.Width+8, b.Y+17
		c.Bars = append(c.Bars, b)
	}
	return c
}

// dayChart has a column for each day of the span, also for those without
// uploads.
func dayChart(days []car.DayCount, since, until time.Time) chart {
	c := chart{Width: chartWidth, Height: chartHeight}
	number := int(until.Sub(since).Hours()/24) + 1
	for _, d := range days {
		c.Most = max(c.Most, d.Count)
	}
	step := float64(chartWidth) / float64(number)
	for _, d := range days {
		b := c.column(int(d.Day.Sub(since).Hours()/24), step, d.Count)
		b.Name = d.Day.Format(time.DateOnly)
		c.Bars = append(c.Bars, b)
	}
	return c
}

func scoreChart(counts [10]int) chart {
	c := chart{Width: chartWidth, Height: chartHeight}
	for _, n := range counts {
		c.Most = max(c.Most, n)
	}
	for i, n := range counts {
		b := c.column(i, chartWidth/10, n)
		b.Name = fmt.Sprintf("%d–%d%%", 10*i, 10*i+10)
		c.Bars = append(c.Bars, b)
	}
	return c
}

// column is one of many beside each other; above the highest and below all
// there is room for text.
func (c chart) column(index int, step float64, count int) bar {
	const above, below = 24, 24
	height := share(count, c.Most) * (c.Height - above - below)
	b := bar{X: float64(index)*step + step*.1, Y: c.Height - below - height, Width: step * .8, Height: height, Count: count}
	b.TextX, b.TextY = b.X+b.Width/2, b.Y-6
	return b
}

func share(count, most int) float64 {
	if most == 0 {
		return 0
	}
	return float64(count) / float64(most)
}
