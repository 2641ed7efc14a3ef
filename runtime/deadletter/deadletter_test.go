package deadletter_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"crossdock/connectors"
	"crossdock/dsl"
	"crossdock/runtime/catalog"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// desk is a workspace on the memory queue with a scripted target, and the box
// of its dead letters.
type desk struct {
	t      *testing.T
	driver queue.Driver
	worker *worker.Worker
	box    *deadletter.Box

	mu     sync.Mutex
	answer func(r connectors.Request) (connectors.Response, error)
	seen   []connectors.Request
}

// Deliver implements connectors.Sink.
func (d *desk) Deliver(_ context.Context, r connectors.Request) (connectors.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = append(d.seen, r)
	if d.answer == nil {
		return connectors.Response{Status: 200}, nil
	}
	return d.answer(r)
}

// Close implements connectors.Sink.
func (d *desk) Close() error { return nil }

var files = map[string]string{
	"crossdock.yaml":    "crossdock: 1\ndefaults: {policy: p}\npolicies:\n  p: {retry: {attempts: 2, wait: 1s, grow: 1, jitter: 0, on: [timeout, 5xx]}}\n",
	"t.connection.yaml": "connection: t\ntype: log\noperations:\n  one: {repeat: keyed}\n  two: {repeat: keyed}\n  never: {repeat: never}\n",
	"order.schema.yaml": `schema: order@1
fields:
  n: {type: integer, required: true}
  name: {type: string, pii: true}
  address.street: {type: string, pii: true}
  phones[]: {type: string, pii: true}
  note: string
  lines[].sku: string
`,
	"two.pipeline.yaml":   "pipeline: two\ntrigger: {http: {path: /two, verify: none}}\naccept: order@1\nkey: [.n]\ntrace_by: {n: .n}\nsteps:\n  - {send: t.one}\n  - {map: whom}\n  - {send: t.two}\n",
	"whom.mapping.yaml":   "mapping: whom\nfields:\n  n: .n\n  to: .name\n  label: '\"for \" + .name'\n",
	"never.pipeline.yaml": "pipeline: never\ntrigger: {http: {path: /never, verify: none}}\nkey: [.n]\nsteps:\n  - {send: t.never}\n",
	"queue.pipeline.yaml": "pipeline: queue\ntrigger: {http: {path: /queue, verify: none}}\nkey: [.n]\norder_by: .who\npolicy: {on_dead_letter: block}\nsteps:\n  - {send: t.one}\n",
	"lines.pipeline.yaml": "pipeline: lines\ntrigger: {http: {path: /lines, verify: none}}\naccept: order@1\nsplit: .lines\nkey: [.sku]\nsteps:\n  - {send: t.one}\n",
	"form.pipeline.yaml":  "pipeline: form\ntrigger: {http: {path: /form, verify: none, format: form}}\nkey: [.n]\nsteps:\n  - {map: whom}\n  - {send: t.one}\n",
	"feed.pipeline.yaml":  "pipeline: feed\ntrigger: {event: order}\nkey: [.n]\nsteps:\n  - {send: t.one}\n",
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ws, list, err := dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	d := &desk{t: t, driver: memory.Open(memory.Options{})}
	t.Cleanup(func() { d.driver.Close() })
	d.worker = worker.New(d.driver, slog.New(slog.DiscardHandler), journal.NewMeter(), worker.Options{Random: func() float64 { return 0 }})
	d.worker.Use(&worker.Live{WS: ws, Sinks: map[string]connectors.Sink{"t": d}, Generation: 1})
	d.box = &deadletter.Box{Driver: d.driver, Live: d.worker.Live, Log: slog.New(slog.DiscardHandler)}
	return d
}

// send takes a body in and works until nothing is left. Sources that have
// nobody to refuse to hand over a dead letter instead.
func (d *desk) send(pipeline, body string, refuses bool) {
	d.t.Helper()
	m := message.Message{Raw: []byte(body), Meta: message.Meta{Source: "http"}}
	if _, err := d.worker.Channel(pipeline, refuses).Send(context.Background(), m); err != nil {
		d.t.Fatal(err)
	}
	d.drain()
}

