// Package journal is what can be known about messages afterwards: metrics for
// machines and stories for people.
//
// Labels of metrics come from definitions, never from payloads or callers, so
// that there are never more series than the definitions have names.
package journal

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"crossdock/runtime/queue"
)

// Meter counts what happens. All methods are safe for concurrent use.
type Meter struct {
	Registry *prometheus.Registry

	accepted *prometheus.CounterVec
	rejected *prometheus.CounterVec
	ended    *prometheus.CounterVec
	finished *prometheus.CounterVec
	sla      *prometheus.CounterVec
	parked   *prometheus.CounterVec
	retries  *prometheus.CounterVec
	arrival  *prometheus.HistogramVec
	lag      *prometheus.HistogramVec
	overall  *prometheus.HistogramVec
	latency  *prometheus.HistogramVec
	reloads  *prometheus.CounterVec
	refused  prometheus.Gauge
	ready    prometheus.Gauge
	stale    prometheus.Counter
	lost     prometheus.Gauge
	panics   prometheus.Counter
	strange  *prometheus.CounterVec
}

// buckets are the bounds of all histograms, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 86400}

// NewMeter returns a Meter with a registry of its own.
func NewMeter() *Meter {
	m := &Meter{Registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "crossdock_" + name, Help: help}, labels)
		m.Registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "crossdock_" + name, Help: help, Buckets: buckets}, labels)
		m.Registry.MustRegister(h)
		return h
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "crossdock_" + name, Help: help})
		m.Registry.MustRegister(g)
		return g
	}
	m.accepted = counter("accepted_total", "Messages taken in, by pipeline, source and result: new, duplicate or conflict.", "pipeline", "source", "result")
	m.rejected = counter("rejected_total", "Messages refused at the door, by pipeline and status.", "pipeline", "status")
	m.strange = counter("unverified_total", "Calls of webhooks whose sender was not recognised.", "pipeline")
	m.ended = counter("ended_total", "Runs that ended, by pipeline, source and outcome: delivered, filtered, dead or branched.", "pipeline", "source", "outcome")
	m.finished = counter("lane_finished_total", "Runs that left a lane in this process.", "lane")
	m.sla = counter("sla_total", "Runs of pipelines with an sla, by result: met, missed, or dead, which counts again when it is replayed.", "pipeline", "source", "result")
	m.parked = counter("parked_total", "Times a message was set aside, by pipeline and why: pipeline, connection, definition, maintenance, breaker, throttled, quota, rate, draining, blocked, drift or release.", "pipeline", "reason")
	m.retries = counter("retries_total", "Attempts that failed and will be repeated, by operation.", "connection", "operation")
	m.arrival = histogram("arrival_lag_seconds", "Time from what happened (event_time) to the reception of the message.", "pipeline", "source")
	m.lag = histogram("lag_seconds", "Time from reception of a message to its delivery.", "pipeline", "source")
	m.overall = histogram("event_lag_seconds", "Time from what happened (event_time) to the delivery of the message.", "pipeline", "source")
	m.latency = histogram("delivery_seconds", "Time of one delivery attempt, by operation and result.", "connection", "operation", "result")
	m.reloads = counter("reloads_total", "Reloads, by result: ok, unchanged or failed.", "result")
	m.refused = gauge("reload_failed", "1 while the definitions as they are now are refused and an earlier revision is at work.")
	m.ready = gauge("ready", "1 while work is taken in.")
	m.lost = gauge("store_lost_writes", "How often the store was found without writes that it had confirmed to this process.")
	m.stale = prometheus.NewCounter(prometheus.CounterOpts{Name: "crossdock_stale_leases_total", Help: "Results refused because another holder had taken over."})
	m.panics = prometheus.NewCounter(prometheus.CounterOpts{Name: "crossdock_panics_total", Help: "Internal errors that stopped the work on one message."})
	m.Registry.MustRegister(m.stale, m.panics)
	return m
}

// ofGo is one for all engines of a process, which they all tell the same of. To
// make it asks Go for all that it measures.
var ofGo = sync.OnceValue(func() prometheus.Collector { return collectors.NewGoCollector() })

