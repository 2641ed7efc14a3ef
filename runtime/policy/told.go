package policy

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"crossdock/runtime/mutant"
	"crossdock/runtime/queue"
)

const (
	// hearEvery is how often the store is asked what other replicas know.
	hearEvery = 500 * time.Millisecond
	// hearOld is how old what is known of them may be before all calls wait for
	// the answer of the one that asks.
	hearOld = 2 * hearEvery
	// hearMost is how long a call waits for that; a store that is slow or away
	// leaves each replica with what it found out itself.
	hearMost = 250 * time.Millisecond
	// tellMost bounds telling the others.
	tellMost = 2 * time.Second
	// headStart is how much later than the replica that was refused the others
	// try: mostly they hear before that it works again.
	headStart = time.Second
	// adoptedRest is how long messages wait behind a pause of another replica.
	adoptedRest = 2 * time.Second
)

// told is what the replicas on one store tell each other about the operations of
// a connection: for how long they are cut off, or asked for a pause, and that
// they work again. It is advice: whoever does not hear it finds out by a call.
// How long is told by how long the store keeps the notice, less noticeSlack, so
// the clocks of the replicas may disagree.
type told struct {
	store Store
	keys  []string // of the operations, in the order of ops
	ops   []string

	mu     sync.Mutex
	looked time.Time         // when the store was asked
	heard  time.Time         // when it had answered, or had not in time
	asking chan struct{}     // closed then; nil while nobody asks
	known  map[string]notice // what was last heard or said, by operation
}

// notice is what was said about one operation.
type notice struct {
	ID    string    `json:"id"`
	Cause string    `json:"cause,omitempty"` // open or throttled; "" = it works again
	until time.Time // the pause lasts, by the clock of this process
}

// noticeSlack is how long the store keeps a notice beyond what it says.
const noticeSlack = time.Minute

func newTold(store Store, connection string, ops []string) *told {
	t := &told{store: store, ops: ops, known: map[string]notice{}}
	for _, op := range ops {
		t.keys = append(t.keys, "circuit/"+connection+"."+op)
	}
	return t
}

// hear takes over what other replicas have found out. It asks the store now and
// then only, and not for long. Of calls that come together after a rest one asks
// and the others wait for it: they would pass what the answer holds back.
func (t *told) hear(ctx context.Context, now time.Time, circuits map[string]*Circuit) {
	if t == nil || len(t.keys) == 0 || mutant.On(mutant.Deaf) {
		return
	}
	t.mu.Lock()
	if now.Sub(t.looked) < hearEvery {
		asking := t.asking
		old := now.Sub(t.heard) > hearOld
		t.mu.Unlock()
		if asking != nil && old {
			select {
			case <-asking:
			case <-ctx.Done():
			}
		}
		return
	}
	asking := make(chan struct{})
	t.looked, t.asking = now, asking
	t.mu.Unlock()
	values := t.ask(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = time.Now()
	for i, v := range values {
		n, ok := read(v, t.heard)
		if !ok || n.ID == t.known[t.ops[i]].ID {
			continue
		}
		t.known[t.ops[i]] = n
		if n.Cause == "" {
			circuits[t.ops[i]].forgive()
		} else if t.heard.Before(n.until) {
			circuits[t.ops[i]].adopt(t.heard, n.Cause, n.until.Add(headStart))
		}
	}
	if t.asking == asking {
		t.asking = nil
	}
	close(asking)
}

// ask returns what the store knows of the operations; nothing where it does not
// answer in time.
func (t *told) ask(ctx context.Context) []queue.Value {
	ctx, cancel := context.WithTimeout(ctx, hearMost)
	defer cancel()
	values, err := t.store.Get(ctx, t.keys...)
	if err != nil {
		return nil
	}
	return values
}

// read reads a notice that the store returned at now.
func read(v queue.Value, now time.Time) (n notice, ok bool) {
	ok = v.Version > 0 && json.Unmarshal(v.Data, &n) == nil && (n.Cause == "" || n.Cause == open || n.Cause == throttled)
	n.until = now.Add(v.Left - noticeSlack)
	return n, ok
}

// tell tells the others what a call has changed about an operation, if it has.
// It does not wait.
func (t *told) tell(op string, c *Circuit, recovers bool) {
	if t == nil {
		return
	}
	var n notice
	if !recovers {
		if n.Cause, n.until = c.found(); n.Cause == "" {
			return
		}
	}
	t.mu.Lock()
	before, was := t.known[op]
	if was && before.Cause == n.Cause && before.until.Equal(n.until) || recovers && !was {
		t.mu.Unlock()
		return
	}
	n.ID = rand.Text()
	t.known[op] = n
	t.mu.Unlock()
	go t.write(op, n)
}

// write puts a notice into the store, unless a longer pause stands there.
func (t *told) write(op string, n notice) {
	ctx, cancel := context.WithTimeout(context.Background(), tellMost)
	defer cancel()
	data, err := json.Marshal(n)
	if err != nil {
		return
	}
	var key string
	for i, o := range t.ops {
		if o == op {
			key = t.keys[i]
		}
	}
	for range 5 {
		values, err := t.store.Get(ctx, key)
		if err != nil {
			return
		}
		if had, ok := read(values[0], time.Now()); ok && had.Cause != "" && n.Cause != "" && had.until.After(n.until) {
			return
		}
		_, err = t.store.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: key, Version: values[0].Version, Value: data, TTL: max(time.Until(n.until), 0) + noticeSlack}}})
		if !errors.Is(err, queue.ErrVersion) {
			return
		}
	}
}
