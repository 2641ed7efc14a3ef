package journal

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// Watch makes the state of the store and of other systems visible, read when
// the metrics are asked for. connections tells of every connection; nil where
// there are none.
func (m *Meter) Watch(d queue.Driver, connections func([]queue.LaneStat) []policy.Shown) {
	m.Registry.MustRegister(&state{d: d, connections: connections})
}

// state collects what a store holds and what is known of other systems.
type state struct {
	d           queue.Driver
	connections func([]queue.LaneStat) []policy.Shown
}

// patience is how long a store may take to answer while metrics are collected.
const patience = 5 * time.Second

// Beginnings of the reasons why a message is parked that is kept neither by
// another system nor by a definition that is missing.
const (
	Behind      = "waits behind a dead letter"
	Quarantined = "quarantined:"
	Newer       = "the message was stored by a newer crossdock"
)

// KindOf sorts the reasons of parked messages, as those of parked_total.
func KindOf(reason string) string {
	switch {
	case strings.HasPrefix(reason, Behind):
		return "blocked"
	case strings.HasPrefix(reason, Quarantined):
		return "drift"
	case strings.HasPrefix(reason, Newer):
		return "release"
	}
	return policy.KindOf(reason)
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("crossdock_"+name, help, labels, nil)
}

var (
	depthDesc   = desc("lane_messages", "Messages in a lane by state: ready, leased, retry, parked or dead.", "lane", "state")
	reasonDesc  = desc("lane_parked", "Parked messages of a lane by what keeps them: definition, maintenance, breaker, throttled, quota, rate, draining, blocked, drift or release.", "lane", "reason")
	oldestDesc  = desc("lane_oldest_seconds", "Age of the oldest waiting message of a lane.", "lane")
	ledgerDesc  = desc("ledger_total", "Lines of the ledger since the store was made, by pipeline and kind.", "pipeline", "kind")
	upDesc      = desc("store_up", "1 where the store answered.")
	breakerDesc = desc("breaker", "1 for the state an operation is in: closed (as usual), open (its breaker cut it off), throttled (it asked for a pause), probing or recovering.", "connection", "operation", "state")
	callsDesc   = desc("connection_calls", "Calls of a connection that are under way in this process.", "connection")
	placesDesc  = desc("connection_places", "Calls of a connection that may be made at the same time in this process.", "connection")
	waitDesc    = desc("connection_waiting", "Messages that wait in memory for a place.", "connection")
	usedDesc    = desc("quota_used", "Calls of the quota that are used in this period, as far as this process knows.", "connection")
	quotaDesc   = desc("quota_limit", "Calls of the quota in a period.", "connection")
	closedDesc  = desc("connection_closed", "1 while a connection is closed for maintenance.", "connection")
	heldDesc    = desc("connection_held", "Messages that wait behind a maintenance window.", "connection")
	drainDesc   = desc("connection_drain_seconds", "Time until what a maintenance window holds will have gone out, where its rate is known.", "connection")
)

// Describe implements prometheus.Collector.
func (s *state) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{depthDesc, reasonDesc, oldestDesc, ledgerDesc, upDesc, breakerDesc, callsDesc, placesDesc, waitDesc,
		usedDesc, quotaDesc, closedDesc, heldDesc, drainDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	page, err := s.d.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 10000})
	var counts queue.Page
	if err == nil {
		counts, err = s.d.Browse(ctx, queue.Query{View: queue.Counters, Limit: 10000})
	}
	gauge(upDesc, number(err == nil))
	for _, l := range page.Lanes {
		lane(gauge, l)
	}
	for _, c := range counts.Counts {
		ch <- prometheus.MustNewConstMetric(ledgerDesc, prometheus.CounterValue, float64(c.N), c.Pipeline, string(c.Kind))
	}
	if s.connections == nil {
		return
	}
	now := time.Now()
	for _, c := range s.connections(page.Lanes) {
		connection(gauge, c, now)
	}
}

type setter func(d *prometheus.Desc, v float64, labels ...string)

// lane tells how full one lane is.
func lane(gauge setter, l queue.LaneStat) {
	parked, reasons := 0, map[string]int{}
	for reason, n := range l.Parked {
		parked += n
		reasons[KindOf(reason)] += n
	}
	gauge(depthDesc, float64(l.Ready), l.Lane, "ready")
	gauge(depthDesc, float64(l.Leased), l.Lane, "leased")
	gauge(depthDesc, float64(l.Delayed), l.Lane, "retry")
	gauge(depthDesc, float64(parked), l.Lane, "parked")
	gauge(depthDesc, float64(l.Dead), l.Lane, "dead")
	for reason, n := range reasons {
		gauge(reasonDesc, float64(n), l.Lane, reason)
	}
	age := 0.0
	if !l.Oldest.IsZero() {
		age = max(0, time.Since(l.Oldest).Seconds())
	}
	gauge(oldestDesc, age, l.Lane)
}

// connection tells what is known of one other system.
func connection(gauge setter, c policy.Shown, now time.Time) {
	gauge(callsDesc, float64(c.Calls), c.Name)
	gauge(placesDesc, float64(c.Places), c.Name)
	gauge(waitDesc, float64(c.Waiting), c.Name)
	gauge(closedDesc, number(!c.Closed.IsZero()), c.Name)
	gauge(heldDesc, float64(c.Held), c.Name)
	if c.Quota > 0 {
		gauge(usedDesc, float64(c.Used), c.Name)
		gauge(quotaDesc, float64(c.Quota), c.Name)
	}
	if !c.Drained.IsZero() {
		gauge(drainDesc, max(0, c.Drained.Sub(now).Seconds()), c.Name)
	}
	for op, is := range c.Operations {
		for _, word := range policy.States {
			gauge(breakerDesc, number(is == word), c.Name, op, word)
		}
	}
}
