package embedded

import (
	"errors"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// The marks that the store keeps with each job in the index: which records the
// job has beside its header.
const (
	markBody    uint8 = 1 << iota // keyBody
	markState                     // keyState
	markOther                     // keyOther
	markCrashes                   // keyCrashes
)

// errWait is the answer of a check that meets a change which is on its way to
// the disk: try again when it has arrived.
var errWait = errors.New("wait")

// stage checks commits one after the other and puts what they change into one
// batch. A commit is checked completely before its first change.
//
// The index is locked all the while.
type stage struct {
	s       *store
	b       batch
	room    room
	number  uint64 // of the batch
	changes []change
	puts    []string
	history *block
	endings map[uint64][]string      // idempotency keys by the second of their end
	ids     map[schedule.Slot]string // of jobs in this batch, which get cannot see yet
	gone    map[schedule.Slot]bool   // jobs that this batch ends
	raised  map[string]raised        // dead letters that are about to be revived
	key     []byte
}

func newStage(s *store, r room) *stage {
	s.block.reset()
	return &stage{
		s: s, b: s.kv.batch(), room: r, history: &s.block,
		ids: map[schedule.Slot]string{}, gone: map[schedule.Slot]bool{}, raised: map[string]raised{},
	}
}

// add stages a request and tells whether it could: false means that it has to
// wait until this batch is visible.
func (st *stage) add(r *request) bool {
	err := st.check(r)
	if err == errWait {
		return false
	}
	if err != nil {
		r.err = err
		return true
	}
	if st.number == 0 {
		st.number = st.s.counts.number(st.b)
	}
	st.orders(r)
	for _, id := range r.c.Cancel {
		if at, row, _ := st.find(id); at != 0 && row.State != queue.Leased {
			st.remove(at, row)
		}
	}
	for i := range r.c.Finish {
		st.finishLease(&r.c.Finish[i], r.now)
	}
	for i := range r.c.Put {
		st.put(&r.c.Put[i], r)
	}
	for i := range r.history {
		st.history.add(st, &r.history[i])
	}
	for i := range r.jobs {
		r.results[i] = st.enqueue(&r.c.Jobs[i], &r.jobs[i], r)
	}
	st.housekeeping(r)
	return true
}

// check tells whether a request fits what is staged so far.
func (st *stage) check(r *request) error {
	c := &r.c
	if st.room == none && !r.own || st.room == little && (len(c.Jobs) > 0 || len(c.Put) > 0) {
		return queue.ErrFull
	}
	if err := st.checkFinish(c); err != nil {
		return err
	}
	if err := st.checkPuts(r); err != nil {
		return err
	}
	for _, id := range c.Cancel {
		if _, _, busy := st.find(id); busy {
			return errWait
		}
	}
	for i := range r.jobs {
		p := &r.jobs[i]
		if at := st.lookFor(p.idHash, c.Jobs[i].ID); at != 0 && st.s.x.Ending(at) {
			return errWait
		}
		if err := st.refresh(&c.Jobs[i], p, r.seen); err != nil {
			return err
		}
	}
	return st.checkOrders(c)
}

func (st *stage) checkFinish(c *queue.Commit) error {
	for i := range c.Finish {
		l := &c.Finish[i].Lease
		if !st.s.x.Holds(schedule.Slot(l.Slot), l.Epoch) {
			return queue.ErrLeaseLost
		}
		for j := range i {
			if c.Finish[j].Lease.Epoch == l.Epoch && c.Finish[j].Outcome != queue.Keep {
				return queue.ErrLeaseLost
			}
		}
	}
	return nil
}

func (st *stage) checkPuts(r *request) error {
	for i := range r.c.Put {
		p := &r.c.Put[i]
		have, err := st.value(p.Key, r.puts[i], r.seen)
		if err != nil {
			return err
		}
		r.puts[i] = have
		at := int64(0)
		if have.alive(r.now) {
			at = have.version
		}
		for j := range i { // an earlier Put of the same commit comes first
			if q := &r.c.Put[j]; q.Key == p.Key {
				if at++; q.Value == nil {
					at = 0
				}
			}
		}
		if p.Version != queue.AnyVersion && p.Version != at {
			return queue.ErrVersion
		}
	}
	return nil
}

// value is what a state key has now, given what was there when the request was
// looked up.
func (st *stage) value(key string, have value, seen uint64) (value, error) {
	v, found, sure := st.s.commits.values.get(key, seen)
	if found {
		return v, nil
	}
	if sure {
		return have, nil
	}
	return st.s.value(key)
}

// refresh brings what is known under an idempotency key up to date.
func (st *stage) refresh(j *queue.Job, p *preparedJob, seen uint64) error {
	if j.Dedupe == "" {
		return nil
	}
	k, found, sure := st.s.commits.dedupe.get(j.Dedupe, seen)
	switch {
	case found:
		p.known = k
	case !sure:
		k, err := st.s.lookup(j.Dedupe)
		if err != nil {
			return err
		}
		p.known = k
	}
	return nil
}

// lookFor finds a job by its ID.
func (st *stage) lookFor(idHash uint64, id string) schedule.Slot {
	return st.s.x.Find(idHash, func(at schedule.Slot) bool {
		if st.gone[at] {
			return false
		}
		if known, ok := st.ids[at]; ok {
			return known == id
		}
		return st.s.idOf(at) == id
	})
}

// find finds a job by its ID and tells whether a change of it is on its way.
func (st *stage) find(id string) (at schedule.Slot, row schedule.Row, busy bool) {
	at = st.lookFor(st.s.x.Hash(id), id)
	if at == 0 {
		return 0, schedule.Row{}, false
	}
	return at, st.s.x.At(at), st.s.x.Busy(at)
}

// idOf reads the ID of a job; "" when its record cannot be read.
func (s *store) idOf(at schedule.Slot) string {
	row := s.x.At(at)
	if c := s.cache.get(row.Seq); c != nil {
		return c.id
	}
	raw, err := s.kv.get(numKey(keyJob, row.Seq))
	if err != nil || raw == nil {
		return ""
	}
	h, err := readHeader(raw)
	if err != nil {
		return ""
	}
	return h.job.ID
}

// enqueue stages one job.
func (st *stage) enqueue(j *queue.Job, p *preparedJob, r *request) queue.Result {
	x := st.s.x
	if at := st.lookFor(p.idHash, j.ID); at != 0 {
		return queue.Result{ID: j.ID}
	}
	if j.Dedupe != "" {
		k := p.known
		// An earlier job of the same commit may have taken the key since the check.
		if mine, found, _ := st.s.commits.dedupe.get(j.Dedupe, r.seen); found {
			k = mine
		}
		if k.id != "" && k.alive(r.now) {
			return st.again(j, k, r)
		}
		st.remember(j, r.now)
	}
	for i := range p.fresh {
		st.history.add(st, &p.fresh[i])
	}
	seq := st.s.counts.number(st.b)
	st.b.set(st.num(keyJob, seq), p.header)
	marks := uint8(0)
	if p.body.body != nil {
		marks = markBody
		st.b.body(st.num(keyBody, seq), p.body)
	}
	c := newCached(j, j.Body, r.now)
	state := queue.Ready
	if j.NotBefore.After(r.now) {
		state = queue.Delayed
	}
	st.lane(j.Lane)
	at := x.Add(schedule.Arrival{
		Seq: seq, Hash: p.idHash, Lane: j.Lane, Key: j.Key, KeyHash: p.keyHash, Priority: j.Priority,
		State: state, Due: j.NotBefore, Marks: marks,
	})
	st.ids[at] = j.ID
	st.changes = append(st.changes, change{slot: at, seq: seq, kind: admit, job: c})
	return queue.Result{ID: j.ID}
}

// again answers a job whose idempotency key is known.
func (st *stage) again(j *queue.Job, k known, r *request) queue.Result {
	if k.id == j.ID {
		return queue.Result{ID: j.ID}
	}
	out, kind := queue.Result{Status: queue.Duplicate, ID: k.id}, queue.Duplicated
	if k.digest != j.Digest {
		out.Status, kind = queue.Conflict, queue.Conflicted
	}
	for _, e := range j.Again {
		e.Kind = kind
		l := newLine(&e, r.now)
		st.history.add(st, &l)
	}
	return out
}

// remember stages an idempotency key.
func (st *stage) remember(j *queue.Job, now time.Time) {
	k := known{id: j.ID, digest: j.Digest}
	if j.DedupeTTL > 0 {
		k.expires = now.Add(j.DedupeTTL)
		// Ends are gathered in steps of a thirty-second of the time, so that few
		// records tell of many keys.
		step := max(1, int64(j.DedupeTTL/time.Second)/32)
		end := uint64((k.expires.Unix()/step + 1) * step)
		if st.endings == nil {
			st.endings = map[uint64][]string{}
		}
		st.endings[end] = append(st.endings[end], j.Dedupe)
	}
	st.b.set(st.text(keyDedupe, j.Dedupe), appendKnown(nil, k))
	st.s.commits.dedupe.put(j.Dedupe, k)
	st.s.sieve.add(j.Dedupe, k.expires)
}

// put stages a state value.
func (st *stage) put(p *queue.Put, r *request) {
	have, found, _ := st.s.commits.values.get(p.Key, r.seen)
	if !found {
		for i := range r.c.Put {
			if &r.c.Put[i] == p {
				have = r.puts[i]
			}
		}
	}
	var v value
	if p.Value == nil {
		st.b.del(st.text(keyValue, p.Key))
	} else {
		v = value{version: 1, data: p.Value}
		if have.alive(r.now) {
			v.version = have.version + 1
		}
		if p.TTL > 0 {
			v.expires = r.now.Add(p.TTL)
			st.b.set(append(numKey(keyTimed, uint64(v.expires.Unix()+1)), p.Key...), nil)
		}
		st.b.set(st.text(keyValue, p.Key), appendValue(nil, v))
	}
	v.data = nil
	st.s.commits.values.put(p.Key, v)
	st.puts = append(st.puts, p.Key)
}

// finish puts what belongs to the whole batch into it.
func (st *stage) finish() {
	if st.number == 0 {
		return
	}
	st.history.finish(st)
	for end, keys := range st.endings {
		rec := []byte{version}
		for _, k := range keys {
			rec = appendText(rec, k)
		}
		st.b.set(twoKey(keyEnding, end, st.number), seal(rec))
	}
	st.s.counts.write(st.b)
}

func (st *stage) discard() error {
	wait, err := st.s.kv.write(st.b)
	if err != nil {
		return err
	}
	return wait()
}

// lane makes a lane known for all time.
func (st *stage) lane(name string) {
	if st.s.x.Touch(name) {
		st.b.set(st.text(keyLane, name), nil)
	}
}

// num and text build keys in a buffer that is good until the next call.
func (st *stage) num(kind byte, n uint64) []byte {
	st.key = append(st.key[:0], kind, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	return st.key
}

func (st *stage) text(kind byte, s string) []byte {
	st.key = append(append(st.key[:0], kind), s...)
	return st.key
}
