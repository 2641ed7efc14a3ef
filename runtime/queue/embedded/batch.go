package embedded

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleBatch collects changes by the first byte of their keys. Pebble finds the
// place of a key quickly when it is just behind that of the key before, so what
// is in order already (jobs, bodies) is kept together and the rest is sorted.
type pebbleBatch struct {
	kinds [256]changes
	used  []byte // the kinds that have changes
	keys  []byte // where the keys are; one that is full is left to its keys
	bytes int
}

// changes are those of one kind of record.
type changes struct {
	list   []alteration
	sorted bool
}

// alteration is one change of one key.
type alteration struct {
	do    do
	key   []byte
	value []byte
	sum   uint32 // doBody: the checksum behind the value
}

type do uint8

const (
	doSet do = iota
	doBody
	doDelete
	doDrop
)

var batches = sync.Pool{New: func() any { return &pebbleBatch{} }}

func (p *pebbleBatch) add(a alteration) {
	if len(a.key) > cap(p.keys)-len(p.keys) {
		p.keys = make([]byte, 0, max(16<<10, len(a.key)))
	}
	at := len(p.keys)
	p.keys = append(p.keys, a.key...)
	a.key = p.keys[at:len(p.keys):len(p.keys)]
	c := &p.kinds[a.key[0]]
	if n := len(c.list); n == 0 {
		c.sorted = true
		p.used = append(p.used, a.key[0])
	} else if c.sorted && bytes.Compare(c.list[n-1].key, a.key) > 0 {
		c.sorted = false
	}
	c.list = append(c.list, a)
	p.bytes += len(a.key) + len(a.value) + 16
}

func (p *pebbleBatch) set(key, value []byte) { p.add(alteration{do: doSet, key: key, value: value}) }
func (p *pebbleBatch) body(key []byte, b sealed) {
	p.add(alteration{do: doBody, key: key, value: b.body, sum: b.sum})
}
func (p *pebbleBatch) del(key []byte)  { p.add(alteration{do: doDelete, key: key}) }
func (p *pebbleBatch) drop(key []byte) { p.add(alteration{do: doDrop, key: key}) }
func (p *pebbleBatch) size() int       { return p.bytes }

// built is a batch as pebble takes it.
type built struct {
	b   *pebble.Batch
	err error
}

// build makes a batch for db of the changes and forgets them.
func (p *pebbleBatch) build(db *pebble.DB) built {
	out := built{b: db.NewBatchWithSize(p.bytes + 64)}
	slices.Sort(p.used)
	for _, kind := range p.used {
		c := &p.kinds[kind]
		if !c.sorted {
			slices.SortStableFunc(c.list, func(a, b alteration) int { return bytes.Compare(a.key, b.key) })
		}
		for i := range c.list {
			out.err = cmp.Or(out.err, c.list[i].put(out.b))
		}
		clear(c.list)
		c.list = c.list[:0]
	}
	// The keys are copied as well: their memory can be used again.
	p.used, p.keys, p.bytes = p.used[:0], p.keys[:0], 0
	batches.Put(p)
	return out
}

func (a *alteration) put(b *pebble.Batch) error {
	switch a.do {
	case doBody:
		d := b.SetDeferred(len(a.key), len(a.value)+5)
		copy(d.Key, a.key)
		d.Value[0] = version
		copy(d.Value[1:], a.value)
		binary.LittleEndian.PutUint32(d.Value[len(d.Value)-4:], a.sum)
		return d.Finish()
	case doDelete:
		return b.Delete(a.key, nil)
	case doDrop:
		return b.SingleDelete(a.key, nil)
	}
	return b.Set(a.key, a.value, nil)
}
