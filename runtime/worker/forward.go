package worker

import (
	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
)

// forwards reports whether the sink of an operation takes JSON as it is.
func (l *Live) forwards(op *compile.Operation) bool { return forwards(l.Sinks[op.Connection], op) }

func forwards(s connectors.Sink, op *compile.Operation) bool {
	f, ok := s.(connectors.Forwarder)
	return ok && f.Forwards(op.Name)
}

// opened is out with the value of what is sent, if a reload since it was written
// brought a sink or a check that looks into it.
func opened(out flow.Outcome, s connectors.Sink, op *compile.Operation) flow.Outcome {
	if out.Encoded == nil || op.Check == nil && forwards(s, op) {
		return out
	}
	if body, err := message.Decode(out.Encoded, message.Unlimited); err == nil { // our own JSON is well formed
		out.Body, out.Encoded = body, nil
	}
	return out
}
