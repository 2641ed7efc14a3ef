package rig

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"time"

	"crossdock/bench/load"
)

// Target takes what crossdock sends. Each path may take its time, or hang.
type Target struct {
	Addr string

	ledger   *Ledger
	listener net.Listener
	served   chan struct{}

	mu    sync.Mutex
	slow  map[string]time.Duration
	hangs map[string]chan struct{}
}

func newTarget(ledger *Ledger) (*Target, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	t := &Target{Addr: l.Addr().String(), ledger: ledger, listener: l, served: make(chan struct{}), slow: map[string]time.Duration{}, hangs: map[string]chan struct{}{}}
	go func() { // joined by Close
		defer close(t.served)
		if err := load.Serve(l, t.answer); err != nil {
			panic(err) // the verdict would blame crossdock for it
		}
	}()
	return t, nil
}

// Close lets everything go that hangs and takes nothing any more.
func (t *Target) Close() {
	t.mu.Lock()
	for path, held := range t.hangs {
		close(held)
		delete(t.hangs, path)
	}
	t.mu.Unlock()
	_ = t.listener.Close()
	<-t.served
}

// Slow makes a path take its time for each request.
func (t *Target) Slow(path string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slow[path] = d
}

// Hang makes a path take requests and neither act on nor answer them, until heal
// is called; then their connections end.
func (t *Target) Hang(path string) (heal func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held := make(chan struct{})
	t.hangs[path] = held
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.hangs[path] == held {
			delete(t.hangs, path)
			close(held)
		}
	}
}

var created = []byte("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

func (t *Target) answer(head, body []byte) []byte {
	_, rest, _ := bytes.Cut(head, []byte(" "))
	path, _, _ := bytes.Cut(rest, []byte(" "))
	t.mu.Lock()
	slow, held := t.slow[string(path)], t.hangs[string(path)]
	t.mu.Unlock()
	if held != nil {
		<-held
		return nil
	}
	done := t.ledger.arrived(body)
	if slow > 0 {
		time.Sleep(slow) // as a real target does
	}
	done()
	return created
}