// Process adds what Go and the operating system tell of this process, and its
// version.
func (m *Meter) Process(version string) {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "crossdock_build_info", Help: "Always 1; the version of crossdock."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.Registry.MustRegister(build, ofGo(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// Accepted counts the results of an intake.
func (m *Meter) Accepted(pipeline, source string, results []queue.Result) {
	var n [3]int
	for _, r := range results {
		n[r.Status]++
	}
	for status, word := range [...]string{"new", "duplicate", "conflict"} {
		if n[status] > 0 {
			m.accepted.WithLabelValues(pipeline, source, word).Add(float64(n[status]))
		}
	}
}

// Arrived observes how long after it happened a message was received. trace is
// the ID of its trace, "" where none is kept.
func (m *Meter) Arrived(pipeline, source string, lag time.Duration, trace string) {
	observe(m.arrival.WithLabelValues(pipeline, source), lag, trace)
}

// Rejected counts a message refused with a status.
func (m *Meter) Rejected(pipeline string, status int) {
	m.rejected.WithLabelValues(pipeline, strconv.Itoa(status)).Inc()
}

// Unverified counts a call whose sender was not recognised.
func (m *Meter) Unverified(pipeline string) { m.strange.WithLabelValues(pipeline).Inc() }

// End is how a run ended.
type End struct {
	Pipeline, Source string
	Lane             string
	Outcome          string    // delivered, filtered, dead or branched
	Occurred         time.Time // zero where it is not known
	Received         time.Time
	SLA              time.Duration // 0 = none
	Trace            string        // "" where no trace is kept
}

// Ended counts the end of a run.
func (m *Meter) Ended(e End) {
	m.ended.WithLabelValues(e.Pipeline, e.Source, e.Outcome).Inc()
	m.finished.WithLabelValues(e.Lane).Inc()
	dead := e.Outcome == "dead"
	if e.Outcome != "delivered" && !dead {
		return
	}
	now := time.Now()
	took := now.Sub(e.Received)
	if e.SLA > 0 {
		result := "met"
		switch {
		case dead:
			result = "dead"
		case took > e.SLA:
			result = "missed"
		}
		m.sla.WithLabelValues(e.Pipeline, e.Source, result).Inc()
	}
	if dead {
		return
	}
	observe(m.lag.WithLabelValues(e.Pipeline, e.Source), took, e.Trace)
	if !e.Occurred.IsZero() {
		observe(m.overall.WithLabelValues(e.Pipeline, e.Source), now.Sub(e.Occurred), e.Trace)
	}
}

// Parked counts a message set aside. reason is the kind of what keeps it.
func (m *Meter) Parked(pipeline, reason string) {
	m.parked.WithLabelValues(pipeline, reason).Inc()
}

// Attempt observes one delivery attempt. trace is the ID of its trace, "" where
// none is kept.
func (m *Meter) Attempt(connection, operation, result string, took time.Duration, trace string) {
	observe(m.latency.WithLabelValues(connection, operation, result), took, trace)
}

// Retried counts a failed attempt that will be repeated.
func (m *Meter) Retried(connection, operation string) {
	m.retries.WithLabelValues(connection, operation).Inc()
}

// Reloaded counts a reload.
func (m *Meter) Reloaded(result string) {
	m.reloads.WithLabelValues(result).Inc()
	m.refused.Set(number(result == "failed"))
}

// Ready tells whether work is taken in.
func (m *Meter) Ready(on bool) { m.ready.Set(number(on)) }

// StoreLost tells how often the store was found without confirmed writes.
func (m *Meter) StoreLost(times int64) { m.lost.Set(float64(times)) }

// Stale counts a result that was refused because the lease was lost.
func (m *Meter) Stale() { m.stale.Inc() }

// Panic counts an internal error.
func (m *Meter) Panic() { m.panics.Inc() }

// observe adds a time to a histogram, with the trace as an example of it.
func observe(h prometheus.Observer, took time.Duration, trace string) {
	seconds := max(took, 0).Seconds() // clocks of senders run ahead
	if e, ok := h.(prometheus.ExemplarObserver); ok && trace != "" {
		e.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": trace})
		return
	}
	h.Observe(seconds)
}

func number(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
