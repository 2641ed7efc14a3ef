package embedded

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/internal/ledger"
)

// block gathers the history entries of one batch into one record. Small records
// lead to it from each family of messages and from each reference.
type block struct {
	n      int
	bytes  []byte
	family []uint64
	refs   []uint64
}

// reset empties a block for the next batch; the one before is written.
func (b *block) reset() {
	if cap(b.bytes) > mostBlock {
		b.bytes = nil
	}
	b.n, b.bytes, b.family, b.refs = 0, b.bytes[:0], b.family[:0], b.refs[:0]
}

// mostBlock is the size of a block whose memory is kept for the next one.
const mostBlock = 1 << 20

func (b *block) add(st *stage, l *line) {
	if b.n == 0 {
		b.bytes = append(b.bytes, version)
	}
	b.n++
	b.bytes = binary.AppendUvarint(b.bytes, uint64(len(l.bytes)))
	b.bytes = append(b.bytes, l.bytes...)
	b.family = append(b.family, l.root)
	b.refs = append(b.refs, l.refs...)
	st.s.counts.add(l.pipeline, l.kind)
}

func (b *block) finish(st *stage) {
	if b.n == 0 {
		return
	}
	b.bytes = seal(b.bytes)
	st.b.set(st.num(keyHistory, st.number), b.bytes)
	for _, f := range compact(b.family) {
		st.b.set(st.pair(keyFamily, f, st.number), nil)
	}
	for _, r := range compact(b.refs) {
		st.b.set(st.pair(keyRef, r, st.number), nil)
	}
}

func compact(ns []uint64) []uint64 {
	slices.Sort(ns)
	return slices.Compact(ns)
}

func (st *stage) pair(kind byte, a, b uint64) []byte {
	st.key = binary.BigEndian.AppendUint64(append(st.key[:0], kind), a)
	st.key = binary.BigEndian.AppendUint64(st.key, b)
	return st.key
}

// entries takes a block apart. Entries that follow a mistake are lost to it.
func (s *store) entries(number uint64, raw []byte) ([]ledger.Line, error) {
	b, err := unseal(raw)
	if err != nil {
		return nil, s.damaged(err, fmt.Sprintf("history of batch %d", number))
	}
	var out []ledger.Line
	for r := (reader{b: b}); len(r.b) > 0; {
		one := reader{b: r.bytes()}
		e := one.entry()
		if err := cmp.Or(r.err(), one.err()); err != nil {
			return out, s.damaged(err, fmt.Sprintf("history of batch %d", number))
		}
		// The number of the batch leaves room for the place within it.
		out = append(out, ledger.Line{Seq: number<<16 | uint64(min(len(out), 1<<16-1)), Entry: e})
	}
	return out, nil
}

