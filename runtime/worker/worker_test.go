package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"crossdock/connectors"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// fixture is a workspace on the memory queue with a scripted target.
type fixture struct {
	t       *testing.T
	driver  queue.Driver
	worker  *worker.Worker
	answers map[string][]any // by operation: a status, an error, or a connectors.Response
	seen    []connectors.Request
}

// newFixture runs the pipeline text with a connection of operations text.
func newFixture(t *testing.T, operations, pipeline string, answers map[string][]any) *fixture {
	t.Helper()
	f := &fixture{t: t, driver: memory.Open(memory.Options{}), answers: answers}
	t.Cleanup(func() { f.driver.Close() })
	ws := load(t, map[string]string{
		"crossdock.yaml":      "crossdock: 1\ndefaults: {policy: p}\npolicies:\n  p: {retry: {attempts: 3, wait: 1s, grow: 1, jitter: 0, on: [timeout, 5xx]}}\n",
		"t.connection.yaml":   "connection: t\ntype: log\noperations:\n" + operations,
		"p.pipeline.yaml":     pipeline,
		"heard.pipeline.yaml": "pipeline: heard\ntrigger: {event: thing}\nkey: [.n]\nsteps:\n  - {send: t.safe}\n",
		"thing.schema.yaml":   "schema: thing@1\nfields:\n  n: {type: integer, required: true}\n",
	})
	f.worker = newWorker(ws, f.driver, sink(f.deliver), worker.Options{Random: func() float64 { return 0 }})
	return f
}

func (f *fixture) deliver(_ context.Context, r connectors.Request) (connectors.Response, error) {
	f.seen = append(f.seen, r)
	list := f.answers[r.Operation]
	if len(list) == 0 {
		return connectors.Response{Status: 200}, nil
	}
	next := list[0]
	if len(list) > 1 {
		f.answers[r.Operation] = list[1:]
	}
	switch a := next.(type) {
	case int:
		return connectors.Response{Status: a}, nil
	case connectors.Response:
		return a, nil
	default:
		return connectors.Response{}, next.(error)
	}
}

// send takes bodies in and works until nothing is left.
func (f *fixture) send(bodies ...string) {
	f.t.Helper()
	ch := f.worker.Channel("p", true)
	for _, b := range bodies {
		if _, err := ch.Send(context.Background(), message.Message{Raw: []byte(b), Meta: message.Meta{Source: "http", ReceivedAt: time.Now()}}); err != nil {
			f.t.Fatal(err)
		}
	}
	f.drain()
}

func (f *fixture) drain() {
	f.t.Helper()
	if _, err := f.worker.Drain(context.Background(), 1000); err != nil {
		f.t.Fatal(err)
	}
}

// kinds is the history of the only family of messages, as words.
func (f *fixture) kinds() string {
	page, err := f.driver.Browse(context.Background(), queue.Query{View: queue.Recent, Limit: 1000})
	if err != nil {
		f.t.Fatal(err)
	}
	var words []string
	for i := len(page.Entries) - 1; i >= 0; i-- {
		words = append(words, string(page.Entries[i].Kind))
	}
	return strings.Join(words, " ")
}

func (f *fixture) calls() string {
	var ops []string
	for _, r := range f.seen {
		ops = append(ops, r.Operation)
	}
	return strings.Join(ops, " ")
}

func (f *fixture) dead() []queue.JobInfo {
	page, err := f.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.DeadJob})
	if err != nil {
		f.t.Fatal(err)
	}
	return page.Jobs
}

func (f *fixture) balanced() journal.Balance {
	b, err := journal.ReadBalance(context.Background(), f.driver, "")
	if err != nil {
		f.t.Fatal(err)
	}
	if b.Unaccounted != 0 {
		f.t.Errorf("unaccounted: %+v", b)
	}
	return b
}

const operations = `  safe: {repeat: safe}
  keyed: {repeat: keyed}
  never: {repeat: never}
  look: {repeat: safe}
  check: {repeat: check, check: {call: t.look, found_when: response.status == 200 and response.body.found == true}}
  picky: {repeat: keyed, success_when: response.status == 200 and response.body.ok == true}
`

func pipeline(steps string) string {
	return "pipeline: p\ntrigger: {http: {path: /p, verify: none}}\nkey: [.n]\norder_by: .k\ntrace_by: {n: .n}\nsteps:\n" + steps
}

var timeout = connectors.Ambiguous(errors.New("no answer"))
var refused = connectors.NotSent(errors.New("refused"))

