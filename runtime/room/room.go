// Package room shares out the memory that payloads take while they are worked
// on, so that many large ones at once wait, or are refused, instead of making
// the system end the process.
package room

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Room is a number of bytes that several share. What asks for more than there
// is gets all of it, alone. The methods of nil give everybody as much as they
// like. A Room is safe for concurrent use; those who wait get their bytes in
// the order in which they asked.
type Room struct {
	size int64
	free *semaphore.Weighted
}

// New returns a Room of size bytes, nil where size is 0.
func New(size int64) *Room {
	if size <= 0 {
		return nil
	}
	return &Room{size: size, free: semaphore.NewWeighted(size)}
}

// Enter waits for n bytes and returns nil, or the error of ctx. Leave gives
// them back.
func (r *Room) Enter(ctx context.Context, n int) error {
	if r == nil {
		return nil
	}
	return r.free.Acquire(ctx, min(int64(n), r.size))
}

// Try is Enter that does not wait, and tells whether there was room.
func (r *Room) Try(n int) bool {
	return r == nil || r.free.TryAcquire(min(int64(n), r.size))
}

// Leave gives back the n bytes of an Enter or Try.
func (r *Room) Leave(n int) {
	if r != nil {
		r.free.Release(min(int64(n), r.size))
	}
}
