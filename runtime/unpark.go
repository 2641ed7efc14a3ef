package runtime

import (
	"context"
	"errors"
	"fmt"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// unpark lets messages go on that waited for a definition that ws has. Those
// whose definition is still missing stay as they are.
func (e *Engine) unpark(ctx context.Context, ws *dsl.Workspace) error {
	q := queue.Query{View: queue.Jobs, State: queue.Parked, Limit: 1000, Bodies: true}
	for {
		page, err := e.driver.Browse(ctx, q)
		if err != nil {
			return err
		}
		var orders []queue.Order
		for _, j := range page.Jobs {
			if defined(ws, j.Body) {
				orders = append(orders, queue.Order{ID: j.ID, Do: queue.Unpark})
			}
		}
		if err := e.order(ctx, orders); err != nil {
			return fmt.Errorf("release messages that waited for a definition: %w", err)
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// order gives orders in one write; where one of them has nothing to act on any
// more, each by itself.
func (e *Engine) order(ctx context.Context, orders []queue.Order) error {
	if len(orders) == 0 {
		return nil
	}
	_, err := e.driver.Apply(ctx, queue.Commit{Orders: orders})
	if !errors.Is(err, queue.ErrNotFound) {
		return err
	}
	for i := range orders {
		if _, err := e.driver.Apply(ctx, queue.Commit{Orders: orders[i : i+1]}); err != nil && !errors.Is(err, queue.ErrNotFound) {
			return err
		}
	}
	return nil
}

// defined reports whether ws has what the next step of a stored message needs.
func defined(ws *dsl.Workspace, body []byte) bool {
	p := ws.Pipelines[flow.PipelineOf(body)]
	if p == nil {
		return false
	}
	run, err := flow.Decode(body, func([]byte, *message.Meta) (any, error) { return nil, nil })
	if err != nil {
		return true // the work on it tells what is wrong
	}
	if run.Step == "" || run.Step == flow.End {
		return true
	}
	step := p.ByID[run.Step]
	if step == nil {
		return false
	}
	return step.Action != compile.ActSend && step.Action != compile.ActCall || ws.Operation(step.Target) != nil
}