// TestAttempts is what follows each kind of failure for each kind of repeat.
func TestAttempts(t *testing.T) {
	found := connectors.Response{Status: 200, Body: map[string]any{"found": true}}
	missing := connectors.Response{Status: 200, Body: map[string]any{"found": false}}
	for _, c := range []struct {
		name    string
		op      string
		answers map[string][]any
		calls   string
		kinds   string
	}{
		{"success", "safe", nil, "safe", "accepted delivered"},
		{"5xx, then success", "safe", map[string][]any{"safe": {503, 500, 200}}, "safe safe safe", "accepted failed failed delivered"},
		{"5xx for good", "keyed", map[string][]any{"keyed": {503}}, "keyed keyed keyed", "accepted failed failed dead"},
		{"4xx is never repeated", "keyed", map[string][]any{"keyed": {400}}, "keyed", "accepted dead"},
		{"redirects are no success", "keyed", map[string][]any{"keyed": {302}}, "keyed", "accepted dead"},
		{"no answer, keyed", "keyed", map[string][]any{"keyed": {timeout, 200}}, "keyed keyed", "accepted failed delivered"},
		{"not sent, never", "never", map[string][]any{"never": {refused, 200}}, "never never", "accepted failed delivered"},
		{"no answer, never", "never", map[string][]any{"never": {timeout}}, "never", "accepted uncertain dead"},
		{"5xx, never", "never", map[string][]any{"never": {503}}, "never", "accepted uncertain dead"},
		{"no answer, found by the probe", "check", map[string][]any{"check": {timeout}, "look": {found}}, "check look", "accepted failed delivered"},
		{"no answer, not found by the probe", "check", map[string][]any{"check": {timeout, 200}, "look": {missing}}, "check look check", "accepted failed delivered"},
		{"the probe fails for good", "check", map[string][]any{"check": {timeout}, "look": {404}}, "check look", "accepted failed dead"},
		{"200 that is no success", "picky", map[string][]any{"picky": {connectors.Response{Status: 200, Body: map[string]any{"ok": false}}}}, "picky", "accepted dead"},
		{"success as the definition says", "picky", map[string][]any{"picky": {connectors.Response{Status: 200, Body: map[string]any{"ok": true}}}}, "picky", "accepted delivered"},
		{"permanent", "keyed", map[string][]any{"keyed": {connectors.Permanent(errors.New("bad header"))}}, "keyed", "accepted dead"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, operations, pipeline("  - {send: t."+c.op+"}\n"), c.answers)
			f.send(`{"n":1,"k":"a"}`)
			if got := f.calls(); got != c.calls {
				t.Errorf("calls: %s, want %s", got, c.calls)
			}
			if got := f.kinds(); got != c.kinds {
				t.Errorf("history: %s, want %s", got, c.kinds)
			}
			f.balanced()
			for _, r := range f.seen {
				if r.Operation == c.op && r.Key != f.seen[0].Key {
					t.Errorf("the idempotency key changed from %s to %s", f.seen[0].Key, r.Key)
				}
			}
		})
	}
}

