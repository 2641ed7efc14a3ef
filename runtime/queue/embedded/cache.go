package embedded

import (
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// cached is what a lease tells of a job, without what is only of use at its
// arrival. It is never changed, only replaced.
type cached struct {
	id, lane, key string
	body          []byte
	hint          any
	notBefore     int64 // nanoseconds, 0 = none
	enqueued      int64
	priority      queue.Priority
}

func newCached(j *queue.Job, body []byte, enqueued time.Time) *cached {
	c := &cached{id: j.ID, lane: j.Lane, key: j.Key, body: body, hint: j.Hint, enqueued: enqueued.UnixNano(), priority: j.Priority}
	if !j.NotBefore.IsZero() {
		c.notBefore = j.NotBefore.UnixNano()
	}
	return c
}

func (c *cached) lease(l *queue.Lease) {
	l.Job = queue.Job{ID: c.id, Lane: c.lane, Key: c.key, Priority: c.priority, Body: c.body, Hint: c.hint}
	if c.notBefore != 0 {
		l.NotBefore = time.Unix(0, c.notBefore)
	}
	l.Enqueued = time.Unix(0, c.enqueued)
}

// size is about what it takes, with the tables that lead to it. Documents that
// were decoded have been seen to take four to six times their bytes.
func (c *cached) size() int {
	n := cap(c.body) + len(c.id) + len(c.key) + 400
	if c.hint != nil {
		n += decoded * len(c.body)
	}
	return n
}

const decoded = 6

// cache keeps the jobs that were written last, so that they can be leased
// without a look at the disk. The oldest give way.
type cache struct {
	mu    sync.Mutex
	limit int
	used  int
	jobs  map[uint64]*cached
	order []uint64 // some of them are gone already
	first int
}

func newCache(limit int) *cache { return &cache{limit: limit, jobs: map[uint64]*cached{}} }

func (c *cache) put(seq uint64, j *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.jobs[seq]; old != nil {
		c.used -= old.size()
	} else {
		c.order = append(c.order, seq)
	}
	c.jobs[seq] = j
	c.used += j.size()
	for c.used > c.limit && c.first < len(c.order) {
		c.evict(c.order[c.first])
		c.first++
	}
	if c.first > 1024 && c.first > len(c.order)/2 {
		c.order = append(c.order[:0], c.order[c.first:]...)
		c.first = 0
	}
}

func (c *cache) evict(seq uint64) {
	if j := c.jobs[seq]; j != nil {
		c.used -= j.size()
		delete(c.jobs, seq)
	}
}

func (c *cache) get(seq uint64) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jobs[seq]
}

func (c *cache) drop(seqs ...uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, seq := range seqs {
		c.evict(seq)
	}
	// What is gone from the front takes its places along.
	for c.first < len(c.order) && c.jobs[c.order[c.first]] == nil {
		c.first++
	}
	if c.first > 1024 && c.first > len(c.order)/2 {
		c.order = append(c.order[:0], c.order[c.first:]...)
		c.first = 0
	}
}
