package worker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// gatherer takes many requests at once. say gives the answer for a number.
type gatherer struct {
	mu    sync.Mutex
	calls []int          // requests of each DeliverAll
	alone int            // calls of Deliver
	took  map[string]int // successes by number
	say   func(n string, attempt int) error
}

func (g *gatherer) Close() error { return nil }

func (g *gatherer) Gathers(operation string) bool { return operation != "look" }

func (g *gatherer) one(r connectors.Request) connectors.Answer {
	n := fmt.Sprint(r.Body.(map[string]any)["n"])
	if err := g.say(n, r.Attempt); err != nil {
		return connectors.Answer{Err: err}
	}
	g.took[n]++
	return connectors.Answer{Response: connectors.Response{Status: 200}}
}

func (g *gatherer) Deliver(_ context.Context, r connectors.Request) (connectors.Response, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alone++
	a := g.one(r)
	return a.Response, a.Err
}

func (g *gatherer) DeliverAll(_ context.Context, rs []connectors.Request) []connectors.Answer {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, len(rs))
	out := make([]connectors.Answer, len(rs))
	for i, r := range rs {
		out[i] = g.one(r)
	}
	return out
}

// fussy refuses commits that end several leases.
type fussy struct {
	queue.Driver
	err     error
	applies bool // the commit is written all the same
	refused int
}

func (f *fussy) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	if len(c.Finish) < 2 || f.err == nil {
		return f.Driver.Apply(ctx, c)
	}
	f.refused++
	if f.applies {
		if _, err := f.Driver.Apply(ctx, c); err != nil {
			return nil, err
		}
	}
	return nil, f.err
}

// together has ten messages worked on that wait when the worker starts, and
// returns how they ended, by word.
func together(t *testing.T, steps string, g *gatherer, d queue.Driver) string {
	t.Helper()
	ws := load(t, map[string]string{
		"crossdock.yaml":    "crossdock: 1\ndefaults: {policy: p}\npolicies:\n  p: {retry: {attempts: 3, wait: 1s, grow: 1, jitter: 0, on: [timeout, connection]}}\n",
		"t.connection.yaml": "connection: t\ntype: log\noperations:\n" + operations,
		"p.pipeline.yaml":   "pipeline: p\ntrigger: {http: {path: /p, verify: none}}\nkey: [.n]\nwhen: data.n != 6\nsteps:\n" + steps,
	})
	g.took = map[string]int{}
	w := newWorker(ws, d, g, worker.Options{Random: func() float64 { return 0 }})
	for n := range 10 {
		m := message.Message{Raw: fmt.Appendf(nil, `{"n":%d}`, n), Meta: message.Meta{Source: "http", ReceivedAt: time.Now()}}
		if _, err := w.Channel("p", true).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	b, err := journal.ReadBalance(t.Context(), d, "")
	if err != nil || b.Unaccounted != 0 || b.Open != 0 {
		t.Errorf("balance %+v, %v", b, err)
	}
	page, err := d.Browse(t.Context(), queue.Query{View: queue.Counters})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, c := range page.Counts {
		words = append(words, fmt.Sprintf("%s %d", c.Kind, c.N))
	}
	return strings.Join(words, ", ")
}

func TestMessagesGoTogether(t *testing.T) {
	fine := func(string, int) error { return nil }
	tests := []struct {
		name, steps string
		say         func(n string, attempt int) error
		refuse      *fussy
		calls       []int // requests of each DeliverAll
		alone       int
		words       string
		took        int // successes in all
	}{
		{name: "all end", steps: "  - {send: t.safe}\n", say: fine, calls: []int{9}, took: 9,
			words: "accepted 10, delivered 9, filtered 1"},
		{name: "some fail, and are tried again alone", steps: "  - {send: t.keyed}\n", calls: []int{9}, alone: 4, took: 8,
			say: func(n string, attempt int) error {
				switch {
				case n == "3" && attempt == 1, n == "5":
					return connectors.NotSent(errors.New("no room"))
				case n == "7" && attempt == 1:
					return timeout
				}
				return nil
			},
			words: "accepted 10, dead 1, delivered 8, failed 4, filtered 1"},
		{name: "several effects", steps: "  - {send: t.safe}\n  - {send: t.look}\n", say: fine, calls: []int{9}, alone: 9, took: 18,
			words: "accepted 10, delivered 9, filtered 1, sent 9"},
		{name: "what may not be repeated goes alone", steps: "  - {send: t.never}\n", say: fine, alone: 9, took: 9,
			words: "accepted 10, delivered 9, filtered 1"},
		{name: "one panics", steps: "  - {send: t.safe}\n", calls: []int{9}, alone: 9, took: 12, // 0 to 3 were taken before
			say: func(n string, _ int) error {
				if n == "4" {
					panic("four")
				}
				return nil
			},
			words: "accepted 10, dead 1, delivered 8, filtered 1"},
		{name: "a lease is lost", steps: "  - {send: t.safe}\n", say: fine, refuse: &fussy{err: queue.ErrLeaseLost}, calls: []int{9}, took: 9,
			words: "accepted 10, delivered 9, filtered 1"},
		{name: "the store does not answer", steps: "  - {send: t.safe}\n", say: fine, refuse: &fussy{err: errors.New("no answer"), applies: true},
			calls: []int{9}, took: 9, words: "accepted 10, delivered 9, filtered 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := memory.Open(memory.Options{})
				defer d.Close()
				g := &gatherer{say: tt.say}
				if tt.refuse != nil {
					tt.refuse.Driver, d = d, tt.refuse
				}
				if words := together(t, tt.steps, g, d); words != tt.words {
					t.Errorf("got  %s\nwant %s", words, tt.words)
				}
				took := 0
				for n := range maps.Values(g.took) {
					took += n
				}
				if !slices.Equal(g.calls, tt.calls) || g.alone != tt.alone || took != tt.took {
					t.Errorf("calls for %v, %d alone, %d successes; want %v, %d, %d", g.calls, g.alone, took, tt.calls, tt.alone, tt.took)
				}
				if tt.refuse != nil && tt.refuse.refused != 1 {
					t.Errorf("%d commits were refused", tt.refuse.refused)
				}
			})
		})
	}
}
