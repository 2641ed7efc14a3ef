package embedded

import (
	"fmt"
	"sync"

	"crossdock/runtime/queue"
)

// failure remembers why the store may not be written any more, and which
// records were found damaged.
type failure struct {
	mu     sync.Mutex
	err    error
	damage []string
	seen   map[string]bool
	failed chan struct{} // closed when the store fails
}

// set fails the store for good. Only the first reason is kept.
func (f *failure) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
		close(f.failed)
	}
}

func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// note remembers something that was found damaged.
func (f *failure) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	if !f.seen[what] && len(f.damage) < 1000 {
		f.seen[what] = true
		f.damage = append(f.damage, what)
	}
}

// findings are what Check tells.
func (f *failure) findings() []queue.Finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []queue.Finding
	if f.err != nil {
		out = append(out, queue.Finding{
			Fatal:   true,
			Message: fmt.Sprintf("the store has failed and takes nothing more: %v", f.err),
			Hint:    "check the disk, then start the process again; what was acknowledged is on disk",
		})
	}
	for _, d := range f.damage {
		out = append(out, queue.Finding{
			Message: d,
			Hint:    "the record is kept as it is and takes no part in the work; restore it from a backup or ask the sender to send again",
		})
	}
	return out
}
