package deadletter

import (
	"context"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/mask"
	"crossdock/runtime/queue"
)

// Preview is what a change would do, without doing any of it.
type Preview struct {
	Wanted  Wanted    `json:"wanted"`            // as it was understood, with the letters it means
	Total   int       `json:"total"`             // letters it would touch
	Confirm string    `json:"confirm"`           // the word that begins it
	Groups  []Group   `json:"groups"`            // what they died of
	Refused int       `json:"refused"`           // of the letters looked at, those that would be left
	Looked  int       `json:"looked"`            // letters looked at closely
	Letters []Outlook `json:"letters,omitempty"` // the first of them
}

// Outlook is what would happen to one letter.
type Outlook struct {
	ID      string       `json:"id"`
	Problem string       `json:"problem,omitempty"` // why it would be left as it is
	Changes []Difference `json:"changes,omitempty"` // of a fix
	Effects []Effect     `json:"effects,omitempty"` // the first calls it would make
	End     string       `json:"end,omitempty"`     // what comes after them
}

// Effect is one call that would be made.
type Effect struct {
	Step   string         `json:"step"`
	Target string         `json:"target"` // connection.operation, or event:NAME
	Key    string         `json:"key"`    // idempotency key
	With   map[string]any `json:"with,omitempty"`
	Body   any            `json:"body,omitempty"`
}

const (
	closely = 500 // letters that a preview tries
	shownOf = 5   // letters that it shows
)

// Preview says what a change would do: how many letters it means, and for the
// first of them what would be sent, by the real definitions with their effects
// captured. Personal data is masked unless reveal is set.
func (b *Box) Preview(ctx context.Context, w Wanted, reveal bool) (Preview, error) {
	if err := w.Check(); err != nil {
		return Preview{}, err
	}
	if w.Filter.Until.IsZero() {
		w.Filter.Until = time.Now().UTC()
	}
	p := Preview{Wanted: w}
	how := How{Who: w.Who, Reason: w.Reason, Force: w.Force}
	if w.What == ToFix {
		fix, err := NewFix(w.Set)
		if err != nil {
			return p, err
		}
		how.Fix = fix
	}
	err := b.each(ctx, &w.Filter, w.What != ToDiscard, func(j *queue.JobInfo) error {
		p.Total++
		if w.What == ToDiscard || p.Looked >= closely {
			return nil
		}
		p.Looked++
		o := b.outlook(ctx, j, how, reveal, len(p.Letters) < shownOf)
		if o.Problem != "" {
			p.Refused++
		}
		if len(p.Letters) < shownOf {
			p.Letters = append(p.Letters, o)
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	if p.Groups, err = b.Groups(ctx, w.Filter, "cause"); err != nil {
		return p, err
	}
	p.Confirm = w.Confirm(p.Total)
	return p, nil
}

// Outlook says what a replay of one letter would do.
func (b *Box) Outlook(ctx context.Context, id string, how How, reveal bool) (Outlook, error) {
	job, err := b.job(ctx, id)
	if err != nil {
		return Outlook{}, err
	}
	return b.outlook(ctx, job, how, reveal, true), nil
}

func (b *Box) outlook(ctx context.Context, j *queue.JobInfo, how How, reveal, effects bool) Outlook {
	o := Outlook{ID: j.ID}
	commit, err := b.replay(ctx, j, how)
	if err != nil {
		o.Problem = err.Error()
		return o
	}
	if !effects {
		return o
	}
	run, _ := b.decode(j.Body) // replay has read it
	p := b.Live().WS.Pipelines[run.Pipeline]
	m := mask.New(nil)
	if p.Accept != nil && !reveal {
		m = mask.New(p.Accept.Schema.Shape(), run.Original, run.Body)
	}
	if how.Fix != nil {
		before := run.Body
		if _, err := b.fixed(p, &run, how); err == nil { // it went well a moment ago
			o.Changes = hideDifferences(m, Diff(before, run.Body))
		}
	}
	runs := []flow.Run{run}
	if len(commit.Jobs) > 0 || run.Fault != "" {
		runs = nil
		for _, job := range commit.Jobs {
			if r, ok := job.Hint.(*flow.Run); ok {
				runs = append(runs, *r)
			}
		}
	}
	b.foresee(ctx, p, runs, m, &o)
	return o
}

// mostForeseen bounds how far a replay is looked ahead.
const mostForeseen = 20

// foresee follows runs to the effects that they would have next. What follows
// the answer of another system cannot be known.
func (b *Box) foresee(ctx context.Context, p *compile.Pipeline, runs []flow.Run, m *mask.Mask, o *Outlook) {
	ws := b.Live().WS
	var ends []string
	for steps := 0; len(runs) > 0 && steps < mostForeseen; steps++ {
		r := runs[0]
		out := flow.Advance(ctx, ws, p, &r, 1, nil)
		switch out.Kind {
		case flow.Fanned:
			runs = runs[1:]
			for _, br := range out.Branches {
				runs = append(runs, br.Run)
			}
			continue
		case flow.Dead:
			ends = append(ends, "dies again: "+m.Text(out.Cause.Message))
		case flow.Filtered:
			ends = append(ends, "ends without an effect: "+out.Reason)
		case flow.Delivered:
			ends = append(ends, "is done")
		case flow.Effect:
			e := Effect{Step: out.Step.ID, Target: out.Step.Target, Key: out.Key, Body: m.Value(out.Body, nil)}
			if len(out.With) > 0 {
				e.With, _ = m.Value(out.With, nil).(map[string]any)
			}
			if out.Step.Action == compile.ActEmit {
				name, err := flow.EventName(ctx, ws, &r, out)
				if err != nil {
					ends = append(ends, "dies again: event_name failed: "+m.Text(err.Error()))
					break
				}
				e.Target = "event:" + name
				o.Effects = append(o.Effects, e)
				flow.Complete(p, &r, out.Step, map[string]any{"event": name})
				runs[0] = r
				continue
			}
			o.Effects = append(o.Effects, e)
			end := "is done when it is taken"
			if out.Step.Next != nil {
				end = "goes on with " + out.Step.Next.ID + " when it is taken"
			}
			ends = append(ends, end)
		}
		runs = runs[1:]
	}
	if len(runs) > 0 {
		ends = append(ends, "and more")
	}
	o.End = strings.Join(compact(ends), "; ")
}

// compact keeps each text once.
func compact(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// hideDifferences hides what is personal in differences of payloads: those of
// fields by their names, and texts that are known.
func hideDifferences(m *mask.Mask, list []Difference) []Difference {
	for i := range list {
		d := &list[i]
		d.Before, d.After = m.Value(d.Before, nil), m.Value(d.After, nil)
		for _, part := range strings.Split(d.Path, ".") {
			if name, _, _ := strings.Cut(part, "["); m.Fields()[name] {
				d.Before, d.After = mask.Hidden, mask.Hidden
			}
		}
	}
	return list
}