// blocks collects the entries for which keep holds from all batches that the
// records under prefix lead to.
func (s *store) blocks(prefix []byte, keep func(queue.Entry) bool) ([]ledger.Line, error) {
	var numbers []uint64
	err := s.kv.scan(prefix, after(prefix), false, func(k, _ []byte) bool {
		numbers = append(numbers, binary.BigEndian.Uint64(k[len(k)-8:]))
		return true
	})
	if err != nil {
		return nil, s.reading(err)
	}
	var out []ledger.Line
	for _, n := range numbers {
		raw, err := s.kv.get(numKey(keyHistory, n))
		if err != nil {
			return nil, s.reading(err)
		}
		if raw == nil {
			continue // swept
		}
		lines, err := s.entries(n, raw)
		if err != nil {
			continue // noted as damaged
		}
		for _, l := range lines {
			if keep(l.Entry) {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

func (s *store) family(root string) ([]ledger.Line, error) {
	return s.blocks(numKey(keyFamily, hash(root)), func(e queue.Entry) bool { return queue.Root(e.Message) == root })
}

func (s *store) byRef(q queue.Query) (queue.Page, error) {
	found, err := s.blocks(numKey(keyRef, hash(q.Ref.Value)), func(e queue.Entry) bool { return ledger.HasRef(q, e) })
	if err != nil {
		return queue.Page{}, err
	}
	roots := map[string]bool{}
	for _, l := range found {
		roots[queue.Root(l.Message)] = true
	}
	var lines []ledger.Line
	for root := range roots {
		f, err := s.family(root)
		if err != nil {
			return queue.Page{}, err
		}
		lines = append(lines, f...)
	}
	return ledger.ByTime(lines, q)
}

func (s *store) recent(q queue.Query) (queue.Page, error) {
	from, err := ledger.After(q)
	if err != nil {
		return queue.Page{}, err
	}
	to := []byte{keyHistory + 1}
	if from != 0 {
		to = numKey(keyHistory, from>>16+1)
	}
	page := ledger.NewNewest(q)
	err = s.kv.scan([]byte{keyHistory}, to, true, func(k, v []byte) bool {
		lines, err := s.entries(binary.BigEndian.Uint64(k[1:]), v)
		if err != nil {
			return true // noted as damaged
		}
		for _, l := range slices.Backward(lines) {
			if (from == 0 || l.Seq < from) && !page.Look(l) {
				return false
			}
		}
		return true
	})
	return page.Page, s.reading(err)
}

// counters holds the durable counters, and the numbers that are given out once.
type counters struct {
	mu    sync.Mutex
	n     map[countKey]int64
	dirty map[countKey]bool
	last  uint64 // number given out last
	limit uint64 // numbers below it may have been given out before a crash
}

type countKey struct {
	pipeline string
	kind     queue.Kind
}

// stretch is how many numbers are taken from the disk at once.
const stretch = 1 << 20

// number gives out the next number. Numbers grow and are never given out
// twice, not even after a crash.
func (c *counters) number(b batch) uint64 {
	c.last++
	if c.last >= c.limit {
		c.limit = c.last + stretch
		b.set(textKey(keyMeta, "numbers"), appendNumber(nil, c.limit))
	}
	return c.last
}

func (c *counters) add(pipeline string, kind queue.Kind) {
	k := countKey{pipeline, kind}
	c.mu.Lock()
	c.n[k]++
	c.mu.Unlock()
	c.dirty[k] = true
}

// write puts the counters that have changed into a batch.
func (c *counters) write(b batch) {
	for k := range c.dirty {
		key := append(append(textKey(keyCount, k.pipeline), 0), k.kind...)
		b.set(key, appendNumber(nil, uint64(c.n[k])))
	}
	clear(c.dirty)
}

func (c *counters) list() []queue.Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []queue.Count
	for k, n := range c.n {
		out = append(out, queue.Count{Pipeline: k.pipeline, Kind: k.kind, N: n})
	}
	slices.SortFunc(out, func(a, b queue.Count) int {
		return cmp.Or(strings.Compare(a.Pipeline, b.Pipeline), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// pruneHistory deletes up to limit batches of history that are past their keep.
// Nothing depends on when it reaches the disk.
func (s *store) pruneHistory(now time.Time, limit int) (more bool, err error) {
	before, future := now.Add(-s.opts.KeepHistory), now.Add(time.Hour)
	b := s.kv.batch()
	n := 0
	serr := s.kv.scan([]byte{keyHistory}, []byte{keyHistory + 1}, false, func(k, v []byte) bool {
		number := binary.BigEndian.Uint64(k[1:])
		lines, err := s.entries(number, v)
		if err != nil {
			// A damaged record is kept for people to see, and holds up nothing.
			return true
		}
		if n >= limit {
			more = true
			return false
		}
		if slices.ContainsFunc(lines, func(l ledger.Line) bool { return l.At.After(future) }) {
			return true // a clock that was wrong holds up nothing
		}
		if slices.ContainsFunc(lines, func(l ledger.Line) bool { return !l.At.Before(before) }) {
			return false
		}
		for _, l := range lines {
			b.del(twoKey(keyFamily, hash(queue.Root(l.Message)), number))
			for _, r := range l.Refs {
				b.del(twoKey(keyRef, hash(r.Value), number))
			}
		}
		b.del(k)
		n++
		return true
	})
	wait, err := s.kv.write(b)
	if err == nil {
		err = wait()
	}
	if serr != nil {
		err = serr
	}
	return more, s.reading(err)
}
