package embedded

import (
	"sync"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// committer gathers the commits that wait at one moment into one write.
//
// Two goroutines share the work. The first checks commits in the order of their
// arrival, writes them as one batch and hands it to the second, which waits for
// the disk, makes the changes visible to workers and answers the callers. While
// the second waits, the first gathers and writes the next batch.
type committer struct {
	mu      sync.Mutex
	waiting []*request
	work    chan struct{} // holds a signal while somebody waits
	inUse   sync.WaitGroup
	ended   bool
	fresh   map[string]chan struct{} // state keys that were written and are not durable yet

	// Only the first goroutine uses what follows.
	dedupe recent[known]
	values recent[value]
	spare  []*request
}

const (
	maxRequests = 1024    // of one batch
	maxBytes    = 8 << 20 // of one batch, more or less
)

// enter keeps the store open until leave. It returns false when it is closed.
func (c *committer) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.inUse.Add(1)
	return true
}

func (c *committer) leave() { c.inUse.Done() }

// submit hands a request over. Only who has entered may call it.
func (c *committer) submit(r *request) {
	c.mu.Lock()
	c.waiting = append(c.waiting, r)
	c.mu.Unlock()
	select {
	case c.work <- struct{}{}:
	default:
	}
}

// take returns what waits, nil when the store is closed.
func (c *committer) take() []*request {
	for range c.work {
		c.mu.Lock()
		out := c.waiting
		c.waiting, c.spare = c.spare[:0], nil
		c.mu.Unlock()
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// close lets nobody in any more, waits for those inside and ends the work.
func (c *committer) close() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.inUse.Wait()
	close(c.work)
}

// announce notes that state keys are about to be written.
func (c *committer) announce(keys []string) chan struct{} {
	if len(keys) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fresh == nil {
		c.fresh = map[string]chan struct{}{}
	}
	settled := make(chan struct{})
	for _, k := range keys {
		c.fresh[k] = settled
	}
	return settled
}

// confirm ends what announce began.
func (c *committer) confirm(w *written) {
	if w.settled == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range w.puts {
		if c.fresh[k] == w.settled {
			delete(c.fresh, k)
		}
	}
	close(w.settled)
}

// durable waits until what was read under a state key just now is durable.
func (c *committer) durable(key string) {
	c.mu.Lock()
	settled := c.fresh[key]
	c.mu.Unlock()
	if settled != nil {
		<-settled
	}
}

// change is the second half of one change.
type change struct {
	slot    schedule.Slot
	seq     uint64
	kind    changeKind
	verdict schedule.Verdict
	job     *cached // admit: goes to the cache
	body    []byte  // finish: the new body, nil for the old one
	hint    any
}

type changeKind uint8

const (
	admit changeKind = iota
	finish
	remove
	unpark
	edited
)

// written is a batch on its way to the disk.
type written struct {
	wait     func() error
	requests []*request
	changes  []change
	puts     []string
	settled  chan struct{} // closed once it is durable; nil without puts
	err      error
}

func (s *store) start() {
	s.commits.work = make(chan struct{}, 1)
	out := make(chan *written)
	s.running.Go(s.fillSieve)
	s.running.Go(func() {
		select {
		case <-s.fault.failed:
			s.opts.Logger.Error("the store has failed and takes nothing more", "dir", s.dir, "error", s.fault.get())
			s.x.Close(queue.ErrFailed)
		case <-s.over:
		}
	})
	s.running.Go(func() {
		defer close(out)
		s.gather(out)
	})
	s.running.Go(func() {
		for w := range out {
			s.publish(w)
		}
	})
}

// gather is the first half of the committer.
func (s *store) gather(out chan<- *written) {
	for {
		rs := s.commits.take()
		if rs == nil {
			return
		}
		all := rs
		for len(rs) > 0 {
			var w *written
			w, rs = s.write(rs)
			// This is taken once all that was sent before is visible. So a request
			// that depends on such a change (write returns an empty batch then) finds
			// it settled when it is tried again.
			out <- w
		}
		clear(all)
		s.commits.spare = all
	}
}

// write puts as many requests as it can into one batch and writes it. It
// returns those that have to wait for the next one.
func (s *store) write(rs []*request) (*written, []*request) {
	w := &written{}
	if s.fault.get() != nil {
		return &written{requests: append([]*request(nil), rs...), err: queue.ErrFailed}, nil
	}
	room := s.room()
	st := newStage(s, room)
	s.x.Lock()
	n := 0
	for n < len(rs) && n < maxRequests && st.b.size() < maxBytes {
		if !st.add(rs[n]) {
			break
		}
		n++
	}
	s.x.Unlock()
	if n == 0 {
		// The first one has to wait. Nothing was staged, so nothing is written.
		if err := st.discard(); err != nil {
			s.fault.set(err)
		}
		return w, rs
	}
	w.requests = append([]*request(nil), rs[:n]...)
	w.changes, w.puts = st.changes, st.puts
	st.finish()
	w.settled = s.commits.announce(w.puts)
	w.wait, w.err = s.kv.write(st.b)
	if w.err != nil {
		s.fault.set(w.err)
		w.err = queue.ErrFailed
	}
	s.visible.Add(1)
	s.commits.dedupe.next()
	s.commits.values.next()
	return w, rs[n:]
}

// publish is the second half of the committer.
func (s *store) publish(w *written) {
	if w.wait != nil {
		if err := w.wait(); err != nil && w.err == nil {
			s.fault.set(err)
			w.err = queue.ErrFailed
		}
	}
	if w.err == nil {
		s.settle(w)
	}
	s.commits.confirm(w)
	for _, r := range w.requests {
		if w.err != nil && r.err == nil {
			r.err = w.err
		}
		close(r.done)
	}
}

// settle makes the changes of a durable batch visible.
func (s *store) settle(w *written) {
	for i := range w.changes {
		if c := &w.changes[i]; c.kind == admit && c.job != nil {
			s.cache.put(c.seq, c.job)
		}
	}
	var gone []uint64
	s.x.Lock()
	for i := range w.changes {
		c := &w.changes[i]
		switch c.kind {
		case admit:
			s.x.Admit(c.slot)
		case finish:
			if s.refresh(c) {
				gone = append(gone, c.seq)
			}
			s.x.Finish(c.slot, c.verdict, w.requests[0].now)
		case remove:
			s.x.Remove(c.slot)
			gone = append(gone, c.seq)
		case unpark:
			s.x.Unpark(c.slot)
		case edited:
			s.x.Unhold(c.slot)
			gone = append(gone, c.seq)
		}
	}
	s.x.Unlock()
	s.cache.drop(gone...)
	for _, key := range w.puts {
		s.wake.Notify(key)
	}
}

// refresh brings the cache and the leases file up to date before a Finish. It
// tells whether the job may leave the cache.
func (s *store) refresh(c *change) (gone bool) {
	out := c.verdict.Outcome
	if out != queue.Keep {
		s.noteEnd(c.seq, out == queue.Done)
	}
	if out == queue.Done || out == queue.Dead || out == queue.Park {
		return true
	}
	if c.body == nil && c.hint == nil {
		return false
	}
	old := s.cache.get(c.seq)
	if old == nil {
		return false
	}
	fresh := *old
	if c.body != nil {
		fresh.body = c.body
	}
	fresh.hint = c.hint
	s.cache.put(c.seq, &fresh)
	return false
}

// recent knows what the last batches wrote, for requests that were looked up
// before those batches were visible.
type recent[V any] struct {
	now, before map[string]V
	floor, n    uint64 // batches up to floor are not known any more; n were written
	cut         uint64 // where now began
}

// get returns what a recent batch wrote under a key. known is false when seen
// is too long ago to tell.
func (r *recent[V]) get(key string, seen uint64) (v V, found, known bool) {
	if v, found = r.now[key]; found {
		return v, true, true
	}
	if v, found = r.before[key]; found {
		return v, true, true
	}
	return v, false, seen >= r.floor
}

func (r *recent[V]) put(key string, v V) {
	if r.now == nil {
		r.now = map[string]V{}
	}
	r.now[key] = v
}

// next ends a batch.
func (r *recent[V]) next() {
	r.n++
	if r.n-r.cut >= 64 {
		r.floor, r.cut = r.cut, r.n
		r.before, r.now = r.now, map[string]V{}
	}
}
