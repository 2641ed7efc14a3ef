package worker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/policy"
)

// TestLagAndSLA checks what metrics tell of the time that messages take: since
// it happened, since they came, and against what was promised.
func TestLagAndSLA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{}, "  quick: {extends: p, sla: 30s}\n",
			"pipeline: a\ntrigger: {http: {path: /a, verify: none}}\npolicy: quick\nkey: .n\nevent_time: .at\nsteps:\n  - {send: t.keyed}\n  - {emit: thing@1, with: {n: .n}}\n",
			"schema: thing@1\nfields:\n  n: {type: string}\n",
			"pipeline: b\ntrigger: {event: thing}\nkey: .n\nsteps:\n  - {send: t.keyed}\n")
		defer p.stop()
		now := time.Now()
		p.send("a", fmt.Sprintf(`{"n":"1","at":%q}`, now.Add(-time.Minute).Format(time.RFC3339)))
		synctest.Wait()
		p.took = time.Minute
		p.send("a", fmt.Sprintf(`{"n":"2","at":%d}`, now.Add(-time.Minute).UnixMilli()), fmt.Sprintf(`{"n":"3","at":%d}`, now.Add(-time.Minute).Unix()),
			`{"n":"4","at":"2026-01-02T03:04:05"}`, `{"n":"5","at":{}}`, `{"n":"6"}`)
		time.Sleep(5 * time.Minute)
		for series, want := range map[string]string{
			"crossdock_sla_total a met http":         "1",
			"crossdock_sla_total a missed http":      "5",
			"crossdock_sla_total b met event":        "",              // nothing was promised
			"crossdock_arrival_lag_seconds a http":   "3 times, 180s", // without offset, without sense, or missing: not known
			"crossdock_event_lag_seconds a http":     "3 times, 300s",
			"crossdock_event_lag_seconds b event":    "3 times, 420s", // an event inherits when it happened
			"crossdock_lag_seconds a http":           "6 times, 300s",
			"crossdock_delivery_seconds t keyed ok":  "12 times, 600s",
			"crossdock_lane_finished_total in/a":     "6",
			"crossdock_ended_total delivered a http": "6",
			"crossdock_accepted_total a new http":    "6",
			"crossdock_arrival_lag_seconds b event":  "",
		} {
			if have := p.metric(series); have != want {
				t.Errorf("%s: %s, want %s", series, have, want)
			}
		}
	})
}

// metric returns one series by its name and the values of its labels, in the
// order of the labels' names.
func (p *port) metric(series string) string {
	p.Helper()
	families, err := p.meter.Registry.Gather()
	if err != nil {
		p.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			switch {
			case name != series:
			case m.Counter != nil:
				return fmt.Sprint(m.Counter.GetValue())
			case m.Histogram != nil:
				return fmt.Sprintf("%d times, %.0fs", m.Histogram.GetSampleCount(), m.Histogram.GetSampleSum())
			}
		}
	}
	return ""
}
