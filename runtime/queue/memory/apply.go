package memory

import (
	"context"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// Apply implements queue.Driver. All checks come before the first change.
func (s *store) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.check(c); err != nil {
		return nil, err
	}
	now := time.Now()
	for _, o := range c.Orders {
		s.obey(o)
	}
	for _, id := range c.Cancel {
		if at := s.find(id); at != 0 && s.x.At(at).State != queue.Leased {
			s.remove(at)
		}
	}
	for _, f := range c.Finish {
		s.finish(f, now)
	}
	for _, p := range c.Put {
		s.put(p, now)
	}
	for _, e := range c.History {
		s.history.add(e, now)
	}
	if len(c.Jobs) == 0 {
		return nil, nil
	}
	out := make([]queue.Result, len(c.Jobs))
	for i, j := range c.Jobs {
		out[i] = s.enqueue(j, now)
	}
	return out, nil
}

func (s *store) check(c queue.Commit) error {
	ended := map[uint64]bool{}
	for _, f := range c.Finish {
		at := schedule.Slot(f.Lease.Slot)
		if ended[f.Lease.Epoch] || !s.x.Holds(at, f.Lease.Epoch) || s.jobs[at].ID != f.Lease.ID {
			return queue.ErrLeaseLost
		}
		ended[f.Lease.Epoch] = f.Outcome != queue.Keep
	}
	versions := map[string]int64{}
	for _, p := range c.Put {
		v, seen := versions[p.Key]
		if !seen {
			have, _ := s.value(p.Key)
			v = have.Version
		}
		if p.Version != queue.AnyVersion && p.Version != v {
			return queue.ErrVersion
		}
		if versions[p.Key] = v + 1; p.Value == nil {
			versions[p.Key] = 0
		}
	}
	states := map[string]queue.State{}
	for _, o := range c.Orders {
		st, seen := states[o.ID]
		if at := s.find(o.ID); !seen && at != 0 {
			st = s.x.At(at).State
		}
		next, ok := after(o.Do, st)
		if !ok {
			return queue.ErrNotFound
		}
		states[o.ID] = next
	}
	return nil
}

// after tells what an order makes of a job in a state, "" for gone, and whether
// the order may be given.
func after(do queue.Do, st queue.State) (next queue.State, ok bool) {
	switch do {
	case queue.Revive:
		return queue.Ready, st == queue.DeadJob
	case queue.Discard:
		return "", st == queue.DeadJob || st == queue.Parked
	case queue.Edit:
		return st, st == queue.DeadJob
	case queue.Unpark:
		return queue.Ready, st == queue.Parked || st == queue.Delayed
	}
	return "", false
}

func (s *store) remove(at schedule.Slot) {
	delete(s.jobs, at)
	s.x.Remove(at)
}

func (s *store) obey(o queue.Order) {
	at := s.find(o.ID)
	r := s.jobs[at]
	if o.Body != nil && (o.Do == queue.Revive || o.Do == queue.Edit) {
		r.Body, r.Hint = o.Body, nil
	}
	switch o.Do {
	case queue.Revive:
		s.remove(at)
		r.NotBefore = time.Time{}
		s.admit(r, queue.Ready)
	case queue.Discard:
		s.remove(at)
	case queue.Unpark:
		s.x.Unpark(at)
	}
}

func (s *store) admit(r *record, st queue.State) {
	s.seq++
	at := s.x.Add(schedule.Arrival{
		Seq: s.seq, Hash: s.x.Hash(r.ID), Lane: r.Lane, Key: r.Key, KeyHash: s.x.Hash(r.Key),
		Priority: r.Priority, State: st, Due: r.NotBefore,
	})
	s.jobs[at] = r
	s.x.Admit(at)
}

func (s *store) finish(f queue.Finish, now time.Time) {
	at := schedule.Slot(f.Lease.Slot)
	r := s.jobs[at]
	v := schedule.Verdict{Outcome: f.Outcome, At: f.At, Attempts: f.Attempts}
	switch f.Outcome {
	case queue.Done:
		delete(s.jobs, at)
	case queue.Keep, queue.Retry:
		if f.Hint != nil || f.Body != nil {
			r.Hint = f.Hint
		}
	case queue.Park:
		v.Note = f.Reason
		r.reason = f.Reason
	case queue.Dead:
		v.Note, v.At = f.Box, now
		r.reason, r.group = f.Reason, f.Group
	}
	if f.Body != nil && f.Outcome != queue.Done && f.Outcome != queue.Release {
		r.Body = f.Body
		if f.Hint == nil {
			r.Hint = nil
		}
	}
	s.x.Finish(at, v, now)
}

func (s *store) put(p queue.Put, now time.Time) {
	have, _ := s.value(p.Key)
	if p.Value == nil {
		delete(s.state, p.Key)
	} else {
		v := value{Value: queue.Value{Key: p.Key, Version: have.Version + 1, Data: p.Value}}
		if p.TTL > 0 {
			v.expires = now.Add(p.TTL)
			s.ending.push(v.expires, p.Key, true)
		}
		s.state[p.Key] = v
	}
	s.wake.Notify(p.Key)
}

func (s *store) enqueue(j queue.Job, now time.Time) queue.Result {
	if s.find(j.ID) != 0 {
		return queue.Result{ID: j.ID}
	}
	if j.Dedupe != "" {
		k, ok := s.dedupe[j.Dedupe]
		if ok && (k.expires.IsZero() || k.expires.After(now)) {
			return s.again(j, k, now)
		}
		k = known{id: j.ID, digest: j.Digest}
		if j.DedupeTTL > 0 {
			k.expires = now.Add(j.DedupeTTL)
			s.ending.push(k.expires, j.Dedupe, false)
		}
		s.dedupe[j.Dedupe] = k
	}
	for _, e := range j.Fresh {
		s.history.add(e, now)
	}
	st := queue.Ready
	if j.NotBefore.After(now) {
		st = queue.Delayed
	}
	s.admit(&record{Job: j, enqueued: now}, st)
	return queue.Result{ID: j.ID}
}

// again answers a job whose idempotency key is known.
func (s *store) again(j queue.Job, k known, now time.Time) queue.Result {
	if k.id == j.ID {
		return queue.Result{ID: j.ID}
	}
	out, kind := queue.Result{Status: queue.Duplicate, ID: k.id}, queue.Duplicated
	if k.digest != j.Digest {
		out.Status, kind = queue.Conflict, queue.Conflicted
	}
	for _, e := range j.Again {
		e.Kind = kind
		s.history.add(e, now)
	}
	return out
}
