package connectortest

import (
	"bytes"
	"context"
	"sync"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// State is a place in memory where sources remember. It can be made to fail.
type State struct {
	mu   sync.Mutex
	kept map[string][]byte
	fail error
	log  []string
}

// NewState returns an empty State.
func NewState() *State { return &State{kept: map[string][]byte{}} }

// Load implements connectors.State.
func (s *State) Load(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.kept[key]), s.fail
}

// Save implements connectors.State.
func (s *State) Save(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.log = append(s.log, key)
	if value == nil {
		delete(s.kept, key)
		return nil
	}
	s.kept[key] = bytes.Clone(value)
	return nil
}

// Fail makes every call fail with err; nil heals.
func (s *State) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Keys returns the keys that have a value.
func (s *State) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for k := range s.kept {
		keys = append(keys, k)
	}
	return keys
}

// Queue is a Channel in memory. Like the engine's it knows messages by their
// ID.
type Queue struct {
	// Judge, where set, decides about each call before anything is taken.
	Judge func(m []message.Message) error

	mu    sync.Mutex
	taken []message.Message
	ids   map[string]bool
	calls int
}

// Send implements connectors.Channel.
func (q *Queue) Send(ctx context.Context, m ...message.Message) ([]connectors.Receipt, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if q.Judge != nil {
		if err := q.Judge(m); err != nil {
			return nil, err
		}
	}
	if q.ids == nil {
		q.ids = map[string]bool{}
	}
	receipts := make([]connectors.Receipt, len(m))
	for i, one := range m {
		receipts[i].IDs = []string{one.ID}
		if one.ID != "" && q.ids[one.ID] {
			receipts[i].Duplicate = true
			continue
		}
		q.ids[one.ID] = true
		q.taken = append(q.taken, one)
	}
	return receipts, nil
}

// Taken returns the messages taken so far, each once.
func (q *Queue) Taken() []message.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]message.Message(nil), q.taken...)
}

// Raws returns the raw bytes of the messages taken so far.
func (q *Queue) Raws() []string {
	var all []string
	for _, m := range q.Taken() {
		all = append(all, string(m.Raw))
	}
	return all
}

// Calls returns how often Send was called.
func (q *Queue) Calls() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.calls
}
