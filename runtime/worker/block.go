package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
)

// Block is what the store knows of a key that a dead letter holds up.
type Block struct {
	Dead string `json:"dead"`           // ID of the dead letter
	Next string `json:"next,omitempty"` // ID of the parked message behind it

	version int64
}

// blockAgain is how often a message looks whether its dead letter still is one,
// where nobody called it.
const blockAgain = 10 * time.Minute

// BlockKey is the state key under which a lane remembers that a dead letter
// holds up what has the same order_by.
func BlockKey(lane, order string) string { return "block/" + dedupeKey(lane, []byte(order)) }

// ReadBlock reads the block of a key; nil where there is none.
func ReadBlock(ctx context.Context, d queue.Driver, lane, order string) (*Block, error) {
	values, err := d.Get(ctx, BlockKey(lane, order))
	if err != nil || values[0].Version == 0 {
		return nil, err
	}
	var b Block
	if err := json.Unmarshal(values[0].Data, &b); err != nil {
		return nil, fmt.Errorf("read what a dead letter holds up: %w", err)
	}
	b.version = values[0].Version
	return &b, nil
}

// End adds to a commit that a dead letter is none any more: its block goes, and
// the message that waits behind it, if called, is ready again. It is one write,
// or a crash in between would leave that one waiting. The commit is refused with
// queue.ErrVersion where the block has changed meanwhile, and with
// queue.ErrNotFound where the message is not parked: it is about to look by
// itself then, or gone, and need not be called.
func (b *Block) End(c *queue.Commit, lane, order string, call bool) {
	c.Put = append(c.Put, queue.Put{Key: BlockKey(lane, order), Version: b.version})
	if call && b.Next != "" {
		c.Orders = append(c.Orders, queue.Order{ID: b.Next, Do: queue.Unpark})
	}
}

func (b Block) put(lane, order string) queue.Put {
	data, err := json.Marshal(b)
	if err != nil {
		panic(err) // two texts
	}
	return queue.Put{Key: BlockKey(lane, order), Version: b.version, Value: data}
}

// blocked parks a message that stands behind a dead letter of its key. It
// reports whether it did; where the store cannot tell, the message waits too.
func (t *task) blocked(ctx, work context.Context) bool {
	if !t.p.Policy.Block || t.run.OrderKey == "" {
		return false
	}
	for {
		b, err := ReadBlock(ctx, t.w.driver, t.lease.Lane, t.run.OrderKey)
		switch {
		case err != nil && ctx.Err() != nil:
			t.interrupted(work)
			return true
		case err != nil:
			t.parkUntil(work, "blocked", "it cannot be read whether a dead letter holds it up", time.Now().Add(time.Minute))
			return true
		case b == nil:
			return false
		case b.Dead == t.lease.ID:
			t.block = b // replayed: its end lets the others go on
			return false
		}
		page, err := t.w.driver.Browse(ctx, queue.Query{View: queue.ByID, ID: b.Dead})
		if err == nil && len(page.Jobs) == 0 {
			t.block = b // its end was not seen; this message takes the block with it
			return false
		}
		if t.behind(work, b) {
			return true
		}
	}
}

// behind parks the message behind a dead letter; false means that the block has
// changed meanwhile.
func (t *task) behind(work context.Context, b *Block) bool {
	dead := b.Dead
	b.Next = t.lease.ID
	c := queue.Commit{Put: []queue.Put{b.put(t.lease.Lane, t.run.OrderKey)}, Finish: []queue.Finish{{Lease: t.lease, Outcome: queue.Park, At: time.Now().Add(blockAgain),
		Attempts: t.lease.Attempts, Reason: journal.Behind + " with the same order_by"}}}
	mark := len(t.history)
	t.note(queue.Entry{Kind: queue.ParkedKind, Detail: "waits behind the dead letter " + dead + " with the same order_by"})
	err := t.try(work, c)
	if errors.Is(err, queue.ErrVersion) {
		t.history = t.history[:mark]
		return false
	}
	if t.applied(err) {
		t.w.meter.Parked(t.run.Pipeline, "blocked")
	}
	return true
}

// applyEnd writes the commit that ends a run, with what becomes of the block of
// its key: a dead letter makes one, any other end takes its own away and calls
// the message that waits behind it.
func (t *task) applyEnd(work context.Context, c queue.Commit, out flow.Kind) bool {
	if t.p == nil || t.run.OrderKey == "" || out == flow.Dead && !t.p.Policy.Block || out != flow.Dead && t.block == nil {
		return t.apply(work, c)
	}
	call := true
	for {
		whole := c
		whole.Put, whole.Orders = slices.Clip(c.Put), slices.Clip(c.Orders)
		switch {
		case out == flow.Dead:
			b := Block{Dead: t.lease.ID}
			if t.block != nil {
				b.Next, b.version = t.block.Next, t.block.version
			}
			whole.Put = append(whole.Put, b.put(t.lease.Lane, t.run.OrderKey))
		case t.block != nil:
			t.block.End(&whole, t.lease.Lane, t.run.OrderKey, call)
		}
		err := t.try(work, whole)
		switch {
		case errors.Is(err, queue.ErrVersion) && t.w.leases.fresh(t.lease.ID, 0):
			// Another message has come to wait behind it.
			if b, err := ReadBlock(work, t.w.driver, t.lease.Lane, t.run.OrderKey); err == nil {
				t.block, call = b, true
			} else {
				pause(work, 100*time.Millisecond)
			}
			continue
		case errors.Is(err, queue.ErrNotFound) && len(whole.Orders) > len(c.Orders):
			call = false
			continue
		}
		return t.applied(err)
	}
}
