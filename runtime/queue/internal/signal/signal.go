// Package signal tells watchers of a name that something happened to it. A
// watcher that has not looked yet is told once, however often it happened.
package signal

import (
	"context"
	"sync"
)

// Board is a set of watchers by name. The zero Board is ready. All methods may
// be called concurrently.
type Board struct {
	mu     sync.Mutex
	by     map[string]map[chan struct{}]func() bool
	closed bool
}

// Watch returns a channel that receives after each Notify of name. It is closed
// when ctx ends or the Board is closed.
func (b *Board) Watch(ctx context.Context, name string) <-chan struct{} {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(c)
		return c
	}
	if b.by == nil {
		b.by = map[string]map[chan struct{}]func() bool{}
	}
	if b.by[name] == nil {
		b.by[name] = map[chan struct{}]func() bool{}
	}
	b.by[name][c] = context.AfterFunc(ctx, func() { b.quit(name, c) })
	return c
}

func (b *Board) quit(name string, c chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.by[name][c]; !ok {
		return
	}
	delete(b.by[name], c)
	if len(b.by[name]) == 0 {
		delete(b.by, name)
	}
	close(c)
}

// Notify signals to the watchers of name. It never blocks.
func (b *Board) Notify(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.by[name] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Names lists what is watched.
func (b *Board) Names() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]string, 0, len(b.by))
	for name := range b.by {
		out = append(out, name)
	}
	return out
}

// Close closes all channels.
func (b *Board) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, watchers := range b.by {
		for c, stop := range watchers {
			stop()
			close(c)
		}
	}
	b.by = nil
}
