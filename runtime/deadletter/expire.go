package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/queue"
)

// expireEvery is how often letters are looked for whose time is over.
const expireEvery = 10 * time.Minute

// expire discards letters that have been kept as long as their policy says,
// until ctx ends.
func (b *Box) expire(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := b.Expire(ctx, time.Now())
		if err != nil && ctx.Err() == nil {
			b.Log.Warn("dead letters whose time is over cannot be discarded, trying again", "error", err)
		}
		if n > 0 {
			b.Log.Info("dead letters were discarded because their time is over", "letters", n)
		}
		sleep(ctx, expireEvery)
	}
}

// Expire discards the letters that at now have been kept as long as their
// policy says (dead_letter: {keep: ...}). Each is discarded by the policy, with
// its history. A letter whose pipeline is gone is kept.
func (b *Box) Expire(ctx context.Context, now time.Time) (int, error) {
	shortest := time.Duration(0)
	for _, p := range policies(b.Live().WS) {
		if p.Keep > 0 && (shortest == 0 || p.Keep < shortest) {
			shortest = p.Keep
		}
	}
	if shortest == 0 {
		return 0, nil
	}
	n := 0
	f := Filter{Until: now.Add(-shortest)}
	err := b.each(ctx, &f, true, func(j *queue.JobInfo) error {
		l := head(j)
		p := b.policyOf(&l)
		if p == nil || p.Keep <= 0 || now.Sub(j.DeadAt) < p.Keep {
			return nil
		}
		err := b.end(ctx, j.ID, "the policy "+p.Name, fmt.Sprintf("dead letters of the box %s are kept for %s", j.Box, length(p.Keep)))
		if errors.Is(err, ErrNotFound) {
			return nil // somebody dealt with it meanwhile
		}
		if err == nil {
			n++
		}
		return err
	})
	return n, err
}

// policyOf returns the policy under which a letter died; nil where its pipeline
// is gone.
func (b *Box) policyOf(l *Letter) *compile.Policy {
	p := b.Live().WS.Pipelines[l.Pipeline]
	if p == nil {
		return nil
	}
	if s := p.ByID[l.Step]; s != nil && s.Policy != nil {
		return s.Policy
	}
	return p.Policy
}
