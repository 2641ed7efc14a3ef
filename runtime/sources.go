package runtime

import (
	"context"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/message"
)

// source is a running trigger other than a webhook.
type source struct {
	digest string
	run    connectors.Source
	cancel context.CancelFunc
	done   chan struct{}
}

// prepareSources builds the table of webhooks and every other source, without
// starting any.
func (e *Engine) prepareSources(next *revision) error {
	table, err := e.routes(next.ws)
	if err != nil {
		return err
	}
	next.table = table
	for name, p := range next.ws.Pipelines {
		s, err := e.newSource(next, p)
		if err != nil {
			return err
		}
		if s != nil {
			next.sources[name] = &source{digest: p.Digest, run: s}
		}
	}
	return nil
}

// install makes next the revision at work: one atomic step for webhooks and
// one for workers.
func (e *Engine) install(next *revision) {
	e.worker.Use(next.live)
	e.table.Store(next.table)
	e.status.Lock()
	e.current = next
	e.status.Unlock()
}

// startSources starts the sources of next that are new or changed, after those
// they replace have ended. Unchanged ones go on.
func (e *Engine) startSources(next, old *revision) {
	if old != nil {
		for name, s := range old.sources {
			if same := next.sources[name]; same != nil && same.digest == s.digest {
				next.sources[name] = s
				continue
			}
			s.stop()
		}
	}
	for name, s := range next.sources {
		if s.cancel != nil {
			continue
		}
		ctx, cancel := context.WithCancel(e.run)
		s.cancel, s.done = cancel, make(chan struct{})
		go e.runSource(ctx, name, s) // joined by stop
	}
}

// runSource keeps a source running: one that fails is started again, ever
// more slowly, and says so.
func (e *Engine) runSource(ctx context.Context, name string, s *source) {
	defer close(s.done)
	wait := time.Second
	for ctx.Err() == nil {
		began := time.Now()
		err := s.run.Run(ctx, e.worker.Channel(name, false))
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		e.log.Error("the source of a pipeline stopped and is started again", "pipeline", name, "error", err, "in", wait)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		wait = min(2*wait, time.Minute)
	}
}

func (s *source) stop() {
	if s.cancel != nil {
		s.cancel()
		<-s.done
	}
}

func (e *Engine) stopSources(r *revision) {
	for _, s := range r.sources {
		if s.cancel != nil {
			s.cancel()
		}
	}
	for _, s := range r.sources {
		s.stop()
	}
}

func replyBody(v any) []byte {
	switch t := v.(type) {
	case nil:
		return nil
	case string:
		return []byte(t)
	}
	return message.Marshal(v)
}

// newSource builds the source of a pipeline; nil for webhooks and events.
func (e *Engine) newSource(next *revision, p *compile.Pipeline) (connectors.Source, error) {
	return nil, nil
}

// trigger names what starts a pipeline.
func trigger(p *compile.Pipeline) string {
	t := &p.Trigger
	switch {
	case t.HTTP != nil:
		return "http " + t.HTTP.Path.Value
	case t.Schedule != nil:
		return "schedule " + t.Schedule.Cron.Value + " " + t.Zone
	case t.Files != nil:
		return "files " + t.Files.Connection.Value + ":" + t.Files.Path.Value
	case t.Poll != nil:
		return "poll " + t.Poll.Call.Value
	}
	return "event " + strings.Join(t.Events, ", ")
}