// drain works until nothing is left; the ledger must be even afterwards.
func (d *desk) drain() journal.Balance {
	d.t.Helper()
	if _, err := d.worker.Drain(context.Background(), 1000); err != nil {
		d.t.Fatal(err)
	}
	return d.even()
}

func (d *desk) even() journal.Balance {
	d.t.Helper()
	b, err := journal.ReadBalance(context.Background(), d.driver, "")
	if err != nil {
		d.t.Fatal(err)
	}
	if b.Unaccounted != 0 || b.Open != 0 {
		d.t.Errorf("not everything is accounted for: %+v", b)
	}
	return b
}

// only returns the only dead letter, with its payloads.
func (d *desk) only(reveal bool) deadletter.Letter {
	d.t.Helper()
	list, _, err := d.box.List(context.Background(), deadletter.Query{})
	if err != nil {
		d.t.Fatal(err)
	}
	if len(list) != 1 {
		d.t.Fatalf("%d dead letters, want 1: %+v", len(list), list)
	}
	l, err := d.box.Show(context.Background(), list[0].ID, reveal)
	if err != nil {
		d.t.Fatal(err)
	}
	return l
}

func (d *desk) calls() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, r := range d.seen {
		out = append(out, r.Operation)
	}
	return strings.Join(out, " ")
}

// failing makes one operation answer status.
func (d *desk) failing(op string, status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = func(r connectors.Request) (connectors.Response, error) {
		if r.Operation == op {
			return connectors.Response{Status: status}, nil
		}
		return connectors.Response{Status: 200, Body: map[string]any{"ok": true}}, nil
	}
}

func (d *desk) mend() { d.failing("", 0) }

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) history(id string) []queue.Entry {
	d.t.Helper()
	page, err := d.driver.Browse(context.Background(), queue.Query{View: queue.ByMsg, ID: id, Limit: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	return page.Entries
}

const order1 = `{"n": 7, "name": "Ada Byron", "address": {"street": "12 St James Sq"}, "phones": ["+44 20 7946 0991"], "note": "call Ada Byron first"}`

func TestReplayGoesOnWithTheSameKey(t *testing.T) {
	d := newDesk(t)
	d.failing("two", 400)
	d.send("two", order1, true)
	l := d.only(true)
	if l.Step == "" || l.Cause == nil || l.Cause.Status != 400 || l.Pipeline != "two" {
		t.Errorf("letter %+v", l)
	}
	if got := d.calls(); got != "one two" {
		t.Fatalf("calls %q", got)
	}
	key := d.seen[1].Key
	d.must(d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}))
	d.drain()
	if got := d.calls(); got != "one two two" {
		t.Errorf("calls %q: what succeeded was sent again", got)
	}
	d.mend()
	d.must(d.box.Replay(context.Background(), d.only(true).ID, deadletter.How{Who: "anna"}))
	if b := d.drain(); b.Dead != 0 || b.Delivered != 1 {
		t.Errorf("balance %+v", b)
	}
	if got := d.calls(); got != "one two two two" {
		t.Errorf("calls %q", got)
	}
	for i, r := range d.seen[1:] {
		if r.Key != key {
			t.Errorf("attempt %d has another idempotency key", i+1)
		}
	}
	if err := d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}); !errors.Is(err, deadletter.ErrNotFound) {
		t.Errorf("a second replay: %v", err)
	}
	var who bool
	for _, e := range d.history(l.ID) {
		who = who || e.Kind == queue.Replayed && strings.Contains(e.Detail, "anna")
	}
	if !who {
		t.Error("the history does not say who replayed it")
	}
}

func TestParallelReplaysHaveOneEffect(t *testing.T) {
	d := newDesk(t)
	d.failing("two", 400)
	d.send("two", order1, true)
	l := d.only(true)
	d.mend()
	errs := make(chan error, 8)
	for range 8 {
		go func() { errs <- d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}) }()
	}
	ok := 0
	for range 8 {
		if err := <-errs; err == nil {
			ok++
		} else if !errors.Is(err, deadletter.ErrNotFound) {
			t.Error(err)
		}
	}
	d.drain()
	if ok != 1 || d.calls() != "one two two" {
		t.Errorf("%d replays were taken, calls %q", ok, d.calls())
	}
}

