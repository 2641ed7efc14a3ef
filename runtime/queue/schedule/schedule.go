// Package schedule is the index from which jobs are leased: which job is the
// head of its key, which heads are ready in which order, which leases live
// until when and what is due next.
//
// It holds no names and no bodies but those of lanes: a driver keeps records
// beside it under the sequence number of each job, and finds jobs by a hash of
// their ID. One waiting job costs about 130 bytes.
//
// A change has two halves. The first (Add, Claim, Hold) is made when the change
// takes its place in the log: it makes the change known to the checks of later
// commits. The second (Admit, Finish, Remove, Unpark) is made in the same order
// once the change is durable: only then can a worker see it. A store without a
// disk makes both halves at once.
//
// Methods whose comment says so must be called between Lock and Unlock. The
// others lock by themselves.
package schedule

import (
	"hash/maphash"
	goruntime "runtime"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// Slot names a job while it is in the index. Slots are used again. 0 is none.
type Slot = uint32

// flags of a node.
const (
	pending uint8 = 1 << iota // added, not admitted
	claimed                   // its lease is about to end
	held                      // about to be removed or unparked: not to be leased
	queued                    // is in the ready heap of its lane
)

// The states of a node, in the order of names.
const (
	ready uint8 = iota
	leased
	delayed
	parked
	dead
	states
)

var names = [states]queue.State{queue.Ready, queue.Leased, queue.Delayed, queue.Parked, queue.DeadJob}

// node is one job. It has no pointers, so the garbage collector skips it.
type node struct {
	seq      uint64
	due      int64 // delayed, parked: when it is looked at next, 0 = by order only; dead: since when
	hash     uint64
	key      uint32 // 0 = no order
	next     uint32 // behind it in its key
	older    uint32 // in its lane
	newer    uint32
	lane     uint32
	attempts uint32
	note     uint32 // parked: the reason; dead: the box
	crashes  uint16
	state    uint8
	prio     uint8
	flags    uint8
	marks    uint8
}

// keyed is the FIFO of one key of one lane.
type keyed struct {
	hash       uint64
	head, tail uint32
	lane       uint32
	users      uint32 // jobs that are in it or on their way
}

type lease struct {
	epoch uint64
	until int64
	entry int64 // the deadline under which it stands in the heap
}

// Index is the whole schedule of a store.
type Index struct {
	mu     sync.Mutex
	closed error
	seed   maphash.Seed
	epoch  uint64

	jobs  slab[node]
	ids   table
	keys  slab[keyed]
	byKey table

	lanes  []*lane // [0] is none
	byName map[string]uint32

	leases    map[Slot]*lease
	deadlines heap
	dues      heap
	timed     int // nodes with a time in dues
	notes     notes
	runs      runs
}

// New returns an empty index whose leases have epochs above epoch.
func New(epoch uint64) *Index {
	x := &Index{
		seed:   maphash.MakeSeed(),
		epoch:  epoch,
		lanes:  []*lane{nil},
		byName: map[string]uint32{},
		leases: map[Slot]*lease{},
		notes:  newNotes(),
	}
	mem := &owned{}
	x.jobs.owned, x.keys.owned, x.ids.owned, x.byKey.owned, x.runs.owned = mem, mem, mem, mem, mem
	goruntime.AddCleanup(x, (*owned).free, mem)
	return x
}

// Lock begins a sequence of calls that belong together.
func (x *Index) Lock() { x.mu.Lock() }

// Unlock ends what Lock began.
func (x *Index) Unlock() { x.mu.Unlock() }

// Hash is the hash of a job ID or of a key, for Find and Add. It needs no lock.
func (x *Index) Hash(s string) uint64 { return maphash.String(x.seed, s) }

// Close makes every Lease, waiting or coming, return err.
func (x *Index) Close(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed != nil {
		return
	}
	x.closed = err
	for _, l := range x.lanes[1:] {
		for len(l.waiters) > 0 {
			l.wake()
		}
	}
}

// Find returns the job whose ID has hash and for which same holds, or 0.
// It must be called between Lock and Unlock.
func (x *Index) Find(hash uint64, same func(Slot) bool) Slot {
	return x.ids.find(hash, func(s uint32) bool { return x.jobs.at(s).hash == hash && same(s) })
}

// Arrival is a job on its way into the index.
type Arrival struct {
	Seq      uint64 // grows from job to job; the order of the log
	Hash     uint64 // of the ID
	Lane     string
	Key      string
	KeyHash  uint64 // of Key, ignored where Key is ""
	Priority queue.Priority
	State    queue.State // Ready, Delayed, Parked or DeadJob
	Due      time.Time   // Delayed, Parked: when; DeadJob: since when
	Attempts int
	Crashes  int
	Note     string // Parked: the reason; DeadJob: the box
	Marks    uint8
}

// Add makes a job known by its ID without letting anybody have it: Admit does.
// It must be called between Lock and Unlock.
func (x *Index) Add(a Arrival) Slot {
	s := x.jobs.alloc()
	li := x.laneOf(a.Lane)
	n := x.jobs.at(s)
	*n = node{
		seq: a.Seq, hash: a.Hash, lane: li, prio: uint8(min(a.Priority, queue.Low)),
		attempts: uint32(a.Attempts), crashes: uint16(a.Crashes), marks: a.Marks, flags: pending,
	}
	switch a.State {
	case queue.Delayed:
		n.state = delayed
	case queue.Parked:
		n.state = parked
	case queue.DeadJob:
		n.state = dead
	default:
		n.state = ready
	}
	if !a.Due.IsZero() && n.state != ready {
		n.due = a.Due.UnixNano()
	}
	if n.state == parked || n.state == dead {
		n.note = x.notes.take(a.Note)
	}
	if a.Key != "" && n.state != dead {
		n.key = x.keyOf(li, a.KeyHash)
	}
	x.ids.insert(a.Hash, s, x.hashOfJob)
	return s
}

// Admit lets the world have a job: it goes to the tail of its key.
// It must be called between Lock and Unlock.
func (x *Index) Admit(s Slot) {
	n := x.jobs.at(s)
	n.flags &^= pending
	l := x.lanes[n.lane]
	l.used = true
	x.append(l, s, n)
	l.count[n.state]++
	if n.state == parked {
		l.parked[n.note]++
	}
	if n.state == dead {
		return
	}
	x.join(s, n)
	x.time(s, n)
	x.arm(s)
}

// join puts a job at the tail of its key.
func (x *Index) join(s Slot, n *node) {
	if n.key == 0 {
		return
	}
	k := x.keys.at(n.key)
	if k.tail == 0 {
		k.head = s
	} else {
		x.jobs.at(k.tail).next = s
	}
	k.tail = s
	n.next = 0
}

// leave takes a job out of its key and lets the next one forward.
func (x *Index) leave(s Slot, n *node) {
	if n.key == 0 {
		return
	}
	k := x.keys.at(n.key)
	if k.head == s {
		k.head = n.next
		if n.next == 0 {
			k.tail = 0
		}
		n.next = 0
		if k.head != 0 {
			x.arm(k.head)
		}
		return
	}
	for p := k.head; p != 0; {
		pn := x.jobs.at(p)
		if pn.next == s {
			pn.next = n.next
			if k.tail == s {
				k.tail = p
			}
			break
		}
		p = pn.next
	}
	n.next = 0
}

// arm offers a job to the workers of its lane if it is its turn.
func (x *Index) arm(s Slot) {
	n := x.jobs.at(s)
	if n.state != ready || n.flags&(pending|held|queued) != 0 || !x.first(s, n) {
		return
	}
	n.flags |= queued
	l := x.lanes[n.lane]
	l.ready[n.prio].push(item{at: int64(n.seq), slot: s}, &x.runs)
	l.wake()
}

func (x *Index) first(s Slot, n *node) bool { return n.key == 0 || x.keys.at(n.key).head == s }

// time notes when a delayed or parked job is looked at again.
func (x *Index) time(s Slot, n *node) {
	if (n.state == delayed || n.state == parked) && n.due != 0 {
		x.dues.push(item{at: n.due, slot: s})
		x.timed++
	}
}

// become moves a job to another state and keeps the counts.
func (x *Index) become(n *node, state uint8, due int64, note uint32) {
	l := x.lanes[n.lane]
	l.count[n.state]--
	if n.state == parked {
		if l.parked[n.note]--; l.parked[n.note] == 0 {
			delete(l.parked, n.note)
		}
	}
	if (n.state == delayed || n.state == parked) && n.due != 0 {
		x.timed--
	}
	x.notes.drop(n.note)
	n.state, n.due, n.note = state, due, note
	l.count[state]++
	if state == parked {
		l.parked[note]++
	}
}

// Remove takes a job out for good. It must be called between Lock and Unlock.
func (x *Index) Remove(s Slot) {
	n := x.jobs.at(s)
	delete(x.leases, s)
	if n.state != dead {
		x.leave(s, n)
	}
	l := x.lanes[n.lane]
	x.become(n, dead, 0, 0)
	l.count[dead]--
	x.unlink(l, s, n)
	x.ids.remove(n.hash, s, x.hashOfJob)
	if k := n.key; k != 0 {
		n.key = 0
		x.release(k)
	}
	*n = node{}
	x.jobs.free(s)
}

// keyOf returns the FIFO of a key, made if need be, with one more user.
func (x *Index) keyOf(li uint32, hash uint64) uint32 {
	hash += uint64(li) * 0x9e3779b97f4a7c15
	if k := x.byKey.find(hash, func(s uint32) bool { return x.keys.at(s).hash == hash && x.keys.at(s).lane == li }); k != 0 {
		x.keys.at(k).users++
		return k
	}
	k := x.keys.alloc()
	*x.keys.at(k) = keyed{hash: hash, lane: li, users: 1}
	x.byKey.insert(hash, k, x.hashOfKey)
	return k
}

// release gives a key up for one job, and frees its FIFO after the last.
func (x *Index) release(k uint32) {
	if k == 0 {
		return
	}
	f := x.keys.at(k)
	if f.users--; f.users == 0 {
		x.byKey.remove(f.hash, k, x.hashOfKey)
		*f = keyed{}
		x.keys.free(k)
	}
}

func (x *Index) hashOfJob(s uint32) uint64 { return x.jobs.at(s).hash }
func (x *Index) hashOfKey(s uint32) uint64 { return x.keys.at(s).hash }
