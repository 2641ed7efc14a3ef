package runtime

import (
	"context"
	"fmt"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// unpark lets messages go on that waited for a definition that next has, or for
// a connection about which it says something else than old. Those whose
// definition is still missing, and those that wait for a time, stay as they are.
func (e *Engine) unpark(ctx context.Context, next, old *revision) error {
	q := queue.Query{View: queue.Jobs, State: queue.Parked, Limit: 1000, Bodies: true}
	for {
		page, err := e.driver.Browse(ctx, q)
		if err != nil {
			return err
		}
		var ready []queue.JobInfo
		for _, j := range page.Jobs {
			connection, defined := defined(next.ws, j.Body)
			if defined && (j.Due.IsZero() || old == nil || next.sinks[connection] != nil && !next.sinks[connection].alike(old.sinks[connection])) {
				ready = append(ready, j)
			}
		}
		if err := worker.Unpark(ctx, e.driver, ready); err != nil {
			return fmt.Errorf("release messages that waited for a definition: %w", err)
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// defined reports whether ws has what the next step of a stored message needs,
// and the connection of that step.
func defined(ws *dsl.Workspace, body []byte) (connection string, yes bool) {
	p := ws.Pipelines[flow.PipelineOf(body)]
	if p == nil {
		return "", false
	}
	run, err := flow.Decode(body, func([]byte, *message.Meta) (any, error) { return nil, nil })
	if err != nil {
		return "", true // the work on it tells what is wrong
	}
	if run.Step == "" || run.Step == flow.End {
		return "", true
	}
	step := p.ByID[run.Step]
	if step == nil {
		return "", false
	}
	if step.Action != compile.ActSend && step.Action != compile.ActCall {
		return "", true
	}
	op := ws.Operation(step.Target)
	if op == nil {
		return "", false
	}
	return op.Connection, true
}
