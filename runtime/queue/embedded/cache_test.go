package embedded

import (
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// A job keeps its decoded form until it is leased, or others need the room; its
// body stays longer.
func TestCache(t *testing.T) {
	body := make([]byte, 1000)
	put := func(c *cache, seq uint64) {
		c.put(seq, newCached(&queue.Job{ID: "a", Body: body, Hint: "decoded"}, body, time.Unix(1, 0)))
	}
	c := newCache(100_000) // 40,000 of it for hints of 6,000 each
	for seq := range uint64(20) {
		put(c, seq)
	}
	for seq := range uint64(20) {
		j, h := c.take(seq)
		if (h != nil) != (seq >= 14) || j == nil {
			t.Errorf("job %d: there %t, decoded %t", seq, j != nil, h != nil)
		}
		if _, h = c.take(seq); h != nil {
			t.Errorf("job %d is decoded for a second lease", seq)
		}
	}
	if c.hints.used != 0 || len(c.hints.items) != 0 {
		t.Errorf("%d bytes, %d hints are left", c.hints.used, len(c.hints.items))
	}
	put(c, 3)
	bare := newCached(&queue.Job{ID: "a", Body: body}, body, time.Unix(1, 0))
	if c.put(3, bare); c.get(3) != bare {
		t.Error("a job was not replaced")
	}
	if _, h := c.take(3); h != nil {
		t.Error("a hint outlived its body")
	}
	for seq := uint64(100); seq < 5000; seq++ {
		put(c, seq)
		c.drop(seq)
	}
	if len(c.jobs.order) > 3000 || len(c.hints.order) > 3000 {
		t.Errorf("%d and %d places are kept for what is gone", len(c.jobs.order), len(c.hints.order))
	}
	for seq := uint64(5000); seq < 5200; seq++ {
		put(c, seq)
	}
	if c.jobs.used > c.jobs.limit || c.hints.used > c.hints.limit || c.get(5199) == nil || c.get(5000) != nil {
		t.Errorf("%d of %d and %d of %d bytes are used", c.jobs.used, c.jobs.limit, c.hints.used, c.hints.limit)
	}
}
