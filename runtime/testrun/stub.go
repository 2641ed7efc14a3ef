package testrun

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"crossdock/connectors"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/runtime/message"
)

// Call is one attempt that a stand-in has seen.
type Call struct {
	Operation string // connection.operation
	Key       string
	Attempt   int
	With      map[string]any
	Body      any
	Answer    connectors.Response
	Recalled  bool // Answer is what the real message was answered
}

// Recorder stands in for every connection of a workspace: it remembers what
// was sent and answers from stubs. It is safe for concurrent use.
type Recorder struct {
	ws    *compile.Workspace
	stubs map[string][]compile.Stub // of a case; they win over those of operations

	// Recall finds what was answered to a call of a real message, by its
	// idempotency key; nil: nothing is known.
	Recall func(key string) (body any, ok bool)

	mu    sync.Mutex
	calls []Call
	count map[string]int
}

// NewRecorder returns stand-ins for the connections of ws.
func NewRecorder(ws *compile.Workspace, stubs map[string][]compile.Stub) *Recorder {
	return &Recorder{ws: ws, stubs: stubs, count: map[string]int{}}
}

// Sinks returns one sink per connection.
func (r *Recorder) Sinks() map[string]connectors.Sink {
	sinks := map[string]connectors.Sink{}
	for name := range r.ws.Connections {
		sinks[name] = &stubSink{r, name}
	}
	return sinks
}

// Calls returns what was seen, in order.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Call{}, r.calls...)
}

type stubSink struct {
	r    *Recorder
	name string
}

// Close implements connectors.Sink.
func (s *stubSink) Close() error { return nil }

// Deliver implements connectors.Sink.
func (s *stubSink) Deliver(ctx context.Context, req connectors.Request) (connectors.Response, error) {
	ref := s.name + "." + req.Operation
	r := s.r
	r.mu.Lock()
	n := r.count[ref]
	r.count[ref]++
	at := len(r.calls)
	r.calls = append(r.calls, Call{Operation: ref, Key: req.Key, Attempt: req.Attempt, With: req.With, Body: req.Body})
	r.mu.Unlock()
	resp, recalled, err := r.answer(ctx, ref, req, n)
	r.mu.Lock()
	r.calls[at].Answer, r.calls[at].Recalled = resp, recalled
	r.mu.Unlock()
	return resp, err
}

// answer makes the answer to the request after n others to the operation.
func (r *Recorder) answer(ctx context.Context, ref string, req connectors.Request, n int) (connectors.Response, bool, error) {
	if r.Recall != nil {
		if body, ok := r.Recall(req.Key); ok {
			return connectors.Response{Status: 200, Body: body, Raw: message.Marshal(body)}, true, nil
		}
	}
	op := r.ws.Operation(ref)
	stubs := r.stubs[ref]
	if len(stubs) == 0 && op != nil {
		stubs = op.Stubs
	}
	if len(stubs) == 0 {
		return connectors.Response{Status: 200}, false, nil
	}
	resp, err := Answer(ctx, &stubs[min(n, len(stubs)-1)], req, n+1)
	return resp, false, err
}

// errNoAnswer stands for an attempt whose answer never came.
var errNoAnswer = errors.New("no answer came in time")

// Answer makes the answer of a stub to a request; count is how many requests
// the operation has seen, this one included.
func Answer(ctx context.Context, s *compile.Stub, req connectors.Request, count int) (connectors.Response, error) {
	switch s.Fault {
	case "timeout":
		return connectors.Response{}, connectors.Ambiguous(errNoAnswer)
	case "reset":
		return connectors.Response{}, connectors.Ambiguous(errors.New("the connection was closed before an answer came"))
	}
	resp := connectors.Response{Status: s.Status, Headers: s.Headers, Body: s.Body}
	if s.Fields != nil {
		in := map[string]any{"body": req.Body, "with": with(req.With), "count": count, "key": req.Key}
		body, err := s.Fields.Apply(&cell.Scope{Ctx: ctx}, in)
		if err != nil {
			return resp, connectors.Permanent(fmt.Errorf("the stub failed: %w", err))
		}
		resp.Body = body
	}
	if s.HasBody {
		resp.Raw = message.Marshal(resp.Body)
	}
	return resp, nil
}

func with(m map[string]any) any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