func TestRetryKeepsTheOrderOfItsKey(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {send: t.keyed}\n"), map[string][]any{"keyed": {503, 200}})
	f.send(`{"n":1,"k":"a"}`, `{"n":2,"k":"a"}`, `{"n":3,"k":"a"}`)
	var got []string
	for _, r := range f.seen {
		got = append(got, fmt.Sprint(r.Body.(map[string]any)["n"]))
	}
	if want := []string{"1", "1", "2", "3"}; !cmp.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestStepsRunInOrderAndAreNotRepeated(t *testing.T) {
	f := newFixture(t, operations, pipeline(`  - {call: t.look, as: first}
  - {send: t.keyed, with: {seen: $steps.first.value}}
  - {send: t.safe, with: {n: .n}}
`), map[string][]any{
		"look":  {connectors.Response{Status: 200, Body: map[string]any{"value": "from look"}}},
		"keyed": {503, timeout, 200},
	})
	f.send(`{"n":1,"k":"a"}`)
	if got, want := f.calls(), "look keyed keyed keyed safe"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
	if got := f.seen[1].Body; !cmp.Equal(got, map[string]any{"seen": "from look"}) {
		t.Errorf("the second step was sent %v", got)
	}
	if got, want := f.kinds(), "accepted sent failed failed sent delivered"; got != want {
		t.Errorf("history: %s, want %s", got, want)
	}
}

func TestEveryBranchGoesItsOwnWay(t *testing.T) {
	f := newFixture(t, operations, pipeline(`  - route:
      pick: every
      rules:
        - {name: one, when: true, to: [{send: t.keyed}]}
        - {name: two, when: data.n == 1, to: [{send: t.never}, {send: t.safe}]}
        - {name: three, when: data.n == 2, to: [{send: t.look}]}
      otherwise: ignore
`), map[string][]any{"keyed": {400}})
	f.send(`{"n":1,"k":"a"}`)
	if b := f.balanced(); b.Dead != 1 || b.Delivered != 1 || b.Accepted != 2 {
		t.Errorf("balance %+v", b)
	}
	if got, want := f.calls(), "keyed never safe"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
}

func TestOnFailReplacesTheDeadLetter(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {send: t.keyed, on_fail: [{send: t.look}]}\n  - {send: t.safe}\n"), map[string][]any{"keyed": {400}})
	f.send(`{"n":1,"k":"a"}`)
	if got, want := f.calls(), "keyed look"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
	if b := f.balanced(); b.Delivered != 1 || b.Dead != 0 {
		t.Errorf("balance %+v", b)
	}
}

func TestEmitReachesWhoListens(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {emit: thing@1}\n  - {send: t.keyed}\n"), nil)
	f.send(`{"n":7,"k":"a"}`)
	if b := f.balanced(); b.Delivered != 2 || b.Messages != 2 {
		t.Errorf("balance %+v", b)
	}
	page, err := f.driver.Browse(context.Background(), queue.Query{View: queue.ByRef, Ref: queue.Ref{Type: "n", Value: "7"}})
	if err != nil {
		t.Fatal(err)
	}
	began := map[string]time.Time{}
	for _, e := range page.Entries {
		if e.Kind == queue.Accepted {
			began[e.Pipeline] = e.At
		}
	}
	if began["p"].IsZero() || began["heard"].IsZero() {
		t.Errorf("the story of 7 tells only of %v", began)
	}
	if !began["heard"].After(began["p"]) {
		t.Errorf("the event came at %s, before the message from which it comes at %s", began["heard"], began["p"])
	}
}

func TestAnEventNobodyCanIdentifyIsADeadLetter(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {emit: thing@1}\n"), nil)
	f.send(`{"n":1,"k":"a"}`)
	f.send(`{"n":2,"k":"a"}`)
	if b := f.balanced(); b.Delivered != 4 {
		t.Errorf("balance %+v", b)
	}
	f2 := newFixture(t, operations, pipeline("  - {emit: thing@1}\n"), nil)
	f2.send(`{"n":"x","k":"a"}`)
	if dead := f2.dead(); len(dead) != 1 || !strings.Contains(dead[0].Reason, "thing@1") {
		t.Errorf("dead letters: %+v", dead)
	}
}

func TestSplitMakesRunsOfTheirOwn(t *testing.T) {
	f := newFixture(t, operations, `pipeline: p
trigger: {http: {path: /p, verify: none}}
split: .lines
key: [$original.order, .sku]
steps:
  - {when: data.qty > 0}
  - {send: t.keyed}
`, nil)
	f.send(`{"order":"A","lines":[{"sku":"x","qty":1},{"sku":"y","qty":0},{"sku":"z","qty":2}]}`, `{"order":"A","lines":[]}`)
	if b := f.balanced(); b.Accepted != 4 || b.Delivered != 2 || b.Filtered != 2 {
		t.Errorf("balance %+v", b)
	}
	if f.seen[0].Key == f.seen[1].Key {
		t.Error("two items share an idempotency key")
	}
}

// TestWhenComesFirst shows that a message which is not meant for a pipeline
// needs no key, and that `when` sees the whole message where it is split.
func TestWhenComesFirst(t *testing.T) {
	f := newFixture(t, operations, `pipeline: p
trigger: {http: {path: /p, verify: none}}
when: data.status == "RELEASED"
split: .lines
key: [.sku]
trace_by: {order: $original.order}
steps:
  - {send: t.keyed}
`, nil)
	f.send(`{"order":"A","status":"DRAFT"}`, `{"order":"B","status":"RELEASED","lines":[{"sku":"x"},{"sku":"x"},{"sku":"y"}]}`)
	f.send(`{"order":"B","status":"RELEASED","lines":[{"sku":"x"},{"sku":"x"},{"sku":"y"}]}`)
	if b := f.balanced(); b.Filtered != 1 || b.Delivered != 3 || b.Duplicates != 3 {
		t.Errorf("balance %+v", b)
	}
	keys := map[string]bool{}
	for _, r := range f.seen {
		keys[r.Key] = true
	}
	if len(keys) != 3 {
		t.Errorf("%d idempotency keys for three items", len(keys))
	}
	page, err := f.driver.Browse(context.Background(), queue.Query{View: queue.ByRef, Ref: queue.Ref{Type: "order", Value: "A"}})
	if err != nil || len(page.Entries) != 2 || page.Entries[1].Kind != queue.Filtered {
		t.Errorf("the story of A: %+v, %v", page.Entries, err)
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {send: t.keyed}\n"), nil)
	ch := f.worker.Channel("p", true)
	ctx := context.Background()
	for _, c := range []struct {
		body   string
		status int
	}{{`{"n":`, 400}, {`{"k":"a"}`, 422}, {`{"n":1}`, 422}, {`{"n":" ","k":"a"}`, 422}} {
		_, err := ch.Send(ctx, message.Message{Raw: []byte(c.body), Meta: message.Meta{ReceivedAt: time.Now()}})
		var rej *connectors.Rejection
		if !errors.As(err, &rej) || rej.Status != c.status {
			t.Errorf("%s: %v, want %d", c.body, err, c.status)
		}
	}
	f.send(`{"n":1,"k":"a"}`, `{"n":1,"k":"a"}`)
	_, err := ch.Send(ctx, message.Message{Raw: []byte(`{"n":1,"k":"b"}`), Meta: message.Meta{ReceivedAt: time.Now()}})
	var rej *connectors.Rejection
	if !errors.As(err, &rej) || rej.Status != 409 {
		t.Errorf("same key, other content: %v", err)
	}
	if b := f.balanced(); b.Rejected != 4 || b.Duplicates != 1 || b.Conflicts != 1 || len(f.seen) != 1 {
		t.Errorf("balance %+v, %d calls", b, len(f.seen))
	}
	// What is refused is found by its numbers, as far as they can be read.
	page, err := f.driver.Browse(ctx, queue.Query{View: queue.ByRef, Ref: queue.Ref{Type: "n", Value: "1"}})
	if err != nil || len(page.Entries) == 0 || page.Entries[0].Kind != queue.Rejected {
		t.Errorf("the story of 1: %+v, %v", page.Entries, err)
	}
	// Where nobody can be told, nothing vanishes either.
	quiet := f.worker.Channel("p", false)
	if _, err := quiet.Send(ctx, message.Message{Raw: []byte(`{"n":`), Meta: message.Meta{ReceivedAt: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	f.drain()
	if dead := f.dead(); len(dead) != 1 {
		t.Errorf("%d dead letters", len(dead))
	}
}

// TestAPanicFailsOneMessage plants a sink that panics.
func TestAPanicFailsOneMessage(t *testing.T) {
	f := newFixture(t, operations, pipeline("  - {send: t.keyed}\n"), nil)
	panics := true
	f.worker = newWorker(f.worker.Live().WS, f.driver, sink(func(ctx context.Context, r connectors.Request) (connectors.Response, error) {
		if panics {
			panics = false
			panic("planted")
		}
		return f.deliver(ctx, r)
	}), worker.Options{})
	f.send(`{"n":1,"k":"a"}`, `{"n":2,"k":"a"}`)
	if b := f.balanced(); b.Dead != 1 || b.Delivered != 1 {
		t.Errorf("balance %+v", b)
	}
	if dead := f.dead(); strings.Contains(dead[0].Reason, "planted") {
		t.Errorf("the reason shows the inside: %s", dead[0].Reason)
	}
}

// TestRunInABubble runs the real loops against a slow target, and stops them.
func TestRunInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := memory.Open(memory.Options{})
		defer d.Close()
		ws := load(t, map[string]string{
			"t.connection.yaml": "connection: t\ntype: log\nlimits: {timeout: 1m}\noperations: {slow: {repeat: keyed}}\n",
			"p.pipeline.yaml":   pipeline("  - {send: t.slow}\n"),
		})
		var delivered atomic.Int64
		w := newWorker(ws, d, sink(func(ctx context.Context, _ connectors.Request) (connectors.Response, error) {
			select {
			case <-time.After(45 * time.Second): // four times the lease
				delivered.Add(1)
				return connectors.Response{Status: 200}, nil
			case <-ctx.Done():
				return connectors.Response{}, connectors.Ambiguous(ctx.Err())
			}
		}), worker.Options{Grace: 5 * time.Second})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		ch := w.Channel("p", true)
		for _, n := range []string{"1", "2"} {
			if _, err := ch.Send(ctx, message.Message{Raw: []byte(`{"n":` + n + `,"k":"a"}`), Meta: message.Meta{ReceivedAt: time.Now()}}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(60 * time.Second) // of the bubble: the first one has ended, its lease was kept alive
		if n := delivered.Load(); n != 1 {
			t.Errorf("%d delivered after a minute, want 1", n)
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		page, err := d.Browse(context.Background(), queue.Query{View: queue.Lanes})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lanes {
			if l.Leased != 0 {
				t.Errorf("lane %s still holds %d leases after a graceful stop", l.Lane, l.Leased)
			}
		}
		if b, _ := journal.ReadBalance(context.Background(), d, ""); b.Open != 1 || b.Delivered != 1 || b.Unaccounted != 0 {
			t.Errorf("balance %+v", b)
		}
	})
}

// away is a store that cannot be browsed at first.
type away struct {
	queue.Driver
	refusals atomic.Int64
}

func (a *away) Browse(ctx context.Context, q queue.Query) (queue.Page, error) {
	if a.refusals.Add(-1) >= 0 {
		return queue.Page{}, errors.New("no answer")
	}
	return a.Driver.Browse(ctx, q)
}

// A store that does not answer just after the start, as when the process was
// stopped then, does not end the run; messages of pipelines that are gone are
// parked a little later.
func TestAStoreThatIsAwayAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &away{Driver: memory.Open(memory.Options{})}
		defer d.Close()
		if _, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{{ID: "m1", Lane: "in/gone", Body: []byte("{}")}}}); err != nil {
			t.Fatal(err)
		}
		ws := load(t, map[string]string{
			"t.connection.yaml": "connection: t\ntype: log\noperations: {put: {repeat: keyed}}\n",
			"p.pipeline.yaml":   pipeline("  - {send: t.put}\n"),
		})
		w := newWorker(ws, d, sink(func(context.Context, connectors.Request) (connectors.Response, error) {
			return connectors.Response{Status: 200}, nil
		}), worker.Options{})
		d.refusals.Store(3)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(10 * time.Second) // of the bubble
		select {
		case err := <-ended:
			t.Fatalf("the run has ended: %v", err)
		default:
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		page, err := d.Driver.Browse(context.Background(), queue.Query{View: queue.Jobs, Lane: "in/gone"})
		if err != nil || len(page.Jobs) != 1 || page.Jobs[0].State == queue.Ready {
			t.Errorf("the message without a definition was not worked on: %+v %v", page.Jobs, err)
		}
	})
}

// A run of a schedule that is handed over once more, because nobody remembered
// that it was, is one run: also when it has ended meanwhile, and without a key.
func TestAScheduledRunIsOne(t *testing.T) {
	f := newFixture(t, "  safe: {repeat: safe}\n", "pipeline: p\ntrigger: {schedule: {cron: \"0 6 * * *\", zone: UTC}}\nsteps:\n  - {send: t.safe}\n", nil)
	m := message.Message{ID: connectors.StableID(time.Unix(0, 0), "p"), Raw: []byte(`{}`), Meta: message.Meta{Source: "schedule", ReceivedAt: time.Now()}}
	for i := range 2 {
		if _, err := f.worker.Channel("p", false).Send(context.Background(), m); err != nil {
			t.Fatalf("time %d: %v", i+1, err)
		}
		f.drain()
	}
	if got := f.calls(); got != "safe" {
		t.Errorf("calls %q, want one", got)
	}
}

// TestAnAcceptedFailureIsNotHeldAgainstTheContract: 404 may be an answer, and has
// another body.
func TestAnAcceptedFailureIsNotHeldAgainstTheContract(t *testing.T) {
	for status, dead := range map[int]int{404: 0, 200: 1} {
		f := newFixture(t, "  look: {repeat: safe, response: thing@1, success_when: 'response.status in [200, 404]'}\n  safe: {repeat: safe}\n",
			"pipeline: p\ntrigger: {http: {path: /p, verify: none}}\nkey: .k\nsteps:\n  - {call: t.look, as: seen}\n  - {send: t.safe}\n",
			map[string][]any{"look": {connectors.Response{Status: status, Body: map[string]any{"error": "unknown"}}}})
		f.send(`{"n":1,"k":"a"}`)
		if got := len(f.dead()); got != dead {
			t.Errorf("%d: %d dead letters, want %d: %+v", status, got, dead, f.dead())
		}
	}
}
