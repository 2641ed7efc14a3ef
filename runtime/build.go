package runtime

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/webhook"
	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/sandbox"
	"crossdock/dsl/spec"
	"crossdock/runtime/catalog"
	"crossdock/runtime/policy"
	"crossdock/runtime/worker"
)

// openSink is an open connection, shared by the revisions that define it alike.
type openSink struct {
	sink   connectors.Sink
	guard  *policy.Guard
	limits string // what guard was made from
	digest string
}

// alike reports whether calls go through the same guard as those of o.
func (s *openSink) alike(o *openSink) bool { return o != nil && s.guard == o.guard }

// build makes everything a revision needs without touching what runs. Sinks of
// unchanged connections are shared with old.
func (e *Engine) build(ws *dsl.Workspace, old *revision) (*revision, error) {
	next := &revision{ws: ws, sinks: map[string]*openSink{}, sources: map[string]*source{}, since: time.Now(),
		secret: NewSecrets(ws.Environment.Spec.Secrets, e.opt.Dir, e.opt.AllowExec).Lookup}
	if e.opt.Secret != nil {
		next.secret = spec.Sealing(e.opt.Secret)
	}
	next.secret = e.hide.watch(next.secret)
	ws.Aside = e.opt.Aside
	if ws.Sandboxed() { // no message has to wait until it is ready
		if err := sandbox.Default().Prepare(); err != nil {
			return nil, err
		}
	}
	if err := e.checkSecrets(next, old); err != nil {
		return nil, err
	}
	if err := e.openSinks(next, old); err != nil {
		next.closeNew(old)
		return nil, err
	}
	live := &worker.Live{WS: ws, Sinks: map[string]connectors.Sink{}, Guards: map[string]*policy.Guard{}, Generation: 1}
	if old != nil {
		live.Generation = old.live.Generation + 1
	}
	for name, s := range next.sinks {
		live.Sinks[name], live.Guards[name] = s.sink, s.guard
	}
	live.Recent = recent(ws)
	next.live = live
	if err := e.prepareSources(next); err != nil {
		next.closeNew(old)
		return nil, err
	}
	return next, nil
}

// checkSecrets refuses a revision that brings a secret nobody has set: what
// needs it could not work. At the start, and for secrets that were in use
// before, it is said and the rest goes on.
func (e *Engine) checkSecrets(next, old *revision) error {
	var used []string
	if old != nil {
		used = old.ws.SecretNames()
	}
	for _, name := range next.ws.SecretNames() {
		_, err := next.secret(name)
		if err != nil && old != nil && !slices.Contains(used, name) {
			return err
		}
		if err != nil {
			e.log.Warn("a secret is missing; what needs it does not work until it is there", "error", err)
		}
	}
	return nil
}

// closeNew closes the sinks that only this revision opened.
func (r *revision) closeNew(old *revision) {
	for name, s := range r.sinks {
		if old == nil || old.sinks[name] != s {
			s.sink.Close()
		}
	}
}

func (e *Engine) openSinks(next, old *revision) error {
	for name, c := range next.ws.Connections {
		digest := c.Digest + fmt.Sprint(next.ws.Environment.Vars)
		var was *openSink
		if old != nil {
			was = old.sinks[name]
		}
		limits := limitsDigest(c)
		if was != nil && was.digest == digest && was.limits == limits {
			next.sinks[name] = was
			continue
		}
		env := connectors.Env{Log: e.log.With("connection", name), Dial: e.opt.Dial, Own: e.own.is, Secret: next.secret, Dir: e.opt.Dir, UserAgent: "crossdock/" + Version}
		sink, err := e.catalog.Connector(c.Type).Open(catalog.Config(c), env)
		if err != nil {
			return fmt.Errorf("open the connection %s: %w", name, err)
		}
		opened := &openSink{sink: sink, digest: digest, limits: limits}
		if was != nil && was.limits == limits {
			opened.guard = was.guard // what it knows of the other system stays true
		} else if opened.guard, err = e.guard(c); err != nil {
			sink.Close()
			return fmt.Errorf("connection %s: %w", name, err)
		}
		next.sinks[name] = opened
	}
	return nil
}

// routes makes the table of webhooks.
func (e *Engine) routes(ws *dsl.Workspace, secret spec.Finder) (*webhook.Table, error) {
	var routes []webhook.Route
	limiters := map[string]*webhook.Limiter{}
	names := make([]string, 0, len(ws.Pipelines))
	for name := range ws.Pipelines {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		p := ws.Pipelines[name]
		t := p.Trigger.HTTP
		if t == nil {
			continue
		}
		r := webhook.Route{Name: name, Path: t.Path.Value, Method: t.Method.Value, Format: t.Format.Value,
			MaxBody: t.MaxSize.Or(ws.Spec.Limits.MaxBody.Or(1 << 20)), Channel: e.worker.Channel(name, true),
			Reply: webhook.Reply{Status: t.Reply.Status, Body: replyBody(t.Reply.Body.V), Type: t.Reply.Type.Value}}
		if want := (webhook.Limits{Rate: t.Limits.Rate.N, Per: t.Limits.Rate.Per, Concurrent: t.Limits.Concurrent}); want != (webhook.Limits{}) {
			r.Limiter = e.limiters[name]
			if r.Limiter == nil || r.Limiter.Limits() != want {
				r.Limiter = webhook.NewLimiter(want)
			}
			limiters[name] = r.Limiter
		}
		if p.ReadsMeta {
			r.Headers = webhook.AllHeaders
		}
		if p.Trigger.Verify != nil {
			v, err := webhook.NewVerifier(verifierName(p), p.Trigger.Verify, secret)
			if err != nil {
				return nil, fmt.Errorf("pipeline %s, verify: %w", name, err)
			}
			r.Verifier = v
		}
		routes = append(routes, r)
	}
	e.limiters = limiters
	return webhook.NewTable(routes, webhook.Options{Log: e.log, Observe: e.observe, Room: e.reading})
}

func verifierName(p *compile.Pipeline) string {
	if n := p.Trigger.HTTP.Verify.Name.Value; n != "" {
		return n
	}
	return p.Name
}

// observe counts what the door refuses by itself. Payloads that are judged, and
// keys that come with another content, are counted where that is done.
func (e *Engine) observe(pipeline string, status int) {
	switch {
	case status == 401:
		e.meter.Unverified(pipeline)
	case pipeline == "" || status < 400 || status == 400 || status == 409 || status == 422:
	default:
		e.meter.Rejected(pipeline, status)
	}
}
