package deadletter

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

const (
	// lookAgain is how often running changes are looked for where nobody says
	// that there is one.
	lookAgain = 30 * time.Second
	// mostAtOnce is how many letters one write changes at most.
	mostAtOnce = 50
)

// Run carries changes out, and lets letters go whose time is over, until ctx
// ends. On a store of several replicas one of them runs it; where two do by
// mistake, each letter is changed once all the same.
func (b *Box) Run(ctx context.Context) error {
	watch, err := b.Driver.Watch(ctx, changeIndex)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	defer work.Wait()
	var mu sync.Mutex
	under := map[string]bool{}
	work.Go(func() { b.expire(ctx) })
	for {
		all, err := b.Changes(ctx)
		if err != nil && ctx.Err() == nil {
			b.Log.Warn("the changes of dead letters cannot be read, trying again", "error", err)
		}
		for _, c := range all {
			mu.Lock()
			begin := c.State == Running && !under[c.ID]
			under[c.ID] = under[c.ID] || begin
			mu.Unlock()
			if !begin {
				continue
			}
			work.Go(func() {
				b.carry(ctx, c.ID)
				mu.Lock()
				defer mu.Unlock()
				delete(under, c.ID)
			})
		}
		timer := time.NewTimer(lookAgain)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-watch:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// carry carries one change out until it has ended, is stopped, or ctx ends.
func (b *Box) carry(ctx context.Context, id string) {
	for ctx.Err() == nil {
		c, version, err := b.change(ctx, id)
		if err == nil && c.State != Running {
			return
		}
		if err == nil {
			err = b.step(ctx, &c, version)
		}
		if errors.Is(err, queue.ErrVersion) {
			continue // somebody stopped it, or another replica goes on with it
		}
		if err != nil && ctx.Err() == nil {
			if errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrFailed) || errors.Is(err, ErrNoChange) {
				return
			}
			b.Log.Warn("a change of dead letters cannot go on, trying again", "change", id, "error", err)
			sleep(ctx, time.Second)
		}
	}
}

// step works on one page of letters. It ends early where the change is not the
// version it was read with.
func (b *Box) step(ctx context.Context, c *Change, version int64) error {
	jobs, next, err := b.page(ctx, &c.Filter, c.After, false)
	if err != nil {
		return err
	}
	jobs = slices.DeleteFunc(jobs, func(j queue.JobInfo) bool { return slices.Contains(c.Passed, j.ID) })
	batch := mostAtOnce
	if c.Rate > 0 {
		batch = min(batch, max(1, int(c.Rate/4)))
	}
	for len(jobs) > 0 && ctx.Err() == nil {
		n := min(batch, len(jobs))
		part := jobs[:n]
		jobs = jobs[n:]
		if version, err = b.some(ctx, c, version, part, true); err != nil {
			return err
		}
		if c.Rate > 0 {
			sleep(ctx, time.Duration(float64(n)/c.Rate*float64(time.Second)))
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.After, c.Passed = next, nil
	if next == "" {
		c.State = Ended
		b.Log.Info("a change of dead letters has ended", "change", c.ID, "what", c.What, "done", c.Done, "refused", c.Refused, "gone", c.Gone)
	}
	_, err = b.progress(ctx, c, version, queue.Commit{})
	return err
}

// some changes a few letters and notes that, in one write. Where one of them is
// gone meanwhile, they are changed one by one. call says whether messages that
// wait behind them are called (see worker.Block).
func (b *Box) some(ctx context.Context, c *Change, version int64, jobs []queue.JobInfo, call bool) (int64, error) {
	was := *c
	was.Passed, was.Problems = slices.Clone(c.Passed), slices.Clone(c.Problems)
	var commit queue.Commit
	for i := range jobs {
		one, err := b.changed(ctx, c, jobs[i].ID, call)
		var refused *Refusal
		switch {
		case err == nil:
			c.Done++
			commit.Orders = append(commit.Orders, one.Orders...)
			commit.Jobs = append(commit.Jobs, one.Jobs...)
			commit.History = append(commit.History, one.History...)
			commit.Put = append(commit.Put, one.Put...)
		case errors.Is(err, ErrNotFound):
			c.Gone++
		case errors.As(err, &refused):
			c.Refused++
			c.Passed = append(c.Passed, jobs[i].ID)
			if len(c.Problems) < mostProblems {
				c.Problems = append(c.Problems, Problem{jobs[i].ID, refused.Error()})
			}
		default:
			*c = was
			return version, err
		}
	}
	next, err := b.progress(ctx, c, version, commit)
	if !errors.Is(err, queue.ErrNotFound) {
		return next, err
	}
	*c = was
	if len(jobs) == 1 && len(commit.Orders) > 1 && call {
		return b.some(ctx, c, version, jobs, false)
	}
	if len(jobs) == 1 {
		c.Gone++
		return b.progress(ctx, c, version, queue.Commit{})
	}
	for i := range jobs {
		if version, err = b.some(ctx, c, version, jobs[i:i+1], true); err != nil {
			return version, err
		}
	}
	return version, nil
}

// changed returns what changes one letter.
func (b *Box) changed(ctx context.Context, c *Change, id string, call bool) (queue.Commit, error) {
	job, err := b.job(ctx, id)
	if err != nil {
		return queue.Commit{}, err
	}
	if !c.Filter.quick(job) {
		return queue.Commit{}, ErrNotFound // it was replayed and died again meanwhile
	}
	reason := c.Reason
	if reason != "" {
		reason += " "
	}
	reason += "(change " + c.ID + ")"
	switch c.What {
	case ToDiscard:
		return b.discard(ctx, job, c.Who, reason, call)
	case ToFix:
		fix, err := NewFix(c.Set)
		if err != nil {
			return queue.Commit{}, err
		}
		return b.replay(ctx, job, How{Who: c.Who, Reason: reason, Force: c.Force, Fix: fix})
	}
	return b.replay(ctx, job, How{Who: c.Who, Reason: reason, Force: c.Force})
}

// progress writes a commit with how far the change has come.
func (b *Box) progress(ctx context.Context, c *Change, version int64, commit queue.Commit) (int64, error) {
	c.At = time.Now().UTC()
	put, err := c.put(version)
	if err != nil {
		return version, err
	}
	commit.Put = append(commit.Put, put)
	if err := b.store(ctx, commit); err != nil {
		return version, err
	}
	return version + 1, nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
