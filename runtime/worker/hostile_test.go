package worker_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
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

// forgetful is a store that hands back no hints, as after a restart.
type forgetful struct{ queue.Driver }

// Lease implements queue.Driver.
func (f forgetful) Lease(ctx context.Context, w queue.Want) ([]queue.Lease, error) {
	leases, err := f.Driver.Lease(ctx, w)
	for i := range leases {
		leases[i].Hint = nil
	}
	return leases, err
}

// TestFormatsSurviveARestart: what did not come as JSON is read the same way
// by a process that has only the bytes, also on the lanes of branches.
func TestFormatsSurviveARestart(t *testing.T) {
	for _, c := range []struct{ format, body, want string }{
		{"form", "n=7&k=a", `{"k":"a","n":"7"}`},
		{"text", "123", `"123"`},
	} {
		t.Run(c.format, func(t *testing.T) {
			text := strings.Replace(pipeline("  - route: {pick: every, rules: [{name: a, when: \"true\", to: [{send: t.safe}]}, {name: b, when: \"true\", to: [{send: t.keyed}]}], otherwise: ignore}\n"),
				"verify: none", "verify: none, format: "+c.format, 1)
			text = strings.NewReplacer("key: [.n]", "key: [.]", "order_by: .k\n", "", "trace_by: {n: .n}\n", "").Replace(text)
			f := newFixture(t, operations, text, nil)
			f.driver = forgetful{f.driver}
			ws := f.worker.Live().WS
			f.worker = newWorker(ws, f.driver, sink(f.deliver), worker.Options{})
			f.send(c.body)
			if len(f.seen) != 2 {
				t.Fatalf("calls %q", f.calls())
			}
			for _, r := range f.seen {
				if got := string(message.Marshal(r.Body)); got != c.want {
					t.Errorf("%s got %s, want %s", r.Operation, got, c.want)
				}
			}
			f.balanced()
		})
	}
}

// failing is a store whose disk has gone.
type failing struct{ queue.Driver }

// Sweep implements queue.Driver.
func (failing) Sweep(context.Context, time.Time) (queue.Swept, error) {
	return queue.Swept{}, queue.ErrFailed
}

func TestRunEndsWithAStoreThatHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := memory.Open(memory.Options{})
		defer d.Close()
		ws := load(t, map[string]string{
			"t.connection.yaml": "connection: t\ntype: log\noperations: {safe: {repeat: safe}}\n",
			"p.pipeline.yaml":   pipeline("  - {send: t.safe}\n"),
		})
		w := newWorker(ws, failing{d}, sink(func(context.Context, connectors.Request) (connectors.Response, error) {
			return connectors.Response{Status: 200}, nil
		}), worker.Options{})
		if err := w.Run(t.Context()); !errors.Is(err, queue.ErrFailed) {
			t.Errorf("got %v, want that the store has failed", err)
		}
	})
}

// TestAPanicIsOneDeadLetter: a connector that is broken takes one message with
// it, nothing else.
func TestAPanicIsOneDeadLetter(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {send: t.safe}\n"), nil)
	ws := f.worker.Live().WS
	calls := 0
	f.worker = newWorker(ws, f.driver, sink(func(context.Context, connectors.Request) (connectors.Response, error) {
		if calls++; calls == 1 {
			panic("a broken connector")
		}
		return connectors.Response{Status: 200}, nil
	}), worker.Options{})
	f.send(`{"n":1,"k":"a"}`, `{"n":2,"k":"a"}`)
	b := f.balanced()
	if b.Dead != 1 || b.Delivered != 1 {
		t.Errorf("balance %+v", b)
	}
	if dead := f.dead(); len(dead) == 1 && strings.Contains(dead[0].Reason, "nil map") {
		t.Errorf("the reason tells internals: %q", dead[0].Reason)
	}
}

// TestParkingKeepsWhatWasAchieved: the definition of the second effect goes
// away while the first one is under way; when it is back, the first one is not
// done again.
func TestParkingKeepsWhatWasAchieved(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {send: t.never}\n  - {send: t.safe}\n"), nil)
	ws := f.worker.Live().WS
	gone := *ws
	op := ws.Connections["t"].Operations["safe"]
	f.worker = newWorker(&gone, f.driver, sink(func(ctx context.Context, r connectors.Request) (connectors.Response, error) {
		delete(ws.Connections["t"].Operations, "safe") // as if a definition of now had none
		return f.deliver(ctx, r)
	}), worker.Options{})
	f.send(`{"n":1,"k":"a"}`)
	if f.calls() != "never" {
		t.Fatalf("calls %q", f.calls())
	}
	page, err := f.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.Parked})
	if err != nil || len(page.Jobs) != 1 {
		t.Fatalf("parked %+v, %v", page.Jobs, err)
	}
	ws.Connections["t"].Operations["safe"] = op
	if _, err := f.driver.Apply(context.Background(), queue.Commit{Orders: []queue.Order{{ID: page.Jobs[0].ID, Do: queue.Unpark}}}); err != nil {
		t.Fatal(err)
	}
	f.worker = newWorker(ws, f.driver, sink(f.deliver), worker.Options{})
	f.drain()
	if f.calls() != "never safe" {
		t.Errorf("calls %q: what was achieved was done again", f.calls())
	}
	f.balanced()
}

// TestNewerRelease: while replicas are upgraded one after the other, one of the
// old ones leases a message that a new one stored. It leaves it alone, and says
// why it waits; the new one does the work.
func TestNewerRelease(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {send: t.safe}\n"), nil)
	var body []byte
	newer := stored{Driver: f.driver, change: func(j *queue.Job) {
		body = bytes.Clone(j.Body)
		j.Body = append([]byte{j.Body[0] + 1}, j.Body[1:]...)
		j.Hint = nil // another process leases it
	}}
	ws := f.worker.Live().WS
	old := f.worker
	f.worker = newWorker(ws, newer, sink(f.deliver), worker.Options{})
	ch := f.worker.Channel("p", true)
	if _, err := ch.Send(context.Background(), message.Message{Raw: []byte(`{"n":1,"k":"a"}`), Meta: message.Meta{Source: "http", ReceivedAt: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	f.worker = old
	f.drain()
	page, err := f.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.Parked, Bodies: true})
	if err != nil || len(page.Jobs) != 1 || len(f.seen) > 0 || len(f.dead()) > 0 {
		t.Fatalf("parked %+v, dead %+v, %d calls, %v", page.Jobs, f.dead(), len(f.seen), err)
	}
	j := page.Jobs[0]
	if journal.KindOf(j.Reason) != "release" || !strings.Contains(j.Reason, "format") || j.Due.IsZero() || !bytes.Equal(j.Body[1:], body[1:]) || j.Body[0] != body[0]+1 {
		t.Errorf("parked: %+v", j)
	}
	f.balanced()
}

// stored is a queue that changes what is stored.
type stored struct {
	queue.Driver
	change func(*queue.Job)
}

func (s stored) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	for i := range c.Jobs {
		s.change(&c.Jobs[i])
	}
	return s.Driver.Apply(ctx, c)
}
