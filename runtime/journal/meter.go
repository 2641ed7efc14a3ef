// Package journal is what can be known about messages afterwards: metrics for
// machines and stories for people.
package journal

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"crossdock/runtime/queue"
)

// Meter counts what happens. All methods are safe for concurrent use.
type Meter struct {
	Registry *prometheus.Registry

	accepted *prometheus.CounterVec
	rejected *prometheus.CounterVec
	ended    *prometheus.CounterVec
	parked   *prometheus.CounterVec
	retries  *prometheus.CounterVec
	cut      *prometheus.GaugeVec
	lag      *prometheus.HistogramVec
	latency  *prometheus.HistogramVec
	reloads  *prometheus.CounterVec
	stale    prometheus.Counter
	lost     prometheus.Gauge
	panics   prometheus.Counter
	verified *prometheus.CounterVec
}

// NewMeter returns a Meter with a registry of its own.
func NewMeter() *Meter {
	m := &Meter{Registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "crossdock_" + name, Help: help}, labels)
		m.Registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "crossdock_" + name, Help: help,
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}}, labels)
		m.Registry.MustRegister(h)
		return h
	}
	m.accepted = counter("accepted_total", "Messages taken in, by pipeline and result: new, duplicate or conflict.", "pipeline", "result")
	m.rejected = counter("rejected_total", "Messages refused at the door, by pipeline and status.", "pipeline", "status")
	m.ended = counter("ended_total", "Runs that ended, by pipeline and outcome: delivered, filtered, dead or branched.", "pipeline", "outcome")
	m.parked = counter("parked_total", "Times a message was set aside, by pipeline and why: pipeline, connection, definition, maintenance, breaker, throttled, quota, rate, draining, blocked or drift.", "pipeline", "reason")
	m.retries = counter("retries_total", "Attempts that failed and will be repeated, by operation.", "connection", "operation")
	m.cut = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "crossdock_cut_off", Help: "1 while an operation is cut off by its breaker or by a pause that it asked for."}, []string{"connection", "operation"})
	m.Registry.MustRegister(m.cut)
	m.lag = histogram("lag_seconds", "Time from reception of a message to the end of its run.", "pipeline")
	m.latency = histogram("delivery_seconds", "Time of one delivery attempt, by operation and result.", "connection", "operation", "result")
	m.reloads = counter("reloads_total", "Reloads, by result: ok, unchanged or failed.", "result")
	m.verified = counter("unverified_total", "Calls of webhooks whose sender was not recognised.", "pipeline")
	m.lost = prometheus.NewGauge(prometheus.GaugeOpts{Name: "crossdock_store_lost_writes", Help: "How often the store was found without writes that it had confirmed to this process."})
	m.Registry.MustRegister(m.lost)
	m.stale = prometheus.NewCounter(prometheus.CounterOpts{Name: "crossdock_stale_leases_total", Help: "Results refused because another holder had taken over."})
	m.panics = prometheus.NewCounter(prometheus.CounterOpts{Name: "crossdock_panics_total", Help: "Internal errors that stopped the work on one message."})
	m.Registry.MustRegister(m.stale, m.panics)
	return m
}

// Accepted counts the results of an intake.
func (m *Meter) Accepted(pipeline string, results []queue.Result) {
	var n [3]int
	for _, r := range results {
		n[r.Status]++
	}
	for status, word := range [...]string{"new", "duplicate", "conflict"} {
		if n[status] > 0 {
			m.accepted.WithLabelValues(pipeline, word).Add(float64(n[status]))
		}
	}
}

// Rejected counts a message refused with a status.
func (m *Meter) Rejected(pipeline string, status int) {
	m.rejected.WithLabelValues(pipeline, strconv.Itoa(status)).Inc()
}

// Unverified counts a call whose sender was not recognised.
func (m *Meter) Unverified(pipeline string) { m.verified.WithLabelValues(pipeline).Inc() }

