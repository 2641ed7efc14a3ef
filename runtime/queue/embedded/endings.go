package embedded

import (
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// finishLease stages the end of a lease, which was checked.
func (st *stage) finishLease(f *queue.Finish, now time.Time) {
	x := st.s.x
	at := schedule.Slot(f.Lease.Slot)
	row := x.At(at)
	c := change{slot: at, seq: row.Seq, kind: finish, hint: f.Hint,
		verdict: schedule.Verdict{Outcome: f.Outcome, At: f.At, Attempts: f.Attempts}}
	sd := standing{attempts: f.Attempts}
	switch f.Outcome {
	case queue.Done:
		st.erase(row)
		st.gone[at] = true
	case queue.Retry:
		if sd.state, sd.due = diskDelayed, f.At; f.At.IsZero() {
			sd.state = diskReady
		}
	case queue.Park:
		sd.state, sd.due, sd.reason = diskParked, f.At, f.Reason
		c.verdict.Note = f.Reason
	case queue.Dead:
		sd = standing{state: diskDead, attempts: f.Attempts, due: now, reason: f.Reason, box: f.Box, group: f.Group}
		c.verdict.Note, c.verdict.At = f.Box, now
	}
	if f.Outcome != queue.Done && f.Outcome != queue.Release {
		st.stand(at, row.Seq, sd)
		if f.Body != nil {
			c.body = st.otherBody(at, row.Seq, f.Body)
		}
	}
	if f.Outcome != queue.Keep {
		x.Claim(at)
	}
	st.changes = append(st.changes, c)
}

// stand stages where a job stands.
func (st *stage) stand(at schedule.Slot, seq uint64, sd standing) {
	st.b.set(st.num(keyState, seq), appendStanding(nil, sd))
	st.s.x.Mark(at, markState)
}

// otherBody stages a body that replaces the first one.
func (st *stage) otherBody(at schedule.Slot, seq uint64, body []byte) []byte {
	st.b.body(st.num(keyOther, seq), sealBody(body))
	st.s.x.Mark(at, markOther)
	return body
}

// erase stages the end of all records of a job.
func (st *stage) erase(row schedule.Row) {
	st.b.drop(st.num(keyJob, row.Seq))
	if row.Marks&markBody != 0 {
		st.b.drop(st.num(keyBody, row.Seq))
	}
	for _, r := range [...]struct {
		mark uint8
		kind byte
	}{{markState, keyState}, {markOther, keyOther}, {markCrashes, keyCrashes}} {
		if row.Marks&r.mark != 0 {
			st.b.del(st.num(r.kind, row.Seq))
		}
	}
}

// remove stages the end of a job that is not leased.
func (st *stage) remove(at schedule.Slot, row schedule.Row) {
	st.erase(row)
	st.gone[at] = true
	st.s.x.Hold(at)
	st.changes = append(st.changes, change{slot: at, seq: row.Seq, kind: remove})
}

// allowed tells whether an order may be given on a job in a state, and which
// state follows, "" for gone.
func allowed(do queue.Do, state queue.State) (next queue.State, ok bool) {
	switch do {
	case queue.Revive:
		return queue.Ready, state == queue.DeadJob
	case queue.Discard:
		return "", state == queue.DeadJob || state == queue.Parked
	case queue.Edit:
		return state, state == queue.DeadJob
	case queue.Unpark:
		return queue.Ready, state == queue.Parked || state == queue.Delayed
	}
	return "", false
}

func (st *stage) checkOrders(c *queue.Commit) error {
	if len(c.Orders) == 0 {
		return nil
	}
	states := map[string]queue.State{}
	for _, o := range c.Orders {
		state, seen := states[o.ID]
		if !seen {
			at, row, busy := st.find(o.ID)
			if busy {
				return errWait
			}
			if state = row.State; at == 0 {
				return queue.ErrNotFound
			}
		}
		next, ok := allowed(o.Do, state)
		if !ok {
			return queue.ErrNotFound
		}
		if o.Do == queue.Revive && !seen {
			// The new record is a copy of the old one, which is read before the first
			// change: it may be damaged.
			if err := st.raise(o.ID); err != nil {
				return err
			}
		}
		states[o.ID] = next
	}
	return nil
}

// orders stages all orders of a commit: per job the last one, with the last
// body that an Edit before it brought.
func (st *stage) orders(r *request) {
	if len(r.c.Orders) == 0 {
		return
	}
	last := map[string]queue.Order{}
	var ids []string
	for _, o := range r.c.Orders {
		if prev, ok := last[o.ID]; !ok {
			ids = append(ids, o.ID)
		} else if o.Body == nil {
			o.Body = prev.Body
		}
		last[o.ID] = o
	}
	for _, id := range ids {
		st.obey(last[id], r)
	}
}

func (st *stage) obey(o queue.Order, r *request) {
	at, row, _ := st.find(o.ID)
	switch o.Do {
	case queue.Discard:
		st.remove(at, row)
	case queue.Edit:
		st.otherBody(at, row.Seq, o.Body)
		st.s.x.Hold(at)
		st.changes = append(st.changes, change{slot: at, seq: row.Seq, kind: edited})
	case queue.Unpark:
		st.stand(at, row.Seq, standing{state: diskReady, attempts: row.Attempts})
		st.s.x.Hold(at)
		st.changes = append(st.changes, change{slot: at, seq: row.Seq, kind: unpark})
	case queue.Revive:
		st.revive(at, row, o)
	}
}

// revive stages a dead letter as a new job under the same ID: a job that goes
// to the tail of its key needs a new number.
func (st *stage) revive(at schedule.Slot, row schedule.Row, o queue.Order) {
	h, body := st.raised[o.ID].header, st.raised[o.ID].body
	if o.Body != nil {
		body = o.Body
	}
	st.remove(at, row)
	j := h.job
	j.Body, j.NotBefore = body, time.Time{}
	seq := st.s.counts.number(st.b)
	st.b.set(st.num(keyJob, seq), appendHeader(nil, &j, h.enqueued))
	marks := uint8(0)
	if len(body) > inline {
		marks = markBody
		st.b.body(st.num(keyBody, seq), sealBody(body))
	}
	x := st.s.x
	fresh := x.Add(schedule.Arrival{
		Seq: seq, Hash: x.Hash(j.ID), Lane: j.Lane, Key: j.Key, KeyHash: x.Hash(j.Key), Priority: j.Priority,
		State: queue.Ready, Marks: marks,
	})
	st.ids[fresh] = j.ID
	st.changes = append(st.changes, change{slot: fresh, seq: seq, kind: admit, job: newCached(&j, body, h.enqueued)})
}

// raised is a dead letter that is about to become a new job.
type raised struct {
	header header
	body   []byte
}

// raise reads a dead letter.
func (st *stage) raise(id string) error {
	s := st.s
	_, row, _ := st.find(id)
	raw, err := s.kv.get(numKey(keyJob, row.Seq))
	if err != nil {
		return s.reading(err)
	}
	h, err := readHeader(raw)
	if err != nil {
		return s.damaged(err, "job "+id)
	}
	body, err := s.body(row.Seq, row.Marks, h)
	st.raised[id] = raised{h, body}
	return err
}

// housekeeping stages what a Sweep found.
func (st *stage) housekeeping(r *request) {
	for _, key := range r.wipe {
		k, found, sure := st.s.commits.dedupe.get(key, r.seen)
		if !found && !sure {
			var err error
			if k, err = st.s.lookup(key); err != nil {
				continue // it was noted as damaged
			}
			found = true
		}
		if found && (k.id == "" || k.alive(r.now)) {
			continue // it was taken anew
		}
		st.b.del(st.text(keyDedupe, key))
		st.s.commits.dedupe.put(key, known{})
	}
	for _, key := range r.timed {
		v, found, sure := st.s.commits.values.get(key, r.seen)
		if !found && !sure {
			var err error
			if v, err = st.s.value(key); err != nil {
				continue
			}
			found = true
		}
		if found && (v.version == 0 || v.alive(r.now)) {
			continue
		}
		st.b.del(st.text(keyValue, key))
		st.s.commits.values.put(key, value{})
		st.puts = append(st.puts, key)
	}
	for _, c := range r.crashed {
		// The job may have gone or have a new number since.
		if row := st.s.x.At(c.slot); row.Seq == c.seq && c.seq != 0 && !st.s.x.Busy(c.slot) {
			st.b.set(st.num(keyCrashes, c.seq), appendNumber(nil, uint64(c.crashes)))
			st.s.x.Mark(c.slot, markCrashes)
		}
	}
}
