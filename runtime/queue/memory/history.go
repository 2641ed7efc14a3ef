package memory

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/internal/ledger"
	"crossdock/runtime/queue/schedule"
)

// history holds the entries in the order of the log.
type history struct {
	seq      uint64
	lines    []ledger.Line
	families map[string][]ledger.Line
	refs     map[queue.Ref]map[string]bool // to roots; also under Type ""
	counts   map[queue.Count]int64         // by Pipeline and Kind, N is 0
}

func newHistory() history {
	return history{
		families: map[string][]ledger.Line{},
		refs:     map[queue.Ref]map[string]bool{},
		counts:   map[queue.Count]int64{},
	}
}

func (h *history) add(e queue.Entry, now time.Time) {
	if e.At.IsZero() {
		e.At = now
	}
	h.counts[queue.Count{Pipeline: e.Pipeline, Kind: e.Kind}]++
	h.seq++
	l := ledger.Line{Seq: h.seq, Entry: e}
	h.lines = append(h.lines, l)
	root := queue.Root(e.Message)
	h.families[root] = append(h.families[root], l)
	for _, r := range e.Refs {
		for _, ref := range []queue.Ref{r, {Value: r.Value}} {
			if h.refs[ref] == nil {
				h.refs[ref] = map[string]bool{}
			}
			h.refs[ref][root] = true
		}
	}
}

// forget drops what was written before a time. It stops at the first entry of
// the log that is younger.
func (h *history) forget(before time.Time) {
	n := 0
	for n < len(h.lines) && h.lines[n].At.Before(before) {
		h.drop(h.lines[n])
		n++
	}
	h.lines = slices.Delete(h.lines, 0, n)
}

func (h *history) drop(l ledger.Line) {
	root := queue.Root(l.Message)
	left := slices.DeleteFunc(h.families[root], func(o ledger.Line) bool { return o.Seq == l.Seq })
	h.families[root] = left
	if len(left) == 0 {
		delete(h.families, root)
	}
	for _, r := range l.Refs {
		for _, q := range []queue.Ref{r, {Value: r.Value}} {
			still := slices.ContainsFunc(left, func(o ledger.Line) bool {
				return ledger.HasRef(queue.Query{Ref: q}, o.Entry)
			})
			if still {
				continue
			}
			if delete(h.refs[q], root); len(h.refs[q]) == 0 {
				delete(h.refs, q)
			}
		}
	}
}

func (h *history) browse(q queue.Query) (queue.Page, error) {
	switch q.View {
	case queue.ByMsg:
		return ledger.ByTime(slices.Clone(h.families[queue.Root(q.ID)]), q)
	case queue.ByRef:
		var lines []ledger.Line
		for root := range h.refs[q.Ref] {
			lines = append(lines, h.families[root]...)
		}
		return ledger.ByTime(lines, q)
	case queue.Recent:
		return h.recent(q)
	}
	var p queue.Page
	for c, n := range h.counts {
		p.Counts = append(p.Counts, queue.Count{Pipeline: c.Pipeline, Kind: c.Kind, N: n})
	}
	slices.SortFunc(p.Counts, func(a, b queue.Count) int {
		return cmp.Or(cmp.Compare(a.Pipeline, b.Pipeline), cmp.Compare(a.Kind, b.Kind))
	})
	return p, nil
}

func (h *history) recent(q queue.Query) (queue.Page, error) {
	after, err := ledger.After(q)
	if err != nil {
		return queue.Page{}, err
	}
	lines := h.lines
	if after != 0 {
		end, _ := slices.BinarySearchFunc(lines, after, func(l ledger.Line, seq uint64) int { return cmp.Compare(l.Seq, seq) })
		lines = lines[:end]
	}
	page := ledger.NewNewest(q)
	for _, l := range slices.Backward(lines) {
		if !page.Look(l) {
			break
		}
	}
	return page.Page, nil
}

func (s *store) browseJobs(q queue.Query) (queue.Page, error) {
	var p queue.Page
	if q.View == queue.Lanes {
		p.Lanes = s.x.Stats(q.Lane, func(r schedule.Row) time.Time { return s.jobs[r.Slot].enqueued })
		return p, nil
	}
	after, err := ledger.After(q)
	if err != nil {
		return p, err
	}
	rows := s.x.Rows(q.Lane, q.State, q.Box, after, ledger.Limit(q)+1)
	if len(rows) > ledger.Limit(q) {
		rows = rows[:ledger.Limit(q)]
		p.Next = ledger.Cursor(rows[len(rows)-1].Seq)
	}
	s.x.Lock()
	defer s.x.Unlock()
	for _, r := range rows {
		// A job may have gone since the rows were listed.
		if s.jobs[r.Slot] != nil && s.x.At(r.Slot).Seq == r.Seq {
			p.Jobs = append(p.Jobs, s.info(r, q.Bodies))
		}
	}
	return p, nil
}

func (s *store) info(r schedule.Row, body bool) queue.JobInfo {
	rec := s.jobs[r.Slot]
	i := queue.JobInfo{
		ID: rec.ID, Lane: rec.Lane, Key: rec.Key, State: r.State, Priority: r.Priority, Enqueued: rec.enqueued,
		Attempts: r.Attempts, Crashes: r.Crashes,
	}
	switch r.State {
	case queue.Delayed:
		i.Due = r.Due
	case queue.Parked:
		i.Due, i.Reason = r.Due, r.Note
	case queue.DeadJob:
		i.DeadAt, i.Box, i.Reason, i.Group = r.Due, r.Note, rec.reason, rec.group
	}
	if body {
		i.Body = rec.Body
	}
	return i
}

// expiries is what has a time to live, soonest first.
type expiries struct{ h expiryHeap }

type expiry struct {
	at    time.Time
	key   string
	state bool // a state key, else an idempotency key
}

func (e *expiries) push(at time.Time, key string, state bool) {
	heap.Push(&e.h, expiry{at, key, state})
}

// pop returns the next key whose time is over at now.
func (e *expiries) pop(now time.Time) (key string, state, ok bool) {
	if len(e.h) == 0 || e.h[0].at.After(now) {
		return "", false, false
	}
	x := heap.Pop(&e.h).(expiry)
	return x.key, x.state, true
}

type expiryHeap []expiry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h expiryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *expiryHeap) Push(x any)        { *h = append(*h, x.(expiry)) }
func (h *expiryHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