func TestEditKeepsTheOriginalAndTheContract(t *testing.T) {
	d := newDesk(t)
	d.failing("one", 422)
	d.send("two", order1, true)
	l := d.only(true)
	ctx := context.Background()
	if err := d.box.Edit(ctx, l.ID, map[string]any{"n": json.Number("7")}, "anna", ""); !errors.Is(err, deadletter.ErrReason) {
		t.Errorf("without a reason: %v", err)
	}
	if err := d.box.Edit(ctx, l.ID, map[string]any{"n": json.Number("7")}, "", "why"); !errors.Is(err, deadletter.ErrReason) {
		t.Errorf("without a name: %v", err)
	}
	if err := d.box.Discard(ctx, l.ID, "anna", ""); !errors.Is(err, deadletter.ErrReason) {
		t.Errorf("discard without a reason: %v", err)
	}
	if err := d.box.Replay(ctx, l.ID, deadletter.How{Who: ""}); !errors.Is(err, deadletter.ErrWho) {
		t.Errorf("replay without a name: %v", err)
	}
	if err := d.box.Edit(ctx, l.ID, map[string]any{"n": "x"}, "anna", "try"); err == nil || !strings.Contains(err.Error(), "order@1") {
		t.Errorf("a payload against the contract: %v", err)
	}
	d.must(d.box.Edit(ctx, l.ID, map[string]any{"n": json.Number("7"), "name": "Charles"}, "anna", "wrong name"))
	d.even()
	var kept bool
	for _, e := range d.history(l.ID) {
		if e.Kind == queue.Edited {
			kept = strings.Contains(string(e.Data), "Ada Byron") && strings.Contains(e.Detail, "anna") && strings.Contains(e.Detail, "wrong name")
		}
	}
	if !kept {
		t.Errorf("the history does not hold the original, who and why: %+v", d.history(l.ID))
	}
	key := d.seen[0].Key
	d.mend()
	d.must(d.box.Replay(ctx, l.ID, deadletter.How{Who: "anna"}))
	d.drain()
	last := d.seen[len(d.seen)-1]
	if got := last.Body.(map[string]any)["to"]; got != "Charles" {
		t.Errorf("sent to %v", got)
	}
	if d.seen[1].Key != key {
		t.Error("the edit changed the idempotency key")
	}
}

func TestDiscardIsForGood(t *testing.T) {
	d := newDesk(t)
	d.failing("one", 400)
	d.send("two", order1, true)
	l := d.only(true)
	d.must(d.box.Discard(context.Background(), l.ID, "anna", "test order"))
	if b := d.drain(); b.Discarded != 1 || b.Dead != 0 {
		t.Errorf("balance %+v", b)
	}
	if err := d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}); !errors.Is(err, deadletter.ErrNotFound) {
		t.Errorf("replay after it: %v", err)
	}
	h := d.history(l.ID)
	if last := h[len(h)-1]; last.Kind != queue.Discarded || last.Detail != "by anna: test order" {
		t.Errorf("history ends with %+v", last)
	}
}

func TestUncertainIsReplayedOnceByAPerson(t *testing.T) {
	d := newDesk(t)
	d.answer = func(connectors.Request) (connectors.Response, error) {
		return connectors.Response{}, connectors.Ambiguous(errors.New("no answer"))
	}
	d.send("never", `{"n":1}`, true)
	l := d.only(true)
	if l.Cause == nil || l.Cause.Code != "uncertain" || d.calls() != "never" {
		t.Fatalf("letter %+v after %q", l.Cause, d.calls())
	}
	d.mend()
	d.must(d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}))
	if b := d.drain(); b.Delivered != 1 || d.calls() != "never never" {
		t.Errorf("balance %+v, calls %q", b, d.calls())
	}
}

