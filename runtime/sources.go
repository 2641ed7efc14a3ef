package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/file"
	"crossdock/connectors/files"
	"crossdock/connectors/format/csv"
	"crossdock/connectors/poll"
	"crossdock/connectors/schedule"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// source is a running trigger other than a webhook.
type source struct {
	digest string
	run    connectors.Source
	state  *sourceState
	cancel context.CancelFunc
	done   chan struct{}
}

// prepareSources builds the table of webhooks and every other source, without
// starting any.
func (e *Engine) prepareSources(next *revision) error {
	table, err := e.routes(next.ws, next.secret)
	if err != nil {
		return err
	}
	next.table = table
	for name, p := range next.ws.Pipelines {
		state := &sourceState{driver: e.driver, prefix: "source/" + p.Name + "/", apply: e.driver.Apply}
		s, err := e.newSource(next, p, state)
		if err != nil {
			return err
		}
		if s != nil {
			next.sources[name] = &source{digest: p.Digest, run: s, state: state}
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
		err := e.runOnce(ctx, name, s)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		e.troubles.note(name, wait, err)
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

// runOnce runs a source and turns a panic into an error: one source fails, the
// process lives.
func (e *Engine) runOnce(ctx context.Context, name string, s *source) (err error) {
	defer func() {
		if v := recover(); v != nil {
			e.meter.Panic()
			e.log.Error("internal error in the source of a pipeline", "pipeline", name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = errors.New("an internal error stopped it")
		}
	}()
	return e.holder.during(ctx, "source/"+name, func(ctx context.Context, apply worker.Apply) error {
		s.state.use(apply)
		return s.run.Run(ctx, e.worker.ChannelVia(name, apply))
	})
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
func (e *Engine) newSource(next *revision, p *compile.Pipeline, state connectors.State) (connectors.Source, error) {
	t := &p.Trigger
	var s connectors.Source
	var err error
	switch {
	case t.Schedule != nil:
		s, err = schedule.New(schedule.Config{Name: p.Name, Cron: t.Schedule.Cron.Value, Zone: t.Zone, Missed: t.Schedule.Missed.Value,
			State: state, Log: e.log})
	case t.Files != nil:
		s, err = e.newFiles(next, p, state)
	case t.Poll != nil:
		s, err = e.newPoll(next, p, state)
	}
	if err != nil {
		return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
	}
	return s, nil
}

func (e *Engine) newFiles(next *revision, p *compile.Pipeline, state connectors.State) (connectors.Source, error) {
	t := p.Trigger.Files
	settings, ok := next.ws.Connections[p.Trigger.From].Settings.(*file.Settings)
	if !ok {
		return nil, fmt.Errorf("the connection %s is not of type file", p.Trigger.From)
	}
	delimiter, err := csv.Delimiter(t.CSV.Delimiter.Value)
	if err != nil {
		return nil, err
	}
	opt := csv.Options{Delimiter: delimiter, NoHeader: t.CSV.Header != nil && !*t.CSV.Header, Encoding: t.Charset()}
	for _, c := range t.CSV.Columns {
		opt.Columns = append(opt.Columns, c.Value)
	}
	if c := t.CSV.Comment.Value; c != "" {
		opt.Comment = c[0]
	}
	return files.New(files.Config{
		Name: p.Name, Dir: file.Folder(settings, e.opt.Dir), Pattern: t.Path.Value, Format: t.Format.Value, CSV: opt,
		Encoding: t.Charset(), Every: t.Every.Or(30 * time.Second), StableFor: t.StableFor.Or(2 * time.Second),
		After:   files.After{MoveTo: t.After.MoveTo.Value, Delete: t.After.Delete},
		Bad:     files.After{MoveTo: t.OnBadFile.MoveTo.Value, Delete: t.OnBadFile.Delete},
		MaxSize: t.MaxSize.Or(1 << 30), PerRecord: p.PerRecord(), State: state, Log: e.log,
		Looked: func(err error) { e.troubles.note(p.Name, t.Every.Or(30*time.Second), err) },
	})
}

// newPoll builds the source of a poll: the engine lends it the connection and
// the cells of the definition.
func (e *Engine) newPoll(next *revision, p *compile.Pipeline, state connectors.State) (connectors.Source, error) {
	t := p.Trigger.Poll
	op := next.ws.Operation(p.Trigger.From)
	run := &flow.Run{Pipeline: p.Name}
	scope := func(ctx context.Context) *cell.Scope {
		r := *run
		r.Now = time.Now()
		return flow.Scope(ctx, next.ws, nil, &r, 1)
	}
	c := poll.Config{Name: p.Name, Every: t.Every.D, MaxPages: t.MaxPages, State: state, Log: e.log, Pageless: !op.Binds(compile.PageName)}
	c.Call = func(ctx context.Context, with map[string]any, page string) (connectors.Response, error) {
		bound := map[string]any{}
		if p.Trigger.PollWith != nil {
			v, err := p.Trigger.PollWith.Apply(scope(ctx), map[string]any{})
			if err != nil {
				return connectors.Response{}, err
			}
			bound, _ = v.(map[string]any)
		}
		for k, v := range with {
			bound[k] = v
		}
		resp, err := e.worker.Ask(ctx, op, bound, page)
		if ctx.Err() == nil {
			e.troubles.note(p.Name, t.Every.D, err)
		}
		return resp, err
	}
	if op.Items != nil {
		c.Items = func(r connectors.Response) ([]any, error) {
			values, err := scope(context.Background()).All(op.Items, r.Body)
			return flow.Flatten(values), err
		}
	}
	if op.Next != nil {
		c.Next = func(r connectors.Response) (any, error) {
			v, _, err := scope(context.Background()).One(op.Next, r.Body)
			return v, err
		}
	}
	if p.Trigger.Save != nil {
		c.CursorName, c.Start, c.Overlap, c.Keyed = t.Cursor.As.Value, t.Cursor.Start.V, t.Cursor.Overlap.D, len(p.Key) > 0
		c.Save = func(item any) (any, error) {
			v, _, err := scope(context.Background()).One(p.Trigger.Save, item)
			return v, err
		}
	}
	return poll.New(c)
}

// sourceState is where a source of a pipeline remembers how far it has come.
type sourceState struct {
	driver queue.Driver
	prefix string
	mu     sync.Mutex
	apply  worker.Apply
}

// use makes apply the way in which the state is written from now on.
func (s *sourceState) use(apply worker.Apply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply = apply
}

// Load implements connectors.State.
func (s *sourceState) Load(ctx context.Context, key string) ([]byte, error) {
	values, err := s.driver.Get(ctx, s.prefix+key)
	if err != nil {
		return nil, err
	}
	return values[0].Data, nil
}

// Save implements connectors.State.
func (s *sourceState) Save(ctx context.Context, key string, value []byte) error {
	s.mu.Lock()
	apply := s.apply
	s.mu.Unlock()
	_, err := apply(ctx, queue.Commit{Put: []queue.Put{{Key: s.prefix + key, Version: queue.AnyVersion, Value: value}}})
	return err
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
		return "files " + t.From + ":" + t.Files.Path.Value
	case t.Poll != nil:
		return "poll " + t.From
	}
	if p.Kind == compile.AlertKind {
		return "alert"
	}
	return "event " + strings.Join(t.Events, ", ")
}
