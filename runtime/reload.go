package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	nethttp "net/http"
	"net/url"
	"slices"
	"time"

	"crossdock/connectors/webhook"
	"crossdock/dsl/diag"
	"crossdock/runtime/flow"
	"crossdock/runtime/mutant"
	"crossdock/runtime/publication"
	"crossdock/runtime/queue"
	"crossdock/runtime/reload"
)

// Version is the version of crossdock.
const Version = "0.1.0"

// Report says how a start or reload came out.
type Report struct {
	Result     string          `json:"result"` // started, ok, unchanged or failed
	Revision   string          `json:"revision"`
	Generation int             `json:"generation"`
	Published  int             `json:"published,omitempty"` // the publication that was to run; 0 = the folder
	At         time.Time       `json:"at"`
	Took       time.Duration   `json:"took"`
	Changes    []reload.Change `json:"changes,omitempty"`
	Findings   diag.List       `json:"-"`
	Error      string          `json:"error,omitempty"`
}

// Reload brings the definitions on disk to life, or leaves everything as it is
// and says why.
//
// Where a revision is published, that is what is brought to life.
func (e *Engine) Reload(ctx context.Context) Report {
	if want, err := e.activeRevision(ctx); err == nil {
		return e.switchTo(ctx, want)
	}
	// The store cannot say: what is at work is looked at again.
	return e.reloadFrom(ctx, nil)
}

// reloadFrom reads definitions from another place, nil = the one at work.
func (e *Engine) reloadFrom(ctx context.Context, from *origin) Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keepGood() // what was started, if that is still to be done: a load forgets what was read for it
	began, before, revision := time.Now(), e.published, e.current.ws.Revision
	if from != nil {
		e.published = *from
	}
	r := e.reload(ctx)
	r.At, r.Took, r.Published = began, time.Since(began), e.published.Number
	if r.Result == "failed" {
		e.published = before
	}
	if r.Result != "ok" {
		e.read = nil
	}
	e.status.Lock()
	if r.Result != "failed" {
		e.current.published = e.published.Number
	}
	r.Generation = e.current.live.Generation
	if r.Revision == "" {
		r.Revision = e.current.ws.Revision
	}
	e.checked = r
	if r.Result != "unchanged" {
		e.last = r
	}
	e.status.Unlock()
	e.meter.Reloaded(r.Result)
	if e.opt.Switched != nil && r.Result != "unchanged" {
		e.opt.Switched(revision, r)
	}
	e.tell()
	switch r.Result {
	case "failed":
		e.log.Error("reload refused, the last good revision stays at work", "revision", r.Revision, "error", r.Error, "findings", len(r.Findings))
		for _, f := range r.Findings {
			if f.Severity == diag.Error {
				e.log.Error("finding", "code", f.Code, "place", f.Span.String(), "message", f.Message, "hint", f.Hint)
			}
		}
	case "ok":
		e.log.Info("reloaded", "revision", r.Revision, "generation", r.Generation, "changes", len(r.Changes), "took", r.Took)
		e.keepGood()
		if err := e.noteDemand(ctx); err != nil {
			e.log.Warn("other replicas may not know who approves what goes live", "error", err)
		}
		e.untidy() // the old revision and what loading left behind
	}
	return r
}

func (e *Engine) reload(ctx context.Context) Report {
	ws, list, err := e.load()
	if err != nil {
		return Report{Result: "failed", Error: err.Error()}
	}
	if list.HasErrors() {
		return Report{Result: "failed", Findings: list, Error: faults(list)}
	}
	old := e.current
	changes := reload.Diff(old.ws, ws)
	if ws.Revision == old.ws.Revision {
		return Report{Result: "unchanged", Findings: list}
	}
	if e.published.Number == 0 && e.cleared != ws.Revision {
		if err := e.byPlanOnly(); err != nil {
			return Report{Result: "failed", Findings: list, Changes: changes, Error: err.Error()}
		}
	}
	if err := errors.Join(e.checkDurability(ctx, ws), e.gate(ctx, ws)); err != nil {
		return Report{Result: "failed", Findings: list, Changes: changes, Error: err.Error()}
	}
	if mutant.On(mutant.M12) {
		e.table.Store(&webhook.Table{})
	}
	next, err := e.build(ws, old)
	if err != nil {
		return Report{Result: "failed", Findings: list, Changes: changes, Error: err.Error()}
	}
	if err := e.restorePauses(ctx, next); err != nil {
		next.closeNew(old)
		return Report{Result: "failed", Findings: list, Changes: changes, Error: err.Error()}
	}
	e.install(next)
	if err := e.selfCheck(next); err != nil {
		e.install(old)
		next.closeNew(old)
		return Report{Result: "failed", Findings: list, Changes: changes, Error: err.Error()}
	}
	if e.run != nil {
		e.startSources(next, old)
	}
	for name, s := range old.sinks {
		if next.sinks[name] != s {
			s.sink.Close() // deliveries under way end on it
		}
	}
	if err := e.unpark(ctx, next, old); err != nil {
		e.log.Error("cannot release messages that waited for a definition", "error", err)
	}
	return Report{Result: "ok", Revision: ws.Revision, Changes: changes, Findings: list}
}

// faults says how many errors a list has, and the first of them.
func faults(list diag.List) string {
	n, _ := list.Count()
	for _, f := range list {
		if f.Severity != diag.Error {
			continue
		}
		if n == 1 {
			return fmt.Sprintf("the definitions have 1 error: %s: %s", f.Span, f.Message)
		}
		return fmt.Sprintf("the definitions have %d errors; the first: %s: %s", n, f.Span, f.Message)
	}
	return ""
}

