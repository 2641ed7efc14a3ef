package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// How says how a dead letter is replayed.
type How struct {
	Who    string
	Reason string
	// Force replays although the other side may have forgotten the idempotency
	// key by now.
	Force bool
	// Fix changes the payload first; nil leaves it as it is.
	Fix *Fix
}

// Replay sends a dead letter back to the step that failed. One that could not
// even be identified is taken in anew.
func (b *Box) Replay(ctx context.Context, id string, how How) error {
	if how.Who == "" {
		return ErrWho
	}
	job, err := b.job(ctx, id)
	if err != nil {
		return err
	}
	c, err := b.replay(ctx, job, how)
	if err != nil {
		return err
	}
	return notFound(b.store(ctx, c))
}

// store writes a replay. What is taken in anew may turn out to have a key that is
// known with another content: then it is a dead letter for that reason.
func (b *Box) store(ctx context.Context, c queue.Commit) error {
	results, err := b.Driver.Apply(ctx, c)
	if err != nil {
		return err
	}
	if more := worker.ClashJobs(c.Jobs, results); len(more) > 0 {
		_, err = b.Driver.Apply(ctx, queue.Commit{Jobs: more})
	}
	return err
}

// replay returns what sends one dead letter back to work.
func (b *Box) replay(ctx context.Context, job *queue.JobInfo, how How) (queue.Commit, error) {
	var c queue.Commit
	run, err := b.decode(job.Body)
	if run.ID == "" {
		return c, refuse("the stored message cannot be read: %s", err)
	}
	live := b.Live()
	p := live.WS.Pipelines[run.Pipeline]
	if p == nil {
		return c, refuse("the pipeline %s is not defined any more", run.Pipeline)
	}
	if how.Fix != nil {
		edited, err := b.fixed(p, &run, how)
		if err != nil {
			return c, err
		}
		c.History = append(c.History, edited)
	}
	c.History = append(c.History, b.entry(&run, queue.Replayed, how.Who, how.Reason))
	if run.Fault != "" {
		return b.again(ctx, live, p, &run, c)
	}
	if err := remember(live.WS, p, &run, job.Attempts, how.Force); err != nil {
		return c, err
	}
	run.Cause = nil
	block, err := b.block(ctx, job, &run)
	if err != nil {
		return c, err
	}
	body := flow.Encode(nil, &run)
	c.Orders = []queue.Order{{ID: job.ID, Do: queue.Revive, Body: body}}
	if block != nil {
		// What waits for it stands before the tail of its key: it goes beside.
		c.Orders[0] = queue.Order{ID: job.ID, Do: queue.Discard}
		c.Jobs = []queue.Job{{ID: job.ID, Lane: job.Lane, Priority: job.Priority, Body: body}}
	}
	return c, nil
}

// remember sees to it that the attempt which follows is no second effect: where
// an earlier one may have had its effect, the other side must still know the
// key, or be asked first, or a person has looked.
func remember(ws *compile.Workspace, p *compile.Pipeline, run *flow.Run, attempts int, force bool) error {
	step := p.ByID[run.Step]
	if step == nil || step.Action != compile.ActSend && step.Action != compile.ActCall {
		return nil
	}
	op := ws.Operation(step.Target)
	if op == nil {
		return nil
	}
	uncertain := run.Cause != nil && run.Cause.Code == "uncertain"
	happened := run.Ambiguous || attempts > 1 || run.Cause != nil && doubtful(run.Cause)
	switch op.Repeat {
	case compile.RepeatCheck:
		run.Ambiguous = happened // it is looked for before it is sent
	case compile.RepeatKeyed:
		age := time.Since(run.Now)
		if happened && !force && age > op.KeyMemory {
			return refuse("%s may have taken it before, and remembers keys for %s only, but the message is %s old: look at the other side, "+
				"then replay it with --force or discard it; or let the operation say `repeat: check`", op.Ref(), length(op.KeyMemory), length(age))
		}
		run.Ambiguous = happened // and it stays in doubt, however often it is replayed
	default:
		if uncertain {
			run.Ambiguous = false // a person has looked at the other side
		}
	}
	return nil
}

