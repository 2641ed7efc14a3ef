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

// grow adds a chunk. Small indexes stay where the collector sees them: they
// come and go by the thousand in tests.
func (s *slab[T]) grow() {
	if len(s.chunks) > 0 {
		if c := borrow[[chunk]T](s.owned); c != nil {
			s.chunks = append(s.chunks, c)
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
type table struct {
	parts [256]part
	owned *owned
}

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
		p.cells = t.cells(max(8, 2*len(old)))
		for _, c := range old {
			if c != 0 {
				p.put(hashOf(c), c)
			}
		}
		if len(old) >= chunk {
			t.owned.giveBack(unsafe.Pointer(unsafe.SliceData(old)))
		}
	}
	p.put(hash, s)
	p.n++
}

// cells returns n empty cells.
func (t *table) cells(n int) []uint32 {
	if n >= chunk {
		if p := t.owned.borrow(uintptr(4 * n)); p != nil {
			return unsafe.Slice((*uint32)(p), n)
		}
	}
	return make([]uint32, n)
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