// selfCheck makes sure that the new set is the one that answers.
func (e *Engine) selfCheck(next *revision) error {
	for name, p := range next.ws.Pipelines {
		t := p.Trigger.HTTP
		if t == nil {
			continue
		}
		method := t.Method.Value
		if method == "" {
			method = nethttp.MethodPost
		}
		route, _ := e.table.Load().Match(method, &url.URL{Path: t.Path.Value})
		if route == nil || route.Name != name {
			return fmt.Errorf("self-check: the webhook %s of %s is not answered by it", t.Path.Value, name)
		}
	}
	if e.worker.Live() != next.live {
		return errors.New("self-check: the workers did not take the new revision")
	}
	if e.listener == nil {
		return nil
	}
	c, err := net.DialTimeout("tcp", e.Addr(), 2*time.Second)
	if err != nil {
		return fmt.Errorf("self-check: the webhook address does not answer: %w", err)
	}
	return c.Close()
}

// watch reloads when files change.
func (e *Engine) watch(ctx context.Context) {
	err := reload.Watch(ctx, e.opt.Dir, StateDir, e.opt.Debounce, e.log, e.sight, func() {
		if n := e.running(); n > 0 {
			e.log.Info("files have changed, and "+publication.Name(n)+" stays at work: they count once they are published", "publish", "crossdock publish "+e.opt.Dir)
			return
		}
		e.Reload(ctx)
	})
	if err != nil && ctx.Err() == nil {
		e.log.Error("cannot watch the folder; use `crossdock reload`", "error", err)
	}
}

// Status is what an operator sees first.
type Status struct {
	Version    string                    `json:"version"`
	Workspace  string                    `json:"workspace"`
	Revision   string                    `json:"revision"`
	Published  int                       `json:"published,omitempty"` // number of the publication at work; 0 = the folder
	Generation int                       `json:"generation"`
	Since      time.Time                 `json:"since"`
	Ready      bool                      `json:"ready"`
	HTTP       string                    `json:"http"`
	Last       Report                    `json:"last_reload"` // that came to something
	Checked    Report                    `json:"last_check"`  // that looked at the definitions at all
	Findings   []Finding                 `json:"findings,omitempty"`
	Pipelines  map[string]PipelineStatus `json:"pipelines"`
	Replicas   []Replica                 `json:"replicas,omitempty"` // all that work on a shared store
}

// Finding is a finding of the last reload, as people read it.
type Finding struct {
	Code    string `json:"code"`
	Place   string `json:"place"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Warning bool   `json:"warning,omitempty"`
}

// Findings makes findings ready for people and machines far away.
func Findings(list diag.List) []Finding {
	var out []Finding
	for _, f := range list {
		out = append(out, Finding{string(f.Code), f.Span.String(), f.Message, f.Hint, f.Severity == diag.Warning})
	}
	return out
}

// PipelineStatus is what is known of one pipeline.
type PipelineStatus struct {
	Digest  string          `json:"digest"`
	Trigger string          `json:"trigger"`
	Outcome string          `json:"outcome"` // of the last reload: unchanged, new, changed
	Paused  bool            `json:"paused,omitempty"`
	Failing string          `json:"failing,omitempty"` // why its source brings nothing: the folder, or what is polled
	Lane    *queue.LaneStat `json:"lane,omitempty"`
}

// LeaveTo takes out of s what is about other clients than one; "" = nothing.
func (s *Status) LeaveTo(client string) {
	maps.DeleteFunc(s.Pipelines, func(name string, _ PipelineStatus) bool { return !flow.OfClient(name, client) })
	for _, changes := range []*[]reload.Change{&s.Last.Changes, &s.Checked.Changes} {
		*changes = slices.DeleteFunc(slices.Clone(*changes), func(c reload.Change) bool { return !flow.OfClient(c.Name, client) })
	}
}

// Status returns the state of the engine.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	e.status.Lock()
	cur, last, checked := e.current, e.last, e.checked
	published := cur.published
	e.status.Unlock()
	s := Status{Version: Version, Workspace: e.opt.Dir, Revision: cur.ws.Revision, Published: published, Generation: cur.live.Generation, Since: cur.since,
		Ready: e.Ready(), HTTP: e.Addr(), Last: last, Checked: checked, Pipelines: map[string]PipelineStatus{}}
	s.Findings = Findings(checked.Findings)
	var err error
	if s.Replicas, err = e.Replicas(ctx); err != nil {
		return s, err
	}
	page, err := e.driver.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 10000})
	if err != nil {
		return s, err
	}
	lanes := map[string]*queue.LaneStat{}
	for i := range page.Lanes {
		lanes[page.Lanes[i].Lane] = &page.Lanes[i]
	}
	changed := map[string]string{}
	for _, c := range last.Changes {
		if c.Kind == "pipeline" {
			changed[c.Name] = c.What
		}
	}
	failing := map[string]string{}
	for _, r := range s.Replicas {
		maps.Copy(failing, r.Failing)
	}
	for name, why := range e.troubles.list(time.Now(), 1) {
		failing[name] = e.hide.text(why)
	}
	for name, p := range cur.ws.Pipelines {
		ps := PipelineStatus{Digest: p.Digest, Trigger: trigger(p), Outcome: "unchanged", Paused: e.worker.Paused(name), Failing: failing[name], Lane: lanes["in/"+name]}
		if w := changed[name]; w != "" {
			ps.Outcome = w
		}
		s.Pipelines[name] = ps
	}
	return s, nil
}
