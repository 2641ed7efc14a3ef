package redis

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"crossdock/runtime/queue"
)

// encoder lays out the commits of one call as the arguments of apply.lua. One
// commit is
//
//	total number of its arguments, index of its finishes,
//	counts of jobs, finishes, puts, orders, cancels, 0,
//	jobs:     length, id, lane, key, slot, has body, priority, not before (us from now),
//	          dedupe, digest, dedupe TTL (ms), index of Again,
//	          history groups of Fresh, history groups of Again
//	finishes: outcome, id, lane, key, epoch, slot; unless Done or Release also
//	          at (us from now), attempts, has body, body, reason, box, group
//	puts:     key, version, delete, value, TTL (ms)
//	orders:   what, id, has body, body
//	cancels:  id
//	history groups
//
// and history groups are their count, then for each: root, n, n times
// (pipeline, kind, entry), number of references, (value, type) of each. Indices
// count from the first argument of the commit or job.
type encoder struct {
	args    []any
	bodies  []any // key, value, ... for MSETNX
	leases  []any
	jobs    []any
	dedupes []any
	lanes   map[string][]any // keys to read ahead
	keys    keyset
}

func (e *encoder) reset() {
	clear(e.args)
	clear(e.bodies)
	e.args, e.bodies = e.args[:0], e.bodies[:0]
	e.leases, e.jobs, e.dedupes = e.leases[:0], e.jobs[:0], e.dedupes[:0]
	e.lanes = map[string][]any{}
}

func (e *encoder) put(v ...any) { e.args = append(e.args, v...) }

// commit appends one commit. The slots of its jobs are in slots.
func (e *encoder) commit(c *queue.Commit, slots []uint64, sealed [][]byte) {
	start := len(e.args)
	e.put(0, 0, len(c.Jobs), len(c.Finish), len(c.Put), len(c.Orders), len(c.Cancel), 0)
	for i := range c.Jobs {
		e.job(&c.Jobs[i], slots[i], sealed[i])
	}
	e.args[start+1] = len(e.args) - start
	for i := range c.Finish {
		e.finish(&c.Finish[i])
	}
	for i := range c.Put {
		p := &c.Put[i]
		del, ttl := 0, int64(0)
		if p.Value == nil {
			del = 1
		}
		if p.TTL > 0 {
			ttl = max(1, p.TTL.Milliseconds())
		}
		e.put(p.Key, p.Version, del, p.Value, ttl)
	}
	for i := range c.Orders {
		o := &c.Orders[i]
		e.jobs = append(e.jobs, o.ID)
		e.leases = append(e.leases, o.ID)
		if o.Body != nil && (o.Do == queue.Edit || o.Do == queue.Revive) {
			e.put(int(o.Do), o.ID, 1, sealBody(o.ID, o.Body))
		} else {
			e.put(int(o.Do), o.ID, 0, "")
		}
	}
	for _, id := range c.Cancel {
		e.jobs = append(e.jobs, id)
		e.leases = append(e.leases, id)
		e.put(id)
	}
	e.history(c.History)
	e.args[start] = len(e.args) - start
}

func (e *encoder) job(j *queue.Job, slot uint64, sealed []byte) {
	start := len(e.args)
	text := slotText(slot)
	has, ttl := 0, int64(0)
	if sealed != nil {
		has = 1
		e.bodies = append(e.bodies, e.keys.body(slot), sealed)
	}
	due := distance(j.NotBefore)
	if j.DedupeTTL > 0 {
		ttl = max(1, j.DedupeTTL.Milliseconds())
	}
	dedupe, digest := "", []byte(nil)
	if j.Dedupe != "" {
		dedupe = dedupeName(j.Dedupe)
		digest = digestMark(j.Digest)
		e.dedupes = append(e.dedupes, dedupe)
	}
	e.jobs = append(e.jobs, j.ID)
	e.readKey(j.Lane, j.Key)
	e.put(0, j.ID, j.Lane, j.Key, text, has, int(j.Priority), due, dedupe, digest, ttl, 0)
	e.history(j.Fresh)
	e.args[start+11] = len(e.args) - start
	e.history(j.Again)
	e.args[start] = len(e.args) - start
}