func TestFaultyIsTakenInAnew(t *testing.T) {
	d := newDesk(t)
	d.send("two", `{"n": 7, "name": }`, false)
	d.send("two", `{"name": "Ada Byron"}`, false)
	list, _, err := d.box.List(context.Background(), deadletter.Query{Filter: deadletter.Filter{Pipeline: "two"}})
	d.must(err)
	if len(list) != 2 {
		t.Fatalf("%d letters", len(list))
	}
	for _, l := range list {
		shown, err := d.box.Show(context.Background(), l.ID, true)
		d.must(err)
		if shown.Raw == "" {
			t.Errorf("what was received is not shown: %+v", shown)
		}
		hidden, err := d.box.Show(context.Background(), l.ID, false)
		d.must(err)
		if strings.Contains(hidden.Raw, "Ada") {
			t.Errorf("unread bytes are shown although they may be personal: %s", hidden.Raw)
		}
		var r *deadletter.Refusal
		if err := d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}); !errors.As(err, &r) {
			t.Errorf("a replay of what cannot be read: %v", err)
		}
		d.even()
	}
	d.must(d.box.Edit(context.Background(), list[0].ID, map[string]any{"n": json.Number("7")}, "anna", "torn"))
	d.must(d.box.Edit(context.Background(), list[1].ID, map[string]any{"n": json.Number("7")}, "anna", "number was missing"))
	d.must(d.box.Replay(context.Background(), list[0].ID, deadletter.How{Who: "anna"}))
	if b := d.drain(); b.Delivered != 1 || b.Dead != 1 {
		t.Errorf("balance %+v", b)
	}
	// The second one turns out to be the same order: known, so no second effect.
	d.must(d.box.Replay(context.Background(), list[1].ID, deadletter.How{Who: "anna"}))
	if b := d.drain(); b.Delivered != 1 || b.Dead != 0 || b.Duplicates != 1 {
		t.Errorf("balance %+v", b)
	}
	if got := d.calls(); got != "one two" {
		t.Errorf("calls %q", got)
	}
}

// TestAClashIsReplayedAsItsOwn: who replays a message with a known key and another
// content has decided that it counts.
func TestAClashIsReplayedAsItsOwn(t *testing.T) {
	d := newDesk(t)
	d.send("queue", `{"n": 7, "who": "a"}`, false)
	d.send("queue", `{"n": 7, "who": "b"}`, false)
	if b := d.drain(); b.Delivered != 1 || b.Dead != 1 {
		t.Fatalf("balance %+v", b)
	}
	l := d.only(true)
	d.must(d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}))
	if b := d.drain(); b.Delivered != 2 || b.Dead != 0 {
		t.Errorf("balance %+v", b)
	}
	d.even()
	if len(d.seen) != 2 || d.seen[0].Key == d.seen[1].Key {
		t.Errorf("%d calls; the other side must not take it for a repeat", len(d.seen))
	}
}

func TestPersonalDataIsMasked(t *testing.T) {
	d := newDesk(t)
	d.answer = func(r connectors.Request) (connectors.Response, error) {
		if r.Operation == "two" {
			return connectors.Response{Status: 400, Raw: []byte("cannot ship to Ada Byron")}, nil
		}
		return connectors.Response{Status: 200, Body: map[string]any{"greeting": "Dear Ada Byron"}}, nil
	}
	d.send("two", order1, true)
	l := d.only(false)
	raw, err := json.Marshal(l)
	d.must(err)
	for _, secret := range []string{"Ada", "St James", "7946"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q is shown: %s", secret, raw)
		}
	}
	if l.Payload.(map[string]any)["n"] != json.Number("7") {
		t.Errorf("what is not personal is gone: %+v", l.Payload)
	}
	if shown := d.only(true); shown.Payload.(map[string]any)["to"] != "Ada Byron" {
		t.Errorf("reveal shows %+v", shown.Payload)
	}
}

