package journal

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Totals is what this process has done since it started, for those who show
// rates: the difference of two of them.
type Totals struct {
	Finished map[string]float64 `json:"finished"` // runs that left a lane, by lane
	Calls    map[string]Calls   `json:"calls"`    // attempts, by connection.operation
	Lag      map[string]Calls   `json:"lag"`      // deliveries and their time since reception, by pipeline
}

// Calls is how often something was done, how often it failed, and how long all of it took.
type Calls struct {
	N       float64 `json:"n"`
	Failed  float64 `json:"failed,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Totals returns what was counted until now.
func (m *Meter) Totals() Totals {
	t := Totals{Finished: map[string]float64{}, Calls: map[string]Calls{}, Lag: map[string]Calls{}}
	each(m.finished, func(labels map[string]string, s *dto.Metric) { t.Finished[labels["lane"]] += s.Counter.GetValue() })
	each(m.latency, func(labels map[string]string, s *dto.Metric) {
		op := labels["connection"] + "." + labels["operation"]
		c := t.Calls[op]
		n := float64(s.Histogram.GetSampleCount())
		c.N, c.Seconds = c.N+n, c.Seconds+s.Histogram.GetSampleSum()
		if labels["result"] != "ok" {
			c.Failed += n
		}
		t.Calls[op] = c
	})
	each(m.lag, func(labels map[string]string, s *dto.Metric) {
		c := t.Lag[labels["pipeline"]]
		c.N, c.Seconds = c.N+float64(s.Histogram.GetSampleCount()), c.Seconds+s.Histogram.GetSampleSum()
		t.Lag[labels["pipeline"]] = c
	})
	return t
}

// each hands the series of a metric to f.
func each(c prometheus.Collector, f func(labels map[string]string, s *dto.Metric)) {
	ch := make(chan prometheus.Metric)
	go func() { c.Collect(ch); close(ch) }() // ends with the loop
	for m := range ch {
		var s dto.Metric
		if m.Write(&s) != nil {
			continue // a series of our own vectors can always be written
		}
		labels := make(map[string]string, len(s.Label))
		for _, l := range s.Label {
			labels[l.GetName()] = l.GetValue()
		}
		f(labels, &s)
	}
}
