package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"vinfast-classifier/app/car"
)

type metrics struct {
	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	classes    *prometheus.CounterVec
	decoding   prometheus.Gauge
	exposition http.Handler
}

func newMetrics(spool Spool, log *slog.Logger, more []prometheus.Collector) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vinfast_http_requests_total", Help: "Requests answered."}, []string{"method", "route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vinfast_http_request_duration_seconds", Help: "Time from the request's header to the end of the answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"route"}),
		classes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vinfast_classifications_total", Help: "Pictures classified. outcome: stored, pending, or why it failed."}, []string{"label", "outcome"}),
		decoding: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "vinfast_decodes_in_flight", Help: "Pictures being decoded."}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.durations, m.classes, m.decoding, spoolCollector{spool, log},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(more...)
	m.exposition = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

// spoolCollector looks into the spool once for each scrape.
type spoolCollector struct {
	spool Spool
	log   *slog.Logger
}

// spoolMetrics in the order of spoolCollector.Collect.
var spoolMetrics = []*prometheus.Desc{
	prometheus.NewDesc("vinfast_spool_uploads", "Uploads in the spool, of all instances; -1 if it cannot be read.", nil, nil),
	prometheus.NewDesc("vinfast_spool_bytes", "Their size.", nil, nil),
	prometheus.NewDesc("vinfast_spool_oldest_seconds", "Time since the longest waiting one was written.", nil, nil),
	prometheus.NewDesc("vinfast_spool_claimed", "Uploads being worked on.", nil, nil),
	prometheus.NewDesc("vinfast_spool_damaged", "Uploads set aside, for a person to look at.", nil, nil),
}

func (c spoolCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range spoolMetrics {
		to <- d
	}
}

func (c spoolCollector) Collect(to chan<- prometheus.Metric) {
	state, err := c.spool.State()
	if err != nil {
		c.log.Error("look into the spool", "err", err)
		state = car.SpoolState{Uploads: -1}
	}
	for i, value := range []float64{float64(state.Uploads), float64(state.Bytes), state.Oldest.Seconds(), float64(state.Claimed), float64(state.Damaged)} {
		to <- prometheus.MustNewConstMetric(spoolMetrics[i], prometheus.GaugeValue, value)
	}
}

func (m *metrics) serve(w http.ResponseWriter, r *http.Request) error {
	m.exposition.ServeHTTP(w, r)
	return nil
}

func (m *metrics) request(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		method = "other" // anybody may invent methods
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(route).Observe(took.Seconds())
}

func (m *metrics) classified(p car.Prediction, err error) {
	switch {
	case err != nil:
		m.classes.WithLabelValues("", faultOf(err).slug).Inc()
	case p.Stored:
		m.classes.WithLabelValues(p.Label, "stored").Inc()
	default:
		m.classes.WithLabelValues(p.Label, "pending").Inc()
	}
}
