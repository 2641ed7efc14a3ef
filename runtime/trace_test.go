package runtime_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"crossdock/runtime"
	"crossdock/runtime/enginetest"
	"crossdock/runtime/telemetry"
	"crossdock/runtime/worker"
)

var traced = map[string]string{
	"crossdock.yaml":      "crossdock: 1\ndefaults: {policy: p}\npolicies:\n  p: {retry: {attempts: 3, wait: 1ms, grow: 1, jitter: 0, on: [5xx]}}\n",
	"thing.schema.yaml":   "schema: thing@1\nfields:\n  n: {type: string}\n",
	"in.pipeline.yaml":    "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.n]\nsteps:\n  - route:\n      pick: every\n      rules:\n        - {name: a, when: data.n != \"\", to: [{send: t.put}]}\n        - {name: b, when: data.n != \"\", to: [{emit: thing@1, with: {n: .n}}]}\n      otherwise: ignore\n",
	"heard.pipeline.yaml": "pipeline: heard\ntrigger: {event: thing}\nkey: [.n]\nsteps:\n  - {send: t.heard, with: {trace: $run.trace_id}}\n",
	"t.connection.yaml":   "connection: t\ntype: http\nbase_url: URL\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /put, repeat: keyed}\n  heard: {post: \"/heard/{trace}\", repeat: keyed}\n",
}

// seen is what the target was sent.
type seen struct{ path, parent, state string }

// traceOne runs one message through a webhook, two branches, an event and a
// retry, and returns what the target and the collector saw.
func traceOne(t *testing.T, headers map[string]string) ([]seen, tracetest.SpanStubs) {
	t.Helper()
	calls := make(chan seen, 10)
	first := true
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/put" && first {
			first = false
			w.WriteHeader(503)
		}
		calls <- seen{r.URL.Path, r.Header.Get("Traceparent"), r.Header.Get("Tracestate")}
	}))
	t.Cleanup(target.Close)
	dir := t.TempDir()
	for name, text := range traced {
		enginetest.Write(t, dir, name, strings.ReplaceAll(text, "URL", target.URL))
	}
	spans := tracetest.NewInMemoryExporter()
	tracer, err := telemetry.New(context.Background(), telemetry.Options{Exporter: spans, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	e, stop := enginetest.Start(t, runtime.Options{Dir: dir, Store: "memory:", Worker: worker.Options{Tracer: tracer}})
	r, _ := http.NewRequest("POST", "http://"+e.Addr()+"/in", strings.NewReader(`{"n":"confidential"}`))
	r.Header.Set("Content-Type", "application/json")
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != 202 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	got := []seen{<-calls, <-calls, <-calls}
	if err := stop(); err != nil { // work under way finishes first
		t.Fatal(err)
	}
	return got, spans.GetSpans()
}

// TestOneTrace follows one message from the webhook to its targets.
func TestOneTrace(t *testing.T) {
	const id = "0af7651916cd43dd8448eb211c80319c"
	calls, spans := traceOne(t, map[string]string{"Traceparent": "00-" + id + "-b7ad6b7169203331-01", "Tracestate": "erp=1"})
	count, parents, ids := map[string]int{}, map[string]string{}, map[string]string{}
	for _, s := range spans {
		if s.SpanContext.TraceID().String() != id {
			t.Errorf("%s is of another trace", s.Name)
		}
		count[s.Name]++
		parents[s.SpanContext.SpanID().String()], ids[s.SpanContext.SpanID().String()] = s.Parent.SpanID().String(), s.Name
		if text := fmt.Sprint(s.Attributes, s.Events, s.Status); strings.Contains(text, "confidential") {
			t.Errorf("%s tells of the payload: %s", s.Name, text)
		}
	}
	want := map[string]int{"receive in": 1, "process in": 4, "process heard": 1, "send t.put": 2, "send t.heard": 1}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("spans %v, want %v", count, want)
	}
	for _, c := range calls {
		parts := strings.Split(c.parent, "-")
		if len(parts) != 4 || parts[1] != id || !strings.HasPrefix(ids[parts[2]], "send t.") || c.state != "erp=1" {
			t.Errorf("the target got %+v, of no span that was sent", c)
			continue
		}
		// Up to the caller there is no gap.
		at, way := parts[2], ""
		for ids[at] != "" {
			way += ids[at] + " < "
			at = parents[at]
		}
		if at != "b7ad6b7169203331" {
			t.Errorf("%s leads to %s, not to the caller", way, at)
		}
		if strings.HasPrefix(c.path, "/heard/") && c.path != "/heard/"+id {
			t.Errorf("$run.trace_id is %s", c.path)
		}
	}
}

// TestFailureOfUnsampledTrace finds what failed in a trace that nobody samples.
func TestFailureOfUnsampledTrace(t *testing.T) {
	calls, spans := traceOne(t, map[string]string{"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"})
	var names []string
	for _, s := range spans {
		names = append(names, s.Name)
		if s.Status.Code != codes.Error {
			t.Errorf("%s did not fail", s.Name)
		}
	}
	if fmt.Sprint(names) != "[send t.put process in]" {
		t.Errorf("kept %v", names)
	}
	for _, c := range calls {
		if !strings.HasSuffix(c.parent, "-00") {
			t.Errorf("the target is told to sample: %s", c.parent)
		}
	}
}

// TestTraceOfItsOwn starts a trace where the sender has none.
func TestTraceOfItsOwn(t *testing.T) {
	calls, spans := traceOne(t, nil)
	id := spans[0].SpanContext.TraceID().String()
	for _, c := range calls {
		if !strings.HasPrefix(c.parent, "00-"+id+"-") {
			t.Errorf("%s is not of trace %s", c.parent, id)
		}
		if strings.HasPrefix(c.path, "/heard/") && c.path != "/heard/"+id {
			t.Errorf("$run.trace_id is %s, want %s", c.path, id)
		}
	}
}