// doubtful reports whether an attempt that failed this way may have had its
// effect.
func doubtful(c *flow.Cause) bool {
	switch c.Code {
	case "timeout", "uncertain", "crash", "internal", "response":
		return true
	case "status":
		return c.Status >= 500
	}
	return false
}

func length(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	case d >= time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return d.Round(time.Second).String()
}

// again takes a message in that could not be identified before.
func (b *Box) again(ctx context.Context, live *worker.Live, p *compile.Pipeline, run *flow.Run, c queue.Commit) (queue.Commit, error) {
	jobs, nothing, err := takenIn(ctx, live, p, run)
	if err != nil {
		return c, err
	}
	for i := range jobs {
		for j := range jobs[i].Fresh {
			jobs[i].Fresh[j].Kind, jobs[i].Fresh[j].Parent = queue.Branched, run.ID
		}
	}
	if len(nothing) > 0 {
		nothing[0].Kind, nothing[0].Parent = queue.Branched, run.ID
	}
	done := c.History[len(c.History)-1]
	done.Kind = queue.Fanned
	c.Orders = []queue.Order{{ID: run.ID, Do: queue.Discard}}
	c.Jobs = jobs
	c.History = append(append(c.History, done), nothing...)
	return c, nil
}

// takenIn makes jobs of a message that could not be identified before.
func takenIn(ctx context.Context, live *worker.Live, p *compile.Pipeline, run *flow.Run) ([]queue.Job, []queue.Entry, error) {
	in := &worker.Intake{WS: live.WS, P: p}
	if worker.Clashes(run) {
		job, rej := in.Anew(ctx, run.ID+".r", run)
		if rej != nil {
			return nil, nil, refuse("it still cannot be taken in: %s", rej)
		}
		return []queue.Job{job}, nil, nil
	}
	m := message.Message{Body: run.Body, Raw: run.Raw, Meta: run.Meta, Trace: run.Trace}
	jobs, nothing, rej := in.Jobs(ctx, run.ID+".r", &m)
	if rej != nil {
		return nil, nil, refuse("it still cannot be taken in: %s", rej)
	}
	return jobs, nothing, nil
}

// Discard ends a dead letter for good. The history keeps who and why.
func (b *Box) Discard(ctx context.Context, id, who, reason string) error {
	if who == "" || reason == "" {
		return ErrReason
	}
	return b.end(ctx, id, who, reason)
}

// end discards a letter, as often as what it holds up changes meanwhile.
func (b *Box) end(ctx context.Context, id, who, reason string) error {
	call := true
	for {
		job, err := b.job(ctx, id)
		if err != nil {
			return err
		}
		c, err := b.discard(ctx, job, who, reason, call)
		if err != nil {
			return err
		}
		_, err = b.Driver.Apply(ctx, c)
		switch {
		case errors.Is(err, queue.ErrVersion) && ctx.Err() == nil:
			call = true
		case errors.Is(err, queue.ErrNotFound) && len(c.Orders) > 1:
			call = false
		default:
			return notFound(err)
		}
	}
}

// discard returns what ends one dead letter; call says whether the message that
// waits behind it is called (see worker.Block).
func (b *Box) discard(ctx context.Context, job *queue.JobInfo, who, reason string, call bool) (queue.Commit, error) {
	run, _ := b.decode(job.Body) // one that cannot be read can be discarded all the same
	if run.ID == "" {
		run.ID = job.ID
	}
	block, err := b.block(ctx, job, &run)
	if err != nil {
		return queue.Commit{}, err
	}
	c := queue.Commit{
		Orders:  []queue.Order{{ID: job.ID, Do: queue.Discard}},
		History: []queue.Entry{b.entry(&run, queue.Discarded, who, reason)},
	}
	if block != nil {
		block.End(&c, job.Lane, run.OrderKey, call)
	}
	return c, nil
}
