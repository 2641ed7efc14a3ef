package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// Watch looks at what is the case and tells the receivers of alerts. It has no
// goroutine of its own; Look must not be called concurrently.
type Watch struct {
	Driver queue.Driver
	Live   func() *worker.Live
	// Troubles tells what the store does not: why replicas do not run what they
	// should, by replica, and why sources fail, by pipeline.
	Troubles func(ctx context.Context) (reloads, sources map[string]string, err error)
}

const stateKey = "alerts/state"

// mostShown bounds how many incidents one message lists; all are counted.
const mostShown = 20

// Look looks once. Messages and what is remembered of them are one write;
// where another replica looked at the same time, nothing is written.
func (w *Watch) Look(ctx context.Context, now time.Time) error {
	ws := w.Live().WS
	if len(ws.Alerts) == 0 {
		return nil
	}
	s, version, err := w.state(ctx)
	if err != nil {
		return err
	}
	before, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := w.facts(ctx, ws, s, now)
	if err != nil {
		return err
	}
	s.mark(f)
	var c queue.Commit
	for _, name := range slices.Sorted(maps.Keys(ws.Alerts)) {
		a := ws.Alerts[name]
		s.evaluate(a, f)
		told := s.due(a, now)
		if told == nil {
			continue
		}
		jobs, err := w.message(ctx, ws, a, told, now)
		if err != nil {
			return err
		}
		c.Jobs = append(c.Jobs, jobs...)
	}
	for key, i := range s.Incidents {
		if ws.Alerts[i.Alert] == nil {
			delete(s.Incidents, key)
		}
	}
	after, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if string(before) == string(after) && version > 0 {
		return nil
	}
	c.Put = []queue.Put{{Key: stateKey, Version: version, Value: after}}
	if _, err = w.Driver.Apply(ctx, c); errors.Is(err, queue.ErrVersion) {
		return nil
	}
	return err
}

// state reads what is remembered.
func (w *Watch) state(ctx context.Context) (*State, int64, error) {
	values, err := w.Driver.Get(ctx, stateKey)
	if err != nil {
		return nil, 0, err
	}
	s := &State{}
	if values[0].Version > 0 {
		if err := json.Unmarshal(values[0].Data, s); err != nil {
			return nil, 0, fmt.Errorf("read what is remembered of alerts: %w", err)
		}
	}
	if s.Incidents == nil {
		s.Incidents = map[string]*Incident{}
	}
	if s.Sent == nil {
		s.Sent = map[string]time.Time{}
	}
	if s.Marks == nil {
		s.Marks = map[string][]Mark{}
	}
	return s, values[0].Version, nil
}

// facts reads what is the case.
func (w *Watch) facts(ctx context.Context, ws *compile.Workspace, s *State, now time.Time) (*Facts, error) {
	f := &Facts{Now: now, Died: map[string]Died{}, Empty: map[string]bool{}}
	page, err := w.Driver.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 100000})
	if err != nil {
		return nil, err
	}
	f.Lanes = page.Lanes
	if err := w.died(ctx, ws, s, f); err != nil {
		return nil, err
	}
	if f.Reloads, f.Sources, err = w.Troubles(ctx); err != nil {
		return nil, err
	}
	boxes := map[string]bool{}
	for _, i := range s.Incidents {
		if i.Condition == compile.OnDeadLetter {
			boxes[i.Subject] = true
		}
	}
	for box := range boxes {
		page, err := w.Driver.Browse(ctx, queue.Query{View: queue.Jobs, State: queue.DeadJob, Box: box, Limit: 1})
		if err != nil {
			return nil, err
		}
		f.Empty[box] = len(page.Jobs) == 0
	}
	return f, nil
}

// died counts the dead letters since the last look, by the counters of the
// store, which are exact; the newest entries of the history tell the boxes and
// reasons. The first look of all only counts.
func (w *Watch) died(ctx context.Context, ws *compile.Workspace, s *State, f *Facts) error {
	page, err := w.Driver.Browse(ctx, queue.Query{View: queue.Counters, Limit: 100000})
	if err != nil {
		return err
	}
	first := s.Counted == nil
	counted := map[string]int64{}
	for _, c := range page.Counts {
		if c.Kind != queue.DeadKind {
			continue
		}
		counted[c.Pipeline] = c.N
		n := int(c.N - s.Counted[c.Pipeline])
		p := ws.Pipelines[c.Pipeline]
		if first || n <= 0 || p != nil && p.Kind == compile.AlertKind || strings.HasPrefix(c.Pipeline, compile.AlertPrefix) {
			continue
		}
		if err := w.diedOf(ctx, p, c.Pipeline, n, f); err != nil {
			return err
		}
	}
	s.Counted = counted
	return nil
}

// diedOf notes n new dead letters of a pipeline.
func (w *Watch) diedOf(ctx context.Context, p *compile.Pipeline, name string, n int, f *Facts) error {
	page, err := w.Driver.Browse(ctx, queue.Query{View: queue.Recent, Pipeline: name, Kind: queue.DeadKind, Limit: min(n, 100)})
	if err != nil {
		return err
	}
	note := func(box string, n int, why string) {
		d := f.Died[box]
		d.N += n
		if d.Why == "" && why != "" {
			d.Why = name + ": " + why
		}
		f.Died[box] = d
	}
	usual := "general"
	if p != nil {
		usual = p.Policy.Box
	}
	for _, e := range page.Entries[:min(n, len(page.Entries))] {
		box := usual
		if p != nil {
			if step := p.ByID[e.Step]; step != nil && step.Policy != nil {
				box = step.Policy.Box
			}
		}
		note(box, 1, e.Detail)
		n--
	}
	if n > 0 {
		note(usual, n, "")
	}
	return nil
}

// message makes the jobs that tell a receiver of incidents.
func (w *Watch) message(ctx context.Context, ws *compile.Workspace, a *compile.Alert, told []Incident, now time.Time) ([]queue.Job, error) {
	in := &worker.Intake{WS: ws, P: a.Pipeline}
	m := message.Message{Body: body(ws, a, told, now), Meta: message.Meta{Source: "alert", ReceivedAt: now}}
	jobs, _, rej := in.Jobs(ctx, worker.NewID(now), &m)
	if rej != nil {
		return nil, fmt.Errorf("tell the alert %s: %w", a.Name, rej)
	}
	return jobs, nil
}

// body is the payload of an alert.
func body(ws *compile.Workspace, a *compile.Alert, told []Incident, now time.Time) map[string]any {
	firing := 0
	var items []any
	var first string
	for _, i := range told {
		status := "resolved"
		if !i.Ended {
			status = "firing"
			firing++
		}
		if first == "" {
			first = i.Summary
			if i.Ended {
				first = "over: " + first
			}
		}
		if len(items) < mostShown {
			items = append(items, map[string]any{"status": status, "condition": i.Condition, "subject": i.Subject, "summary": i.Summary,
				"since": stamp(i.Since), "count": number(i.Count)})
		}
	}
	status := "firing"
	if firing == 0 {
		status = "resolved"
	}
	summary := first
	if n := len(told) - 1; n > 0 {
		summary += fmt.Sprintf(" (and %d more)", n)
	}
	out := map[string]any{"alert": a.Name, "workspace": ws.Name, "environment": "", "status": status, "summary": summary, "at": stamp(now),
		"count": number(len(told)), "items": items}
	if ws.Environment != nil {
		out["environment"] = ws.Environment.Name
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func number(n int) any { return json.Number(strconv.Itoa(n)) }
