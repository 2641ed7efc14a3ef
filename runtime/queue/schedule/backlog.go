package schedule

// item stands in a heap: a place with a number to sort by. Whether an item
// still means anything is decided by who takes it out.
type item struct {
	at   int64
	slot uint32
}

// heap gives the item with the smallest number first. It has four branches,
// which halves the depth of the usual two.
type heap []item

func (h *heap) push(v item) {
	a := append(*h, v)
	i := len(a) - 1
	for i > 0 {
		up := (i - 1) / 4
		if a[up].at <= v.at {
			break
		}
		a[i] = a[up]
		i = up
	}
	a[i] = v
	*h = a
}

func (h *heap) pop() item {
	a := *h
	top := a[0]
	last := a[len(a)-1]
	a = a[:len(a)-1]
	if len(a) > 0 {
		a.sink(0, last)
	}
	*h = a
	return top
}

func (h heap) sink(i int, v item) {
	for {
		c := 4*i + 1
		if c >= len(h) {
			break
		}
		least := c
		for j := c + 1; j < min(c+4, len(h)); j++ {
			if h[j].at < h[least].at {
				least = j
			}
		}
		if v.at <= h[least].at {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = v
}

// keep drops the items for which live does not hold.
func (h *heap) keep(live func(item) bool) {
	a := (*h)[:0]
	for _, v := range *h {
		if live(v) {
			a = append(a, v)
		}
	}
	for i := (len(a) - 2) / 4; i >= 0 && len(a) > 1; i-- {
		a.sink(i, a[i])
	}
	*h = a
}

// run is a stretch of a backlog.
type run struct {
	items [1023]item
	n     int  // items in it
	next  *run // kept alive by runs, where the collector does not see this
}

// backlog gives the item with the smallest number first, like a heap. But a
// deep backlog mostly grows in order, and what comes in order is kept in a list
// of runs, where an item costs the same however many there are.
type backlog struct {
	heap        heap
	first, last *run
	from        int // in first
}

func (b *backlog) empty() bool { return len(b.heap) == 0 && b.first == nil }

func (b *backlog) push(v item, m *runs) {
	if b.first == nil && len(b.heap) < chunk || b.last != nil && b.last.items[b.last.n-1].at > v.at {
		b.heap.push(v)
		return
	}
	if b.last == nil || b.last.n == len(b.last.items) {
		r := m.take()
		if b.last == nil {
			b.first, b.from = r, 0
		} else {
			b.last.next = r
		}
		b.last = r
	}
	b.last.items[b.last.n] = v
	b.last.n++
}

// peek returns the first item. The backlog is not empty.
func (b *backlog) peek() item {
	if b.first == nil || len(b.heap) > 0 && b.heap[0].at < b.first.items[b.from].at {
		return b.heap[0]
	}
	return b.first.items[b.from]
}

// pop takes the first item. The backlog is not empty.
func (b *backlog) pop(m *runs) item {
	if b.first == nil || len(b.heap) > 0 && b.heap[0].at < b.first.items[b.from].at {
		v := b.heap.pop()
		if len(b.heap) == 0 && cap(b.heap) > chunk {
			b.heap = nil
		}
		return v
	}
	v := b.first.items[b.from]
	if b.from++; b.from == b.first.n {
		r := b.first
		b.first, b.from = r.next, 0
		if b.first == nil {
			b.last = nil
		}
		m.put(r)
	}
	return v
}

// runs lends runs to backlogs.
type runs struct {
	spare *run
	owned *owned
	kept  []*run // those that the collector looks after
}

func (m *runs) take() *run {
	r := m.spare
	if r == nil {
		if r = borrow[run](m.owned); r == nil {
			r = new(run)
			m.kept = append(m.kept, r)
		}
		return r
	}
	m.spare = r.next
	r.n, r.next = 0, nil
	return r
}

func (m *runs) put(r *run) { r.next, m.spare = m.spare, r }
