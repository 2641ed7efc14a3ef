package lsp

import (
	"bytes"
	"encoding/json"
	"sync"
)

// incoming is a message with what became of it while it waited.
type incoming struct {
	message
	err       error // instead of a message
	cancelled bool
}

// queue holds messages until their turn.
type queue struct {
	mu      sync.Mutex
	waiting []incoming
	more    chan struct{} // something is there
	stopped bool
}

func newQueue() *queue { return &queue{more: make(chan struct{}, 1)} }

// fill reads messages until the stream ends or exit has come.
func (q *queue) fill(c *conn) {
	for {
		m, err := c.read()
		q.add(incoming{message: m, err: err})
		if _, one := err.(*Error); err != nil && !one || m.Method == "exit" {
			return
		}
	}
}

func (q *queue) add(m incoming) {
	q.mu.Lock()
	if m.Method == "$/cancelRequest" {
		q.cancel(m.Params)
	}
	q.waiting = append(q.waiting, m)
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// cancel marks a request that still waits.
func (q *queue) cancel(params json.RawMessage) {
	var p struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(params, &p) != nil || len(p.ID) == 0 {
		return
	}
	for i := range q.waiting {
		if bytes.Equal(q.waiting[i].ID, p.ID) && q.waiting[i].Method != "" {
			q.waiting[i].cancelled = true
		}
	}
}

// stop ends the session as if the stream had ended.
func (q *queue) stop() {
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.wake()
}

// take returns the next message. Where none waits it reports false if there is
// something else to do, and waits otherwise.
func (q *queue) take(busy func() bool) (incoming, bool) {
	for {
		q.mu.Lock()
		if q.stopped {
			q.mu.Unlock()
			return incoming{err: errStopped}, true
		}
		if len(q.waiting) > 0 {
			m := q.waiting[0]
			q.waiting = q.waiting[1:]
			q.mu.Unlock()
			return m, true
		}
		q.mu.Unlock()
		if busy() {
			return incoming{}, false
		}
		<-q.more
	}
}
