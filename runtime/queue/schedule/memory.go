package schedule

import "unsafe"

// owned is the memory from outside the garbage collector that an index uses.
// It is given back when the index is garbage.
type owned struct{ sizes map[unsafe.Pointer]uintptr }

// borrow returns empty memory, nil when there is none. What is put into it has
// no pointers to anything that the collector looks after.
func (o *owned) borrow(size uintptr) unsafe.Pointer {
	p := outside(size)
	if p != nil {
		if o.sizes == nil {
			o.sizes = map[unsafe.Pointer]uintptr{}
		}
		o.sizes[p] = size
	}
	return p
}

func borrow[T any](o *owned) *T {
	var t T
	return (*T)(o.borrow(unsafe.Sizeof(t)))
}

// giveBack returns what borrow gave; other memory is left to the collector.
func (o *owned) giveBack(p unsafe.Pointer) {
	if size, ok := o.sizes[p]; ok {
		delete(o.sizes, p)
		returned(p, size)
	}
}

func (o *owned) free() {
	for p := range o.sizes {
		o.giveBack(p)
	}
}
