package redis

import "sync"

// bodyCache keeps bodies, and their decoded forms, that this process has just
// written, so that a lease of them needs no transfer. A slot's body carries its
// version: one that was replaced since is not handed out. An entry is handed out
// once, so nobody shares memory with it. Safe for concurrent use.
type bodyCache struct {
	mu    sync.Mutex
	limit int
	size  int // of young
	young map[uint64]cachedBody
	old   map[uint64]cachedBody // the generation before; dropped as a whole
}

type cachedBody struct {
	version uint32
	body    []byte
	hint    any
}

func newBodyCache(limit int) *bodyCache {
	return &bodyCache{limit: limit / 2, young: map[uint64]cachedBody{}}
}

func (c *bodyCache) put(slot uint64, b cachedBody) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size += len(b.body) + 128
	if c.size > c.limit {
		c.old, c.young, c.size = c.young, map[uint64]cachedBody{}, len(b.body)+128
	}
	c.young[slot] = b
}

func (c *bodyCache) take(slot uint64, version uint32) (cachedBody, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.young[slot]
	if ok {
		c.size -= len(b.body) + 128
		delete(c.young, slot)
	} else if b, ok = c.old[slot]; ok {
		delete(c.old, slot)
	}
	return b, ok && b.version == version
}

func (c *bodyCache) drop(slot uint64) { c.take(slot, 0) }
