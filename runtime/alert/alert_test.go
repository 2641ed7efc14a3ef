package alert_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/dsl"
	"crossdock/runtime/alert"
	"crossdock/runtime/catalog"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// post is a workspace on the memory queue, a target that refuses orders where
// it is told to, and a receiver of alerts.
type post struct {
	t      *testing.T
	driver queue.Driver
	worker *worker.Worker
	watch  *alert.Watch

	refuse  bool // orders
	dumb    bool // the receiver of alerts
	told    []string
	bodies  []map[string]any
	reloads map[string]string
	sources map[string]string
}

// Deliver implements connectors.Sink.
func (p *post) Deliver(_ context.Context, r connectors.Request) (connectors.Response, error) {
	if r.Operation == "order" {
		if p.refuse {
			return connectors.Response{Status: 400}, nil
		}
		return connectors.Response{Status: 200}, nil
	}
	if p.dumb {
		return connectors.Response{Status: 400}, nil
	}
	body := r.Body.(map[string]any)
	p.told = append(p.told, fmt.Sprintf("%s %s: %s", r.Operation, body["status"], body["summary"]))
	p.bodies = append(p.bodies, body)
	return connectors.Response{Status: 200}, nil
}

// Close implements connectors.Sink.
func (p *post) Close() error { return nil }

var files = map[string]string{
	"t.connection.yaml": "connection: t\ntype: log\noperations:\n  order: {repeat: keyed}\n  ops: {repeat: keyed}\n  oncall: {repeat: keyed}\n",
	"orders.pipeline.yaml": "pipeline: orders\ntrigger: {http: {path: /orders, verify: none}}\nkey: [.n]\n" +
		"steps:\n  - {send: t.order}\n",
	"urgent.pipeline.yaml": "pipeline: urgent\ntrigger: {http: {path: /urgent, verify: none}}\nkey: [.n]\npolicy: urgent\n" +
		"steps:\n  - {send: t.order}\n",
}

func newPost(t *testing.T, settings string) *post {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, dir, name, text)
	}
	write(t, dir, "crossdock.yaml", "crossdock: 1\nname: shop\n"+settings)
	ws, list, err := dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	p := &post{t: t, driver: memory.Open(memory.Options{})}
	t.Cleanup(func() { p.driver.Close() })
	p.worker = worker.New(p.driver, slog.New(slog.DiscardHandler), journal.NewMeter(), worker.Options{Random: func() float64 { return 0 }})
	p.worker.Use(&worker.Live{WS: ws, Sinks: map[string]connectors.Sink{"t": p}, Generation: 1})
	p.watch = &alert.Watch{Driver: p.driver, Live: p.worker.Live, Troubles: func(context.Context) (map[string]string, map[string]string, error) {
		return p.reloads, p.sources, nil
	}}
	p.look()
	return p
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p *post) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// look looks once, delivers, and returns what was told since the last look.
func (p *post) look() string {
	p.t.Helper()
	before := len(p.told)
	p.must(p.watch.Look(context.Background(), time.Now()))
	_, err := p.worker.Drain(context.Background(), 1000)
	p.must(err)
	return strings.Join(p.told[before:], "\n")
}

// send makes n messages of a pipeline.
func (p *post) send(pipeline string, from, n int) {
	p.t.Helper()
	for i := range n {
		m := message.Message{Raw: fmt.Appendf(nil, `{"n":%d}`, from+i), Meta: message.Meta{Source: "http"}}
		_, err := p.worker.Channel(pipeline, true).Send(context.Background(), m)
		p.must(err)
	}
	_, err := p.worker.Drain(context.Background(), 1000)
	p.must(err)
}

const (
	ops  = "alerts: {ops: {send: t.ops}}\npolicies: {urgent: {dead_letter: {box: urgent}}}\n"
	both = "alerts: {ops: {send: t.ops, on: [dead_letter], dead_letters: 3, within: 10m, wait: 1m}, oncall: {send: t.oncall}}\n" +
		"policies: {urgent: {dead_letter: {box: urgent, alert: oncall}}}\n"
)

func (p *post) expect(want string) {
	p.t.Helper()
	if got := p.look(); got != want {
		p.t.Errorf("told %q, want %q", got, want)
	}
}

func TestToldOnceAgainAndWhenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, ops)
		p.expect("")
		p.refuse = true
		p.send("orders", 1, 2)
		p.expect("ops firing: 2 dead letters in the box general, the last one: orders: t.order answered 400: no body")
		for range 20 {
			time.Sleep(10 * time.Minute)
			p.expect("")
		}
		p.send("orders", 10, 1)
		p.expect("")
		time.Sleep(time.Hour)
		p.expect("ops firing: 3 dead letters in the box general, the last one: orders: t.order answered 400: no body")
		box := &deadletter.Box{Driver: p.driver, Live: p.worker.Live}
		list, _, err := box.List(context.Background(), deadletter.Query{})
		p.must(err)
		for _, l := range list {
			p.must(box.Discard(context.Background(), l.ID, "anna", "test"))
		}
		time.Sleep(time.Minute)
		p.expect("ops resolved: over: 3 dead letters in the box general, the last one: orders: t.order answered 400: no body")
		time.Sleep(time.Minute)
		p.expect("")
		p.send("orders", 20, 1)
		p.expect("ops firing: 1 dead letter in the box general, the last one: orders: t.order answered 400: no body")
	})
}

func TestBoxesAndRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, both)
		p.refuse = true
		p.send("orders", 1, 2)
		p.expect("") // ops hears of three, and oncall of another box
		time.Sleep(11 * time.Minute)
		p.send("orders", 5, 2)
		p.expect("") // these two, and two that are too old
		p.send("urgent", 1, 1)
		p.expect("oncall firing: 1 dead letter in the box urgent, the last one: urgent: t.order answered 400: no body")
		time.Sleep(time.Minute)
		p.send("orders", 8, 1)
		if got := p.look(); !strings.HasPrefix(got, "ops firing: 3 dead letters in the box general") {
			t.Errorf("told %q", got)
		}
	})
}

// TestAStormIsOneMessage: what comes within a short time is told together.
func TestAStormIsOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, ops)
		p.reloads = map[string]string{"host1": "no such operation"}
		p.expect("ops firing: the definitions are refused on host1: no such operation")
		p.sources = map[string]string{}
		for i := range 40 {
			p.sources[fmt.Sprintf("poll%02d", i)] = "no route to host"
			time.Sleep(500 * time.Millisecond)
			p.expect("")
		}
		delete(p.sources, "poll03") // over before anybody heard of it
		time.Sleep(15 * time.Second)
		p.expect("ops firing: the source of poll00 fails: no route to host (and 38 more)")
		last := p.bodies[len(p.bodies)-1]
		if fmt.Sprint(last["count"]) != "39" || len(last["items"].([]any)) != 20 {
			t.Errorf("body %v", last)
		}
		if last["alert"] != "ops" || last["workspace"] != "shop" {
			t.Errorf("body %v", last)
		}
	})
}

// TestAlertsDoNotAlert: an alert that cannot be delivered is a dead letter in
// its own box, and no incident.
func TestAlertsDoNotAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, ops)
		p.refuse, p.dumb = true, true
		p.send("orders", 1, 1)
		for range 50 {
			p.look()
			time.Sleep(time.Minute)
		}
		page, err := p.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.DeadJob, Box: "alerts"})
		p.must(err)
		if len(page.Jobs) != 1 {
			t.Errorf("%d alerts are dead letters, want 1", len(page.Jobs))
		}
		p.dumb = false
		for range 60 {
			time.Sleep(time.Minute)
			if got := p.look(); got != "" {
				t.Errorf("told %q", got)
			}
		}
	})
}

func TestLagAndWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, "alerts: {ops: {send: t.ops, lag: 10m, wait: 1s}}\npolicies: {urgent: {dead_letter: {box: urgent}}}\n")
		job := func(id, lane, reason string) {
			_, err := p.driver.Apply(context.Background(), queue.Commit{Jobs: []queue.Job{{ID: id, Lane: lane}}})
			p.must(err)
			leases, err := p.driver.Lease(context.Background(), queue.Want{Lane: lane, Max: 1, TTL: time.Minute})
			p.must(err)
			_, err = p.driver.Apply(context.Background(), queue.Commit{Finish: []queue.Finish{{Lease: leases[0], Outcome: queue.Park, Reason: reason, At: time.Now().Add(time.Hour)}}})
			p.must(err)
		}
		job("a", "in/held", "erp.create fails and is cut off by its breaker")
		job("b", "in/drifting", "quarantined: the payload is not a valid order@1")
		job("c", "in/alerts/ops", "slack: closed")
		got := p.look()
		if !strings.Contains(got, "(and 1 more)") || !strings.HasPrefix(got, "ops firing: ") {
			t.Errorf("told %q", got)
		}
		text := fmt.Sprint(p.bodies[0]["items"])
		for _, want := range []string{"breaker", "erp.create is cut off", "drift", "in/drifting do not fit"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in %s", want, text)
			}
		}
		time.Sleep(11 * time.Minute)
		p.look()
		text = fmt.Sprint(p.bodies[1]["items"])
		if strings.Count(text, "waits for more than 10m") != 2 || strings.Contains(text, "alerts/ops") {
			t.Errorf("items %s", text)
		}
	})
}

// TestCalledForAMoment: what is held is called to see whether it fits now, and is
// held again. That is not the end of the incident.
func TestCalledForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, "alerts: {ops: {send: t.ops, wait: 1s}}\npolicies: {urgent: {dead_letter: {box: urgent}}}\n")
		const lane = "in/drifting"
		apply := func(c queue.Commit) {
			t.Helper()
			_, err := p.driver.Apply(context.Background(), c)
			p.must(err)
		}
		lease := func() queue.Lease {
			leases, err := p.driver.Lease(context.Background(), queue.Want{Lane: lane, Max: 1, TTL: time.Minute})
			p.must(err)
			return leases[0]
		}
		hold := func(l queue.Lease) {
			apply(queue.Commit{Finish: []queue.Finish{{Lease: l, Outcome: queue.Park, Reason: "quarantined: it is not a valid order@1", At: time.Now().Add(time.Hour)}}})
		}
		apply(queue.Commit{Jobs: []queue.Job{{ID: "a", Lane: lane}}})
		hold(lease())
		if got := p.look(); !strings.HasPrefix(got, "ops firing: ") {
			t.Fatalf("told %q", got)
		}
		l := lease() // Drain has called it
		time.Sleep(2 * time.Second)
		if got := p.look(); got != "" {
			t.Errorf("while it is looked at again: told %q", got)
		}
		hold(l)
		time.Sleep(5 * time.Second)
		if got := p.look(); got != "" {
			t.Errorf("when it is held again: told %q", got)
		}
		apply(queue.Commit{Finish: []queue.Finish{{Lease: lease(), Outcome: queue.Done}}})
		p.look()
		time.Sleep(15 * time.Second)
		if got := p.look(); !strings.HasPrefix(got, "ops resolved: ") && !strings.HasPrefix(got, "ops over: ") {
			t.Errorf("when it has gone on: told %q", got)
		}
	})
}