func TestItemsOfASplitCanBeEdited(t *testing.T) {
	d := newDesk(t)
	d.failing("one", 400)
	d.send("lines", `{"n":1,"lines":[{"sku":"A"}]}`, true)
	l := d.only(true)
	d.must(d.box.Edit(context.Background(), l.ID, map[string]any{"sku": "B"}, "anna", "wrong item"))
	d.mend()
	d.must(d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"}))
	d.drain()
	if got := d.seen[len(d.seen)-1].Body; string(message.Marshal(got)) != `{"sku":"B"}` {
		t.Errorf("sent %s", message.Marshal(got))
	}
}

// TestFormSurvivesAReplay: a payload that did not come as JSON.
func TestFormSurvivesAReplay(t *testing.T) {
	d := newDesk(t)
	d.failing("one", 400)
	d.send("form", "n=7&name=Ada", true)
	d.mend()
	d.must(d.box.Replay(context.Background(), d.only(true).ID, deadletter.How{Who: "anna"}))
	d.drain()
	if got := string(message.Marshal(d.seen[len(d.seen)-1].Body)); got != `{"label":"for Ada","n":"7","to":"Ada"}` {
		t.Errorf("sent %s", got)
	}
}

func TestListPagesAndFilters(t *testing.T) {
	d := newDesk(t)
	d.failing("one", 400)
	for i := range 25 {
		d.send("two", strings.Replace(order1, `"n": 7`, `"n": `+string(rune('1'+i%9))+string(rune('0'+i/9)), 1), true)
	}
	d.failing("never", 400)
	d.send("never", `{"n":1}`, true)
	seen := map[string]bool{}
	q := deadletter.Query{Filter: deadletter.Filter{Pipeline: "two"}, Limit: 10}
	for pages := 0; ; pages++ {
		list, next, err := d.box.List(context.Background(), q)
		d.must(err)
		for _, l := range list {
			if seen[l.ID] || l.Pipeline != "two" || l.Payload != nil {
				t.Errorf("letter %+v", l)
			}
			seen[l.ID] = true
		}
		if next == "" {
			break
		}
		if q.After = next; pages > 10 {
			t.Fatal("the pages do not end")
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d letters, want 25", len(seen))
	}
}

func TestNotFound(t *testing.T) {
	d := newDesk(t)
	ctx := context.Background()
	d.send("two", order1, true) // delivered: no dead letter
	page, err := d.driver.Browse(ctx, queue.Query{View: queue.Recent})
	d.must(err)
	for _, id := range []string{"", "none", page.Entries[0].Message} {
		_, err := d.box.Show(ctx, id, true)
		for _, err := range []error{err, d.box.Replay(ctx, id, deadletter.How{Who: "a"}), d.box.Discard(ctx, id, "a", "b"), d.box.Edit(ctx, id, nil, "a", "b")} {
			if !errors.Is(err, deadletter.ErrNotFound) {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
}

// TestHoldsUp: who looks at a dead letter sees that others wait behind it.
func TestHoldsUp(t *testing.T) {
	d := newDesk(t)
	d.answer = func(connectors.Request) (connectors.Response, error) { return connectors.Response{Status: 400}, nil }
	d.send("queue", `{"n": 1, "who": "a"}`, true)
	if l := d.only(false); l.Holds == nil || l.Holds.First != "" {
		t.Errorf("nothing has come yet, it says %+v", l.Holds)
	}
	m := message.Message{Raw: []byte(`{"n": 2, "who": "a"}`), Meta: message.Meta{Source: "http"}}
	got, err := d.worker.Channel("queue", true).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.worker.Drain(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	if l := d.only(false); l.Holds == nil || l.Holds.First != got[0].IDs[0] {
		t.Errorf("%s waits, it says %+v", got[0].IDs[0], l.Holds)
	}
}

// TestHoldsNobodyUp: other dead letters say nothing of it.
func TestHoldsNobodyUp(t *testing.T) {
	d := newDesk(t)
	d.answer = func(connectors.Request) (connectors.Response, error) { return connectors.Response{Status: 400}, nil }
	d.send("two", `{"n": 3, "name": "x"}`, true)
	if l := d.only(false); l.Holds != nil {
		t.Errorf("it says %+v", l.Holds)
	}
}
