package worker

import (
	"context"
	"testing"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
)

// forwarder is a sink that forwards one operation.
type forwarder string

func (forwarder) Deliver(context.Context, connectors.Request) (connectors.Response, error) {
	return connectors.Response{}, nil
}
func (forwarder) Close() error             { return nil }
func (f forwarder) Forwards(o string) bool { return o == string(f) }

// TestOpened: after a reload the value is there for whoever looks into it.
func TestOpened(t *testing.T) {
	const text = `{"a":1.10,"b":["x"]}`
	for _, c := range []struct {
		name string
		op   compile.Operation
		sink connectors.Sink
		open bool
	}{
		{"forwards", compile.Operation{Name: "post"}, forwarder("post"), false},
		{"does not forward any more", compile.Operation{Name: "post"}, forwarder("other"), true},
		{"another connector", compile.Operation{Name: "post"}, nil, true},
		{"has a check now", compile.Operation{Name: "post", Check: &compile.Probe{}}, forwarder("post"), true},
	} {
		out := opened(flow.Outcome{Key: "k", Encoded: []byte(text)}, c.sink, &c.op)
		if c.open != (out.Encoded == nil) || c.open && string(message.Marshal(out.Body)) != text || !c.open && string(out.Encoded) != text || out.Key != "k" {
			t.Errorf("%s: %+v", c.name, out)
		}
	}
	out := opened(flow.Outcome{Body: "x"}, nil, &compile.Operation{})
	if out.Body != "x" || out.Encoded != nil {
		t.Errorf("a value became %+v", out)
	}
}
