package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"crossdock/runtime/queue"
)

// ErrNoPipeline says that no pipeline has that name.
var ErrNoPipeline = errors.New("there is no such pipeline")

// Pause stops or resumes the work on a pipeline. Its messages go on being taken
// in and wait. The choice is kept in the store and survives restarts.
func (e *Engine) Pause(ctx context.Context, pipeline string, on bool) error {
	e.status.Lock()
	p := e.current.ws.Pipelines[pipeline]
	e.status.Unlock()
	if p == nil {
		return ErrNoPipeline
	}
	var value []byte
	if on {
		value = []byte("paused")
	}
	e.pausing.Lock()
	defer e.pausing.Unlock()
	_, err := e.driver.Apply(ctx, queue.Commit{Put: []queue.Put{
		{Key: pauseKey(pipeline), Version: queue.AnyVersion, Value: value},
		{Key: pauseTopic, Version: queue.AnyVersion, Value: []byte(pipeline)},
	}})
	if err != nil {
		return fmt.Errorf("keep the pause: %w", err)
	}
	e.worker.Pause(pipeline, on)
	return nil
}

// pauseTopic is the state key that is written with every pause, for all replicas
// to hear of it.
const pauseTopic = "pauses"

func pauseKey(pipeline string) string { return "pause/" + pipeline }

// restorePauses takes up the pauses that the store remembers, and the
// maintenance by hand.
func (e *Engine) restorePauses(ctx context.Context, r *revision) error {
	names := make([]string, 0, len(r.ws.Pipelines))
	keys := make([]string, 0, len(r.ws.Pipelines))
	for name := range r.ws.Pipelines {
		names = append(names, name)
		keys = append(keys, pauseKey(name))
	}
	e.pausing.Lock()
	defer e.pausing.Unlock()
	values, err := e.driver.Get(ctx, keys...)
	if err != nil {
		return fmt.Errorf("read the pauses: %w", err)
	}
	for i, v := range values {
		e.worker.Pause(names[i], v.Version > 0)
	}
	return e.restoreMaintenance(ctx, r)
}

// LaneNote says what keeps the messages of a lane, "" where nothing does.
func (e *Engine) LaneNote(lane string) string {
	e.status.Lock()
	ws := e.current.ws
	e.status.Unlock()
	if name, ok := strings.CutPrefix(lane, "in/"); ok {
		switch {
		case ws.Pipelines[name] == nil:
			return "the pipeline is not defined any more"
		case e.worker.Paused(name):
			return "paused"
		}
		return ""
	}
	if ref, ok := strings.CutPrefix(lane, "out/"); ok && ws.Operation(ref) == nil {
		return "the operation is not defined any more"
	}
	return ""
}
