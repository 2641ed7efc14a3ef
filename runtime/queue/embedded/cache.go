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
	hint          any   // only on the way to the cache
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

func (c *cached) lease(l *queue.Lease, hint any) {
	l.Job = queue.Job{ID: c.id, Lane: c.lane, Key: c.key, Priority: c.priority, Body: c.body, Hint: hint}
	if c.notBefore != 0 {
		l.NotBefore = time.Unix(0, c.notBefore)
	}
	l.Enqueued = time.Unix(0, c.enqueued)
}

// size is about what it takes, with the tables that lead to it.
func (c *cached) size() int { return cap(c.body) + len(c.id) + len(c.key) + 400 }

// hint is the decoded form of a job.
type hint struct {
	of    any
	bytes int // about what it takes
}

// decoded is how many times the bytes of a document it takes when it is
// decoded: four to six have been seen.
const decoded = 6

func (h hint) size() int { return h.bytes }

// cache keeps the jobs that were written last, so that they can be leased
// without a look at the disk. Their decoded forms are kept for the first lease
// only, and fewer of them: they are what costs the garbage collector.
type cache struct {
	mu    sync.Mutex
	jobs  shelf[*cached]
	hints shelf[hint]
}

// newCache returns a cache for about limit bytes.
func newCache(limit int) *cache {
	hints := limit * 2 / 5
	return &cache{jobs: newShelf[*cached](limit - hints), hints: newShelf[hint](hints)}
}

// put keeps a job, which the caller may not change any more, and its hint.
func (c *cache) put(seq uint64, j *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if j.hint != nil {
		c.hints.put(seq, hint{j.hint, decoded * len(j.body)})
		j.hint = nil
	} else {
		c.hints.drop(seq)
	}
	c.jobs.put(seq, j)
}

func (c *cache) get(seq uint64) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jobs.items[seq]
}

// take returns a job for a lease, with its hint, which is not kept any longer.
func (c *cache) take(seq uint64) (*cached, any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hints.items[seq]
	c.hints.drop(seq)
	return c.jobs.items[seq], h.of
}

func (c *cache) drop(seqs ...uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs.drop(seqs...)
	c.hints.drop(seqs...)
}

// shelf keeps what was put there last, up to a limit in bytes. The oldest gives
// way.
type shelf[V interface{ size() int }] struct {
	limit int
	used  int
	items map[uint64]V
	order []uint64 // some of them are gone already
	first int
}

func newShelf[V interface{ size() int }](limit int) shelf[V] {
	return shelf[V]{limit: limit, items: map[uint64]V{}}
}

func (s *shelf[V]) put(seq uint64, v V) {
	if old, ok := s.items[seq]; ok {
		s.used -= old.size()
	} else {
		s.order = append(s.order, seq)
	}
	s.items[seq] = v
	s.used += v.size()
	for s.used > s.limit && s.first < len(s.order) {
		s.evict(s.order[s.first])
		s.first++
	}
	s.close()
}

func (s *shelf[V]) evict(seq uint64) {
	if v, ok := s.items[seq]; ok {
		s.used -= v.size()
		delete(s.items, seq)
	}
}

func (s *shelf[V]) drop(seqs ...uint64) {
	for _, seq := range seqs {
		s.evict(seq)
	}
	// What is gone from the front takes its places along.
	for s.first < len(s.order) {
		if _, ok := s.items[s.order[s.first]]; ok {
			break
		}
		s.first++
	}
	s.close()
}

// close gives up the places that are gone: those at the front, and the others
// once they are many, for one job may wait at the front for long.
func (s *shelf[V]) close() {
	if s.first > 1024 && s.first > len(s.order)/2 {
		s.order = append(s.order[:0], s.order[s.first:]...)
		s.first = 0
	}
	if len(s.order)-s.first <= 2*len(s.items)+1024 {
		return
	}
	kept := make([]uint64, 0, len(s.items))
	seen := make(map[uint64]bool, len(s.items))
	for _, seq := range s.order[s.first:] {
		if _, ok := s.items[seq]; ok && !seen[seq] {
			seen[seq] = true
			kept = append(kept, seq)
		}
	}
	s.order, s.first = kept, 0
}
