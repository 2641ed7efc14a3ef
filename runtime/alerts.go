package runtime

import (
	"context"
	"maps"
	"sync"
	"time"

	"crossdock/runtime/alert"
	"crossdock/runtime/worker"
)

// keepWatch tells the receivers of alerts what is the case, until ctx ends. One
// of several replicas does so at a time.
func (e *Engine) keepWatch(ctx context.Context) {
	every := e.opt.AlertEvery
	if every == 0 {
		every = 5 * time.Second
	}
	w := &alert.Watch{Driver: e.driver, Live: e.worker.Live, Troubles: e.allTroubles}
	for ctx.Err() == nil {
		err := e.holder.during(ctx, "alerts", func(ctx context.Context, _ worker.Apply) error {
			told := false // of an error that lasts
			for {
				err := w.Look(ctx, time.Now())
				if err != nil && ctx.Err() == nil && !told {
					e.log.Error("alerts cannot look at what is the case, trying again", "error", err)
				}
				told = err != nil
				if !sleep(ctx, every) {
					return nil
				}
			}
		})
		if err != nil && ctx.Err() == nil {
			e.log.Warn("the watch for alerts stopped and is started again", "error", err)
			sleep(ctx, every)
		}
	}
}

// allTroubles tells why replicas do not run what they should, and which sources
// fail.
func (e *Engine) allTroubles(ctx context.Context) (reloads, sources map[string]string, err error) {
	replicas, err := e.Replicas(ctx)
	if err != nil {
		return nil, nil, err
	}
	if replicas == nil {
		replicas = []Replica{e.self()}
	}
	reloads, sources = map[string]string{}, map[string]string{}
	for _, r := range replicas {
		if r.Problem != "" {
			reloads[r.Host] = r.Problem
		}
		maps.Copy(sources, r.Failing)
	}
	return reloads, sources, nil
}

const (
	// failuresInARow is how often a source fails before it is said to fail.
	failuresInARow = 3
	// forgetTrouble is how long a failure counts, beyond the time after which the
	// source asks again, where nothing more is heard of it: another replica has it.
	forgetTrouble = 15 * time.Minute
)

// troubles are the failures of sources. Safe for concurrent use.
type troubles struct {
	mu sync.Mutex
	of map[string]trouble
}

type trouble struct {
	n     int
	why   string
	until time.Time // it counts
}

// note counts a failure of the source of a pipeline, which asks again after a
// time; nil ends the row.
func (t *troubles) note(pipeline string, again time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		delete(t.of, pipeline)
		return
	}
	if t.of == nil {
		t.of = map[string]trouble{}
	}
	t.of[pipeline] = trouble{t.of[pipeline].n + 1, err.Error(), time.Now().Add(again + forgetTrouble)}
}

// list returns the sources that failed so often in a row.
func (t *troubles) list(now time.Time, often int) map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out map[string]string
	for name, x := range t.of {
		if x.n < often || now.After(x.until) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = x.why
	}
	return out
}