// Ended counts the end of a run.
func (m *Meter) Ended(pipeline, outcome string, received, _ time.Time) {
	m.ended.WithLabelValues(pipeline, outcome).Inc()
	if outcome == "delivered" {
		m.lag.WithLabelValues(pipeline).Observe(time.Since(received).Seconds())
	}
}

// Parked counts a message set aside. reason is the kind of what keeps it.
func (m *Meter) Parked(pipeline, reason string) {
	m.parked.WithLabelValues(pipeline, reason).Inc()
}

// Cut tells whether an operation is cut off.
func (m *Meter) Cut(connection, operation string, on bool) {
	value := 0.0
	if on {
		value = 1
	}
	m.cut.WithLabelValues(connection, operation).Set(value)
}

// Attempt observes one delivery attempt.
func (m *Meter) Attempt(connection, operation, result string, took time.Duration) {
	m.latency.WithLabelValues(connection, operation, result).Observe(took.Seconds())
}

// Retried counts a failed attempt that will be repeated.
func (m *Meter) Retried(connection, operation string) {
	m.retries.WithLabelValues(connection, operation).Inc()
}

// Reloaded counts a reload.
func (m *Meter) Reloaded(result string) { m.reloads.WithLabelValues(result).Inc() }

// StoreLost tells how often the store was found without confirmed writes.
func (m *Meter) StoreLost(times int64) { m.lost.Set(float64(times)) }

// Stale counts a result that was refused because the lease was lost.
func (m *Meter) Stale() { m.stale.Inc() }

// Panic counts an internal error.
func (m *Meter) Panic() { m.panics.Inc() }

// Watch makes the state of the store visible: depth, age and parked messages of
// every lane, read when the metrics are asked for.
func (m *Meter) Watch(d queue.Driver) { m.Registry.MustRegister(&lanes{d: d}) }

// lanes collects the state of a store.
type lanes struct{ d queue.Driver }

var (
	depthDesc  = prometheus.NewDesc("crossdock_lane_messages", "Messages in a lane by state: ready, leased, retry, parked or dead.", []string{"lane", "state"}, nil)
	oldestDesc = prometheus.NewDesc("crossdock_lane_oldest_seconds", "Age of the oldest waiting message of a lane.", []string{"lane"}, nil)
	ledgerDesc = prometheus.NewDesc("crossdock_ledger_total", "Lines of the ledger since the store was made, by pipeline and kind.", []string{"pipeline", "kind"}, nil)
	upDesc     = prometheus.NewDesc("crossdock_store_up", "1 where the store answered.", nil, nil)
)

// Describe implements prometheus.Collector.
func (l *lanes) Describe(ch chan<- *prometheus.Desc) {
	ch <- depthDesc
	ch <- oldestDesc
	ch <- ledgerDesc
	ch <- upDesc
}

// Collect implements prometheus.Collector.
func (l *lanes) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	page, err := l.d.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 10000})
	var counts queue.Page
	if err == nil {
		counts, err = l.d.Browse(ctx, queue.Query{View: queue.Counters, Limit: 10000})
	}
	if err != nil {
		ch <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, 0)
		return
	}
	ch <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, 1)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range page.Lanes {
		parked := 0
		for _, n := range s.Parked {
			parked += n
		}
		gauge(depthDesc, float64(s.Ready), s.Lane, "ready")
		gauge(depthDesc, float64(s.Leased), s.Lane, "leased")
		gauge(depthDesc, float64(s.Delayed), s.Lane, "retry")
		gauge(depthDesc, float64(parked), s.Lane, "parked")
		gauge(depthDesc, float64(s.Dead), s.Lane, "dead")
		if !s.Oldest.IsZero() {
			gauge(oldestDesc, time.Since(s.Oldest).Seconds(), s.Lane)
		}
	}
	for _, c := range counts.Counts {
		ch <- prometheus.MustNewConstMetric(ledgerDesc, prometheus.CounterValue, float64(c.N), c.Pipeline, string(c.Kind))
	}
}