// distance is how far away a time is, in microseconds; 0 = there is none. Redis
// adds it to its own clock: the clocks of replicas may disagree, and what one of
// them puts off, another one takes up.
func distance(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	if us := time.Until(at).Microseconds(); us != 0 {
		return us
	}
	return -1
}

// digestMark is what the store remembers of a digest.
func digestMark(digest string) []byte {
	h := fnv.New64a()
	h.Write([]byte(digest))
	return binary.BigEndian.AppendUint64(nil, h.Sum64())
}

func (e *encoder) finish(f *queue.Finish) {
	l := &f.Lease
	e.leases = append(e.leases, l.ID)
	e.put(int(f.Outcome), l.ID, l.Lane, l.Key, l.Epoch, slotText(l.Slot))
	if f.Outcome == queue.Done || f.Outcome == queue.Dead {
		e.readKey(l.Lane, l.Key)
	}
	if f.Outcome == queue.Done {
		return
	}
	e.jobs = append(e.jobs, l.ID)
	if f.Outcome == queue.Release {
		return
	}
	at := distance(f.At)
	has, body := 0, []byte(nil)
	if f.Body != nil {
		has, body = 1, sealBody(l.ID, f.Body)
	}
	e.put(at, max(f.Attempts, 0), has, body, f.Reason, clean(f.Box), clean(f.Group))
}

func (e *encoder) readKey(lane, key string) {
	if key != "" {
		e.lanes[lane] = append(e.lanes[lane], key)
	}
}

// clean removes what the records of the scripts use as a separator.
func clean(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "")
}

// history appends entries as groups: neighbours of one family go together.
func (e *encoder) history(entries []queue.Entry) {
	at := len(e.args)
	e.put(0)
	groups := 0
	for i := 0; i < len(entries); {
		root := queue.Root(entries[i].Message)
		n := 1
		for i+n < len(entries) && queue.Root(entries[i+n].Message) == root {
			n++
		}
		e.group(root, entries[i:i+n])
		groups++
		i += n
	}
	e.args[at] = groups
}

func (e *encoder) group(root string, entries []queue.Entry) {
	refs := 0
	for i := range entries {
		refs += len(entries[i].Refs)
	}
	e.put(root, len(entries))
	for i := range entries {
		e.put(clean(entries[i].Pipeline), clean(string(entries[i].Kind)), packEntry(&entries[i]))
	}
	e.put(refs)
	for i := range entries {
		for _, r := range entries[i].Refs {
			e.put(r.Value, clean(r.Type))
		}
	}
}

// head builds the arguments that stand before the commits.
func (e *encoder) head(mark, session string, n callNumbers, keep time.Duration, recent int) []any {
	h := make([]any, 0, 32+len(e.jobs)+len(e.leases)+len(e.dedupes))
	h = append(h, mark, session, n.no, n.low, max(keep.Milliseconds(), 1), recent, n.carried)
	for _, l := range [][]any{n.forget, e.leases, e.jobs} {
		h = append(append(h, len(l)), l...)
	}
	h = append(h, len(e.lanes))
	for lane, keys := range e.lanes {
		h = append(append(h, lane, len(keys)), keys...)
	}
	return append(append(h, len(e.dedupes)), e.dedupes...)
}

// valid refuses what the layout of the records cannot hold.
func valid(c *queue.Commit) error {
	for i := range c.Jobs {
		j := &c.Jobs[i]
		switch {
		case j.ID == "" || control(j.ID):
			return fmt.Errorf("job ID %q is empty or holds control characters", j.ID)
		case j.Lane == "" || len(j.Lane) > 255 || control(j.Lane):
			return fmt.Errorf("lane %q is empty, longer than 255 bytes or holds control characters", j.Lane)
		case j.Priority > queue.Low:
			return fmt.Errorf("job %s has the priority %d; there are 0 (critical) to 3 (low)", j.ID, j.Priority)
		}
	}
	for i := range c.History {
		if c.History[i].Message == "" {
			return fmt.Errorf("history entry %d of the commit names no message", i+1)
		}
	}
	return nil
}

func control(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
