package telemetry

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestOffCostsNothing holds the promise that a process without traces does not
// pay for them.
func TestOffCostsNothing(t *testing.T) {
	var off *Tracer
	headers := map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	at := time.Now()
	allocs := testing.AllocsPerRun(100, func() {
		s := off.Start(headers, Receives, "receive", at)
		f := off.Follow(s, Calls, "send", at)
		f.Text("a", "b")
		f.Number("n", 7)
		f.Digest("d", "key")
		f.Fail("no")
		f.End()
		if len(s.Onto(headers)) != 1 || s.Example() != "" || s.On() || Context(nil) != nil {
			t.Fatal("it is on")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}

func TestWhatAsksForTraces(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Options
		env  map[string]string
		on   bool
		err  string
	}{
		{name: "nothing"},
		{name: "flag", opt: Options{Endpoint: "http://127.0.0.1:1"}, on: true},
		{name: "endpoint", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, on: true},
		{name: "exporter", env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		{name: "none", env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}},
		{name: "disabled", opt: Options{Endpoint: "http://127.0.0.1:1"}, env: map[string]string{"OTEL_SDK_DISABLED": "true"}},
		{name: "grpc", env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, err: "http/protobuf only"},
		{name: "zipkin", env: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, err: "use otlp or none"},
		{name: "sampler", opt: Options{Endpoint: "http://127.0.0.1:1"}, env: map[string]string{"OTEL_TRACES_SAMPLER": "dice"}, err: "use always_on"},
		{name: "share", opt: Options{Endpoint: "http://127.0.0.1:1"}, env: map[string]string{"OTEL_TRACES_SAMPLER_ARG": "7"}, err: "from 0 to 1"},
		{name: "ratio", opt: Options{Endpoint: "http://127.0.0.1:1", Ratio: 2}, err: "from 0 to 1"},
		{name: "address", opt: Options{Endpoint: "collector:4318"}, err: "http://127.0.0.1:4318"},
	} {
		c.opt.Env = func(name string) string { return c.env[name] }
		tracer, err := New(context.Background(), c.opt)
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %s", c.name, err, c.err)
		case c.err == "" && (err != nil || tracer.On() != c.on):
			t.Errorf("%s: on %v, %v", c.name, tracer.On(), err)
		}
		if err := tracer.Close(context.Background()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestSent looks at what a collector is sent.
func TestSent(t *testing.T) {
	got := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- r.URL.Path + " " + string(raw)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	tracer, err := New(context.Background(), Options{Endpoint: collector.URL, Version: "7.7", Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	s := tracer.Start(nil, Receives, "receive orders", time.Now())
	s.Digest("crossdock.key_hash", "order 4711")
	s.End()
	if err := tracer.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	text := <-got
	for _, want := range []string{"/v1/traces ", "receive orders", "crossdock.key_hash", "service.name", "7.7"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %s", text, want)
		}
	}
	if strings.Contains(text, "4711") {
		t.Error("the key is told")
	}
}

// TestShare keeps about as many traces as asked for, and what the sender says.
func TestShare(t *testing.T) {
	tracer, err := New(context.Background(), Options{Endpoint: "http://127.0.0.1:1", Ratio: 0.25, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for range 2000 {
		if tracer.Start(nil, Works, "x", time.Now()).Example() != "" {
			kept++
		}
	}
	if kept < 400 || kept > 600 {
		t.Errorf("kept %d of 2000", kept)
	}
	for flag, want := range map[string]bool{"00": false, "01": true} {
		h := map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-" + flag}
		if have := tracer.Start(h, Works, "x", time.Now()).Example() != ""; have != want {
			t.Errorf("flag %s: kept %v", flag, have)
		}
	}
}
