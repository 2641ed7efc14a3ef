// Package telemetry makes OpenTelemetry spans of what happens to messages and
// sends them to a collector.
//
// A trace context travels with its message as the headers traceparent and
// tracestate of W3C Trace Context: from whoever called, over the store, to the
// target. Spans hold names, numbers and outcomes, never payloads or secrets.
//
// The zero Span and a nil *Tracer are those of a process that traces nothing:
// every method may be called on them, does nothing and allocates nothing.
package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer starts spans. It is safe for concurrent use; nil traces nothing.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Kind is the part that a span plays.
type Kind int

// The kinds of spans.
const (
	Receives = Kind(trace.SpanKindServer)   // a message comes in
	Works    = Kind(trace.SpanKindConsumer) // a message is taken from the store
	Calls    = Kind(trace.SpanKindClient)   // another system is called
)

// On reports whether spans are made.
func (t *Tracer) On() bool { return t != nil }

// Start begins a span that follows from the trace context in headers, or a trace
// of its own where there is none. Headers are not changed.
func (t *Tracer) Start(headers map[string]string, kind Kind, name string, at time.Time) Span {
	if t == nil {
		return Span{}
	}
	ctx := context.Background()
	if headers["traceparent"] != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(headers))
	}
	_, s := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKind(kind)), trace.WithTimestamp(at))
	return Span{s}
}

// Follow begins a span below parent.
func (t *Tracer) Follow(parent Span, kind Kind, name string, at time.Time) Span {
	if t == nil {
		return Span{}
	}
	ctx := context.Background()
	if parent.s != nil {
		ctx = trace.ContextWithSpan(ctx, parent.s)
	}
	_, s := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKind(kind)), trace.WithTimestamp(at))
	return Span{s}
}

// Close sends what is left, as long as ctx lasts.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Span is one thing that happens to a message. The zero Span is none.
type Span struct{ s trace.Span }

// On reports whether there is a span, for callers whose details cost something.
func (s Span) On() bool { return s.s != nil }

// Text adds a detail.
func (s Span) Text(key, value string) {
	if s.s != nil {
		s.s.SetAttributes(attribute.String(key, value))
	}
}

// Number adds a detail.
func (s Span) Number(key string, value int) {
	if s.s != nil {
		s.s.SetAttributes(attribute.Int(key, value))
	}
}

// Digest adds a fingerprint of a value that does not belong into a trace.
func (s Span) Digest(key, value string) {
	if s.s != nil && value != "" {
		sum := sha256.Sum256([]byte(value))
		s.s.SetAttributes(attribute.String(key, hex.EncodeToString(sum[:8])))
	}
}

// Fail says that it went wrong, in a word. Such spans are kept even of traces
// that are not sampled.
func (s Span) Fail(word string) {
	if s.s != nil {
		s.s.SetStatus(codes.Error, word)
	}
}

// End ends the span. A second call does nothing.
func (s Span) End() {
	if s.s != nil {
		s.s.End()
	}
}

// Example is the ID of the trace where it is sampled, else "": a metric may name
// it, for it can be looked up.
func (s Span) Example() string {
	if s.s == nil {
		return ""
	}
	if c := s.s.SpanContext(); c.IsSampled() {
		return c.TraceID().String()
	}
	return ""
}

// Onto returns headers with the context of the span, so that what follows is
// part of the same trace. The map that is given stays as it is.
func (s Span) Onto(headers map[string]string) map[string]string {
	if s.s == nil {
		return headers
	}
	out := maps.Clone(headers)
	if out == nil {
		out = make(map[string]string, 2)
	}
	delete(out, "tracestate")
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), s.s), propagation.MapCarrier(out))
	return out
}

// Context returns what of headers is trace context, nil where there is none.
func Context(headers map[string]string) map[string]string {
	parent := headers["traceparent"]
	if parent == "" {
		return nil
	}
	out := map[string]string{"traceparent": parent}
	if state := headers["tracestate"]; state != "" {
		out["tracestate"] = state
	}
	return out
}
