// Package deadletter is what people do with messages that could not be
// delivered: look, edit, replay, discard. Every change is one commit with its
// history, and keeps the idempotency keys, so that nothing that succeeded is
// sent again.
package deadletter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"crossdock/runtime/flow"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// Letter is one dead letter as people see it.
type Letter struct {
	ID       string         `json:"id"`
	Pipeline string         `json:"pipeline"`
	Box      string         `json:"box"`
	Step     string         `json:"step,omitempty"`
	Cause    *flow.Cause    `json:"cause,omitempty"`
	Reason   string         `json:"reason"`
	Group    string         `json:"group"`
	Attempts int            `json:"attempts"`
	DeadAt   time.Time      `json:"dead_at"`
	Refs     []message.Ref  `json:"refs,omitempty"`
	Payload  any            `json:"payload,omitempty"`  // at the step that failed
	Original any            `json:"original,omitempty"` // as received, where it differs
	Raw      string         `json:"raw,omitempty"`      // as received, where it could not be read
	Steps    map[string]any `json:"steps,omitempty"`    // results so far
	Holds    *Held          `json:"holds_up,omitempty"` // only of one letter that is shown
}

// Held is what stands behind a dead letter because its policy says
// `on_dead_letter: block`: whatever has the same order_by.
type Held struct {
	First string `json:"first,omitempty"` // ID of the message that comes next; "" where none has come yet
}

// Box works on the dead letters of one store.
type Box struct {
	Driver queue.Driver
	Live   func() *worker.Live
	Log    *slog.Logger // of what Run does
}

// Errors a caller may branch on.
var (
	ErrNotFound = errors.New("there is no such dead letter")
	ErrReason   = errors.New("a reason and a name are needed")
	ErrWho      = errors.New("the name of who does it is needed")
)

// Refusal says why a change was not made, in words for the person who asked.
type Refusal struct{ text string }

// Error returns the words.
func (r *Refusal) Error() string { return r.text }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// Show returns one dead letter with its payloads. Personal data is masked
// unless reveal is set.
func (b *Box) Show(ctx context.Context, id string, reveal bool) (Letter, error) {
	job, err := b.job(ctx, id)
	if err != nil {
		return Letter{}, err
	}
	l := b.letter(job)
	if !reveal {
		b.hide(&l)
	}
	run, _ := b.decode(job.Body) // what cannot be read holds up nothing
	block, err := b.block(ctx, job, &run)
	if err != nil {
		return Letter{}, fmt.Errorf("read what it holds up: %w", err)
	}
	if block != nil {
		l.Holds = &Held{First: block.Next}
	}
	return l, nil
}

// hide hides what is personal in a letter.
func (b *Box) hide(l *Letter) {
	p := b.Live().WS.Pipelines[l.Pipeline]
	if p == nil || p.Accept == nil {
		return
	}
	shape := p.Accept.Schema.Shape()
	m := mask.New(shape, l.Original, l.Payload)
	if m.Empty() {
		return
	}
	l.Payload, l.Original = m.Value(l.Payload, shape), m.Value(l.Original, shape)
	if l.Raw != "" {
		l.Raw = mask.Hidden // it could not be read, so nobody knows what is in it
	}
	for name, result := range l.Steps {
		l.Steps[name] = m.Value(result, nil)
	}
	l.Reason = m.Text(l.Reason)
	if l.Cause != nil {
		cause := *l.Cause
		cause.Message, cause.Hint = m.Text(cause.Message), m.Text(cause.Hint)
		l.Cause = &cause
	}
	for i := range l.Refs {
		l.Refs[i].Value = m.Text(l.Refs[i].Value)
	}
}

// letter reads a stored job. One that cannot be read is still shown.
func (b *Box) letter(j *queue.JobInfo) Letter {
	l := Letter{ID: j.ID, Box: j.Box, Reason: j.Reason, Group: j.Group, Attempts: j.Attempts, DeadAt: j.DeadAt}
	run, err := b.decode(j.Body)
	if err != nil && run.ID == "" {
		l.Raw = string(j.Body)
		return l
	}
	l.Pipeline, l.Step, l.Cause, l.Refs, l.Steps = run.Pipeline, run.Step, run.Cause, run.Trace, run.Steps
	l.Payload = run.Body
	if run.Mapped {
		l.Original = run.Original
	}
	if run.Original == nil && run.Raw != nil {
		l.Raw = string(run.Raw)
	}
	return l
}

// decode reads a stored run. Bytes are read by the format of their pipeline;
// what cannot be read is kept as text, so that nothing is lost by looking.
func (b *Box) decode(body []byte) (flow.Run, error) {
	live := b.Live()
	return flow.Decode(body, func(raw []byte, meta *message.Meta) (any, error) {
		if p := live.WS.Pipelines[flow.PipelineOf(body)]; p != nil {
			if v, err := (&worker.Intake{WS: live.WS, P: p}).Decode(raw, meta); err == nil {
				return v, nil
			}
		}
		if v, err := message.Decode(raw, message.Unlimited); err == nil {
			return v, nil
		}
		return string(raw), nil
	})
}

// block returns what a dead letter holds up, nil where it holds up nothing.
func (b *Box) block(ctx context.Context, job *queue.JobInfo, run *flow.Run) (*worker.Block, error) {
	if run.OrderKey == "" {
		return nil, nil
	}
	block, err := worker.ReadBlock(ctx, b.Driver, job.Lane, run.OrderKey)
	if err != nil || block == nil || block.Dead != job.ID {
		return nil, err
	}
	return block, nil
}

func (b *Box) entry(run *flow.Run, kind queue.Kind, who, reason string) queue.Entry {
	detail := "by " + who
	if reason != "" {
		detail += ": " + reason
	}
	return queue.Entry{Message: run.ID, At: time.Now(), Kind: kind, Pipeline: run.Pipeline, Revision: b.Live().WS.Revision, Step: run.Step, Detail: detail}
}
