package message

import (
	"encoding/json"
	"unsafe"
)

// A boxer turns strings and numbers into interface values. Go allocates one
// string header for each such value; a boxer allocates them in blocks, which
// is a third of the cost of reading a message. This file is the only use of
// unsafe in the package.
type boxer struct {
	free []string
	next int // headers in the next block
}

const (
	minBlock = 8
	maxBlock = 256
)

// header stores s in a header that is never written again.
func (b *boxer) header(s string) *string {
	if len(b.free) == 0 {
		b.free = make([]string, b.next)
		b.next = min(2*b.next, maxBlock)
	}
	p := &b.free[0]
	b.free = b.free[1:]
	*p = s
	return p
}

// text returns any(s).
func (b *boxer) text(s string) any {
	var v any = ""
	setData(&v, b.header(s))
	return v
}

// number returns any(json.Number(s)).
func (b *boxer) number(s string) any {
	var v any = json.Number("")
	setData(&v, b.header(s))
	return v
}

// setData points v, which holds a type of kind string, to the header p. An
// interface value is a type word and a pointer to an immutable value; the test
// of this file fails on a Go version that changes that.
func setData(v *any, p *string) {
	(*[2]unsafe.Pointer)(unsafe.Pointer(v))[1] = unsafe.Pointer(p)
}
