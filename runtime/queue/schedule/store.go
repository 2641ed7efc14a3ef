package schedule

import "unsafe"

// chunk is how many elements a slab grows by.
const chunk = 1 << 12

// slab is an array that never moves and whose places are used again. Place 0
// is never given out. T has no pointers.
type slab[T any] struct {
	chunks []*[chunk]T
	n      uint32
	spare  []uint32
	owned  *owned
}

// owned is the memory from outside that an index uses. It is given back when
// the index is garbage.
type owned struct{ parts []stretch }

type stretch struct {
	at   unsafe.Pointer
	size uintptr
}

func (o *owned) free() {
	for _, p := range o.parts {
		if giveBack(p.at, p.size) != nil {
			return
		}
	}
}

// grow adds a chunk. Small indexes stay where the collector sees them: they
// come and go by the thousand in tests.
func (s *slab[T]) grow() {
	var t [chunk]T
	size := unsafe.Sizeof(t)
	if len(s.chunks) > 0 {
		if p := outside(size); p != nil {
			s.owned.parts = append(s.owned.parts, stretch{p, size})
			s.chunks = append(s.chunks, (*[chunk]T)(p))
			return
		}
	}
	s.chunks = append(s.chunks, new([chunk]T))
}

func (s *slab[T]) at(i uint32) *T { return &s.chunks[i/chunk][i%chunk] }

func (s *slab[T]) alloc() uint32 {
	if last := len(s.spare) - 1; last >= 0 {
		i := s.spare[last]
		s.spare = s.spare[:last]
		return i
	}
	if s.n == 0 {
		s.n = 1
	}
	if int(s.n/chunk) == len(s.chunks) {
		s.grow()
	}
	s.n++
	return s.n - 1
}

func (s *slab[T]) free(i uint32) { s.spare = append(s.spare, i) }

// table finds places of a slab by hash. It is cut into parts that grow one by
// one, so that no single insertion has to move everything.
type table struct{ parts [256]part }

type part struct {
	cells []uint32 // open addressing, 0 = empty; the length is a power of two
	n     int
}

func (t *table) find(hash uint64, same func(uint32) bool) uint32 {
	p := &t.parts[hash>>56]
	if p.n == 0 {
		return 0
	}
	mask := uint64(len(p.cells) - 1)
	for i := hash & mask; p.cells[i] != 0; i = (i + 1) & mask {
		if same(p.cells[i]) {
			return p.cells[i]
		}
	}
	return 0
}

func (t *table) insert(hash uint64, s uint32, hashOf func(uint32) uint64) {
	p := &t.parts[hash>>56]
	if p.n*5 >= len(p.cells)*4 {
		old := p.cells
		p.cells = make([]uint32, max(8, 2*len(old)))
		for _, c := range old {
			if c != 0 {
				p.put(hashOf(c), c)
			}
		}
	}
	p.put(hash, s)
	p.n++
}

func (p *part) put(hash uint64, s uint32) {
	mask := uint64(len(p.cells) - 1)
	i := hash & mask
	for p.cells[i] != 0 {
		i = (i + 1) & mask
	}
	p.cells[i] = s
}

// remove takes s out and moves up those behind it that would not be found any
// more across the gap.
func (t *table) remove(hash uint64, s uint32, hashOf func(uint32) uint64) {
	p := &t.parts[hash>>56]
	if p.n == 0 {
		return
	}
	mask := uint64(len(p.cells) - 1)
	gap := hash & mask
	for p.cells[gap] != s {
		if p.cells[gap] == 0 {
			return
		}
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; p.cells[i] != 0; i = (i + 1) & mask {
		home := hashOf(p.cells[i]) & mask
		if (i-home)&mask >= (i-gap)&mask {
			p.cells[gap] = p.cells[i]
			gap = i
		}
	}
	p.cells[gap] = 0
	p.n--
}

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

// notes keeps each text once, as long as somebody uses it. Number 0 is no text.
type notes struct {
	texts  []string
	users  []int
	spare  []uint32
	byText map[string]uint32
}

func newNotes() notes {
	return notes{texts: []string{""}, users: []int{0}, byText: map[string]uint32{}}
}

func (t *notes) take(text string) uint32 {
	if text == "" {
		return 0
	}
	if i, ok := t.byText[text]; ok {
		t.users[i]++
		return i
	}
	var i uint32
	if last := len(t.spare) - 1; last >= 0 {
		i, t.spare = t.spare[last], t.spare[:last]
		t.texts[i], t.users[i] = text, 1
	} else {
		i = uint32(len(t.texts))
		t.texts, t.users = append(t.texts, text), append(t.users, 1)
	}
	t.byText[text] = i
	return i
}

func (t *notes) drop(i uint32) {
	if i == 0 {
		return
	}
	if t.users[i]--; t.users[i] == 0 {
		delete(t.byText, t.texts[i])
		t.texts[i] = ""
		t.spare = append(t.spare, i)
	}
}
