package embedded

import (
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// cached is a job as a lease hands it out. It is never changed, only replaced.
type cached struct {
	job      queue.Job
	enqueued time.Time
}

func (c *cached) size() int { return len(c.job.Body) + len(c.job.ID) + len(c.job.Key) + 256 }

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
