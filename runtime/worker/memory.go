package worker

import (
	"context"
	"fmt"
	"time"

	"crossdock/runtime/queue"
)

// senderWaits is how long a sender waits for memory before it is told to come
// later.
const senderWaits = 5 * time.Second

// enter waits for the memory that a message of n bytes takes while its sender
// waits; leave gives it back.
func (w *Worker) enter(ctx context.Context, n int) error {
	if w.intake.Try(n) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, senderWaits)
	defer cancel()
	if err := w.intake.Enter(ctx, n); err != nil {
		return fmt.Errorf("other messages take the memory there is: %w", err)
	}
	return nil
}

// enter waits for the memory that work on messages of n bytes takes; leave gives
// it back. ok is false where ctx ended first. A message that is larger than the
// part of a lane counts as that part.
func (l *lane) enter(ctx context.Context, n int) (leave func(), ok bool) {
	if l.room == nil {
		return func() {}, true
	}
	n = min(n, int(l.w.opt.Memory/share/laneShare))
	if l.room.Enter(ctx, n) != nil {
		return nil, false
	}
	if l.w.work.Enter(ctx, n) != nil {
		l.room.Leave(n)
		return nil, false
	}
	return func() {
		l.w.work.Leave(n)
		l.room.Leave(n)
	}, true
}

// most bounds how many messages are leased at once. How large they are is not
// known before: it begins with few.
func (l *lane) most(n int) int {
	if l.room == nil {
		return n
	}
	return min(n, l.few)
}

// grow fits most to the size of what was leased.
func (l *lane) grow(leased []queue.Lease) {
	if l.room == nil || len(leased) == 0 {
		return
	}
	fit := int(l.w.opt.Memory/share) * len(leased) / max(1, bodies(leased)) // of this size as many as the memory holds
	l.few = max(1, min(fit, 2*l.few, l.w.opt.Concurrency))
}
