package journal_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"crossdock/runtime/journal"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

const trace = "0af7651916cd43dd8448eb211c80319c"

// busy returns a meter that has counted something of everything.
func busy(t *testing.T) *journal.Meter {
	t.Helper()
	d := memory.Open(memory.Options{})
	t.Cleanup(func() { d.Close() })
	_, err := d.Apply(context.Background(), queue.Commit{Jobs: []queue.Job{{ID: "A", Lane: "in/orders", Fresh: []queue.Entry{
		{Message: "A", At: time.Now(), Kind: queue.Accepted, Pipeline: "orders"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	leased, err := d.Lease(context.Background(), queue.Want{Lane: "in/orders", Max: 1, TTL: time.Minute})
	if err != nil || len(leased) != 1 {
		t.Fatal(leased, err)
	}
	park := queue.Finish{Lease: leased[0], Outcome: queue.Park, At: time.Now().Add(time.Hour), Reason: "tms.post fails and is cut off by its breaker"}
	if _, err := d.Apply(context.Background(), queue.Commit{Finish: []queue.Finish{park}}); err != nil {
		t.Fatal(err)
	}
	m := journal.NewMeter()
	m.Process("1.2.3")
	m.Watch(d, func([]queue.LaneStat) []policy.Shown {
		return []policy.Shown{{Name: "tms", Calls: 2, Waiting: 3, Places: 4, Used: 5, Quota: 6, Held: 7, Drained: time.Now().Add(time.Hour),
			Operations: map[string]string{"post": "open", "get": "closed"}}}
	})
	m.Accepted("orders", "erp", []queue.Result{{}, {Status: queue.Duplicate}})
	m.Arrived("orders", "erp", time.Minute, trace)
	m.Rejected("orders", 422)
	m.Unverified("orders")
	m.Ended(journal.End{Pipeline: "orders", Source: "erp", Lane: "in/orders", Outcome: "delivered", Occurred: time.Now().Add(-time.Hour),
		Received: time.Now().Add(-time.Minute), SLA: time.Hour, Trace: trace})
	m.Parked("orders", policy.BreakerOpen)
	m.Attempt("tms", "post", "ok", time.Second, trace)
	m.Retried("tms", "post")
	m.Reloaded("failed")
	m.Ready(true)
	return m
}

func TestMetricsAreWellFormed(t *testing.T) {
	m := busy(t)
	families := parsed(t, m)
	problems, err := promlint.NewWithMetricFamilies(values(families)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "crossdock_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", "crossdock_build_info"} {
		if families[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestExamples asks as Prometheus does when it wants examples of traces.
func TestExamples(t *testing.T) {
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	w := httptest.NewRecorder()
	promhttp.HandlerFor(busy(t).Registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
	text := w.Body.String()
	if !strings.HasSuffix(text, "# EOF\n") {
		t.Fatalf("no OpenMetrics: %s", w.Header().Get("Content-Type"))
	}
	for _, name := range []string{"delivery_seconds", "lag_seconds", "event_lag_seconds", "arrival_lag_seconds"} {
		found := false
		for line := range strings.Lines(text) {
			found = found || strings.HasPrefix(line, "crossdock_"+name+"_bucket") && strings.Contains(line, `# {trace_id="`+trace+`"}`)
		}
		if !found {
			t.Errorf("crossdock_%s has no example", name)
		}
	}
}

func TestStateOfStoreAndSystems(t *testing.T) {
	all := parsed(t, busy(t))
	for series, want := range map[string]float64{
		`crossdock_lane_messages lane=in/orders state=parked`:                1,
		`crossdock_lane_parked lane=in/orders reason=breaker`:                1,
		`crossdock_breaker connection=tms operation=post state=open`:         1,
		`crossdock_breaker connection=tms operation=post state=closed`:       0,
		`crossdock_breaker connection=tms operation=get state=closed`:        1,
		`crossdock_connection_calls connection=tms`:                          2,
		`crossdock_connection_waiting connection=tms`:                        3,
		`crossdock_connection_places connection=tms`:                         4,
		`crossdock_quota_used connection=tms`:                                5,
		`crossdock_quota_limit connection=tms`:                               6,
		`crossdock_connection_held connection=tms`:                           7,
		`crossdock_connection_closed connection=tms`:                         0,
		`crossdock_lane_finished_total lane=in/orders`:                       1,
		`crossdock_reload_failed`:                                            1,
		`crossdock_ready`:                                                    1,
		`crossdock_accepted_total pipeline=orders result=new source=erp`:     1,
		`crossdock_sla_total pipeline=orders result=met source=erp`:          1,
		`crossdock_event_lag_seconds_count pipeline=orders source=erp`:       1,
		`crossdock_arrival_lag_seconds_count pipeline=orders source=erp`:     1,
		`crossdock_ended_total outcome=delivered pipeline=orders source=erp`: 1,
	} {
		if have, ok := value(all, series); !ok || have != want {
			t.Errorf("%s is %v (%v), want %v", series, have, ok, want)
		}
	}
	if left, ok := value(all, "crossdock_connection_drain_seconds connection=tms"); !ok || left < 3500 || left > 3601 {
		t.Errorf("drain %v", left)
	}
}

func TestSLA(t *testing.T) {
	m := journal.NewMeter()
	end := func(outcome string, ago, sla time.Duration) {
		m.Ended(journal.End{Pipeline: "p", Source: "s", Lane: "in/p", Outcome: outcome, Received: time.Now().Add(-ago), SLA: sla})
	}
	end("delivered", time.Minute, time.Hour)
	end("delivered", 2*time.Hour, time.Hour)
	end("dead", time.Minute, time.Hour)
	end("filtered", 2*time.Hour, time.Hour)
	end("delivered", 2*time.Hour, 0)
	all := parsed(t, m)
	for _, result := range []string{"met", "missed", "dead"} {
		if n, _ := value(all, "crossdock_sla_total pipeline=p result="+result+" source=s"); n != 1 {
			t.Errorf("%s: %v, want 1", result, n)
		}
	}
	if n, _ := value(all, "crossdock_lag_seconds_count pipeline=p source=s"); n != 3 {
		t.Errorf("lags: %v, want 3", n)
	}
}

// parsed reads the metrics as Prometheus does.
func parsed(t *testing.T, m *journal.Meter) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatal(w.Body.String())
	}
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func values(in map[string]*dto.MetricFamily) []*dto.MetricFamily {
	out := make([]*dto.MetricFamily, 0, len(in))
	for _, f := range in {
		out = append(out, f)
	}
	return out
}

// value returns a sample by its name and its labels in order; of a histogram,
// NAME_count.
func value(all map[string]*dto.MetricFamily, series string) (float64, bool) {
	name, labels, _ := strings.Cut(series, " ")
	base, counts := strings.CutSuffix(name, "_count")
	f := all[name]
	if f == nil && counts {
		f = all[base]
	}
	for _, m := range f.GetMetric() {
		var have []string
		for _, l := range m.Label {
			have = append(have, fmt.Sprintf("%s=%s", l.GetName(), l.GetValue()))
		}
		if strings.Join(have, " ") != labels {
			continue
		}
		switch {
		case m.Counter != nil:
			return m.Counter.GetValue(), true
		case m.Gauge != nil:
			return m.Gauge.GetValue(), true
		case m.Histogram != nil:
			return float64(m.Histogram.GetSampleCount()), true
		}
	}
	return 0, false
}
