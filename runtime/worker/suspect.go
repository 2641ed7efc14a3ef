package worker

import (
	"context"
	"fmt"

	"crossdock/runtime/flow"
)

const (
	// maxCrashes is how many times work on a message may end without a result
	// before the message is suspected of taking its process down.
	maxCrashes = 5
	// maxAlone is how many times more it may end so while no other suspect is
	// worked on; then it is set aside.
	maxAlone = 2
)

// suspected reports whether the message was under way at the end of many
// processes, or of one that worked on no other suspect. Most such messages are
// innocent: whatever ends a process ends it for all that it has leased.
func (t *task) suspected() bool {
	return t.lease.Crashes >= maxCrashes || t.lease.Crashes > 0 && t.run.Alone > 0
}

// alone waits until no other suspect is worked on here and writes that this one
// is now, so that it is known whom the next end of the process speaks against.
// It returns false where work on the lease has ended; otherwise leave must be
// called at its end.
func (t *task) alone(ctx, work context.Context) (leave func(), ok bool) {
	if t.run.Alone >= maxAlone {
		t.run.Alone = 0 // a person who replays it may have mended what it was
		t.end(work, flow.Outcome{Kind: flow.Dead, Cause: &flow.Cause{Code: "crash", Step: t.run.Step,
			Message: fmt.Sprintf("work on this message ended without a result again and again, at last %d times while no other was suspected of it", maxAlone)}})
		return nil, false
	}
	select {
	case t.w.suspect <- struct{}{}:
	case <-ctx.Done():
		t.interrupted(work)
		return nil, false
	case <-t.w.leaving:
		t.interrupted(work)
		return nil, false
	}
	leave = func() { <-t.w.suspect }
	t.run.Alone++
	t.accused = true
	t.w.log.Warn("work on this message has ended without a result again and again; it is worked on by itself now",
		"message", t.run.ID, "pipeline", t.run.Pipeline, "times", t.lease.Crashes)
	if !t.save(work) {
		leave()
		return nil, false
	}
	return leave, true
}
