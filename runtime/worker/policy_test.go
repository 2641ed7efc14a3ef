package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// port is a running worker on the memory store, inside a synctest bubble, whose
// only connection t has a guard.
type port struct {
	*testing.T
	driver queue.Driver
	worker *worker.Worker
	guard  *policy.Guard
	meter  *journal.Meter
	begin  time.Time
	leave  func() time.Duration // ends the worker, and tells how long that took
	files  map[string]string

	mu     sync.Mutex
	answer func(r connectors.Request) (connectors.Response, error)
	took   time.Duration // of every call
	flying int
	most   int
	seen   []call
}

type call struct {
	at time.Duration // since the beginning
	n  string
}

// newPort starts the worker. pipelines are texts of definitions by name.
func newPort(t *testing.T, l policy.Limits, policies string, pipelines ...string) *port {
	t.Helper()
	files := map[string]string{
		"crossdock.yaml":    "crossdock: 1\ndefaults: {policy: p}\npolicies:\n  p: {retry: {attempts: 3, wait: 1s, grow: 1, jitter: 0, on: [timeout, 429, 5xx]}}\n" + policies,
		"t.connection.yaml": "connection: t\ntype: log\noperations:\n" + operations,
	}
	for i, text := range pipelines {
		kind, _, _ := strings.Cut(text, ":")
		files[fmt.Sprintf("p%d.%s.yaml", i, kind)] = text
	}
	ws := load(t, files)
	p := &port{T: t, files: files, driver: memory.Open(memory.Options{}), begin: time.Now()}
	l.Name, l.Store = "t", p.driver
	for name := range ws.Connections["t"].Operations {
		l.Operations = append(l.Operations, name)
	}
	if l.Concurrency == 0 {
		l.Concurrency = 64
	}
	p.guard = policy.NewGuard(l)
	p.meter = journal.NewMeter()
	p.run(&worker.Live{WS: ws, Sinks: map[string]connectors.Sink{"t": sink(p.deliver)}, Guards: map[string]*policy.Guard{"t": p.guard}})
	return p
}

// run starts a worker on the store.
func (p *port) run(l *worker.Live) {
	p.worker = worker.New(p.driver, slog.New(slog.DiscardHandler), p.meter, worker.Options{Random: func() float64 { return 0 }})
	p.worker.Use(l)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.worker.Run(ctx) }()
	p.leave = func() time.Duration {
		began := time.Now()
		cancel()
		if err := <-ended; err != nil {
			p.Error(err)
		}
		return time.Since(began)
	}
}

func (p *port) stop() {
	p.leave()
	p.driver.Close()
}

func (p *port) deliver(ctx context.Context, r connectors.Request) (connectors.Response, error) {
	p.mu.Lock()
	body, _ := r.Body.(map[string]any)
	p.seen = append(p.seen, call{time.Since(p.begin), fmt.Sprint(body["n"])})
	p.flying++
	p.most = max(p.most, p.flying)
	took, answer := p.took, p.answer
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.flying--
		p.mu.Unlock()
	}()
	if took > 0 {
		time.Sleep(took) // the clock of the bubble
	}
	if answer != nil {
		return answer(r)
	}
	return connectors.Response{Status: 200}, nil
}

// peak returns how many calls were under way at the same time since it was asked
// last.
func (p *port) peak() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := p.most
	p.most = p.flying
	return most
}

func (p *port) answers(f func(r connectors.Request) (connectors.Response, error)) {
	p.mu.Lock()
	p.answer = f
	p.mu.Unlock()
}

// changed returns the definitions with another schema.
func (p *port) changed(schema string) map[string]string {
	out := maps.Clone(p.files)
	for name := range out {
		if strings.HasSuffix(name, ".schema.yaml") {
			out[name] = schema
		}
	}
	return out
}

func status(n int, headers ...string) func(connectors.Request) (connectors.Response, error) {
	h := map[string]string{}
	for i := 0; i+1 < len(headers); i += 2 {
		h[headers[i]] = headers[i+1]
	}
	return func(connectors.Request) (connectors.Response, error) {
		return connectors.Response{Status: n, Headers: h}, nil
	}
}

func (p *port) calls() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

func (p *port) send(pipeline string, bodies ...string) {
	p.Helper()
	var msgs []message.Message
	for _, b := range bodies {
		msgs = append(msgs, message.Message{Raw: []byte(b), Meta: message.Meta{Source: "http", ReceivedAt: time.Now()}})
	}
	if _, err := p.worker.Channel(pipeline, true).Send(context.Background(), msgs...); err != nil {
		p.Fatal(err)
	}
}

// many sends messages n from..to-1, each with a key of its own.
func (p *port) many(pipeline string, from, to int) {
	p.Helper()
	for part := range slices.Chunk(numbers(from, to), 1000) {
		var bodies []string
		for _, n := range part {
			bodies = append(bodies, fmt.Sprintf(`{"n":%d,"k":"k%d"}`, n, n))
		}
		p.send(pipeline, bodies...)
	}
}

func numbers(from, to int) []int {
	var out []int
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

func (p *port) jobs(s queue.State) []queue.JobInfo {
	page, err := p.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, State: s, Limit: 200000})
	if err != nil {
		p.Fatal(err)
	}
	return page.Jobs
}

func (p *port) left() int {
	page, err := p.driver.Browse(context.Background(), queue.Query{View: queue.Lanes})
	if err != nil {
		p.Fatal(err)
	}
	n := 0
	for _, l := range page.Lanes {
		n += l.Ready + l.Leased + l.Delayed
		for _, k := range l.Parked {
			n += k
		}
	}
	return n
}

// pass lets the clock go on, and everything settle.
func (p *port) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (p *port) story(message string) string {
	page, err := p.driver.Browse(context.Background(), queue.Query{View: queue.ByMsg, ID: message, Limit: 1000})
	if err != nil {
		p.Fatal(err)
	}
	var lines []string
	for _, e := range page.Entries {
		lines = append(lines, strings.TrimSpace(string(e.Kind)+" "+e.Detail))
	}
	return strings.Join(lines, "\n")
}

func (p *port) even() journal.Balance {
	p.Helper()
	b, err := journal.ReadBalance(context.Background(), p.driver, "")
	if err != nil {
		p.Fatal(err)
	}
	if b.Unaccounted != 0 {
		p.Errorf("unaccounted: %+v", b)
	}
	return b
}

func ordered(name, policy, op string) string {
	return "pipeline: " + name + "\ntrigger: {http: {path: /" + name + ", verify: none}}\nkey: [.n]\norder_by: .k\npolicy: " + policy + "\nsteps: [{send: t." + op + "}]\n"
}

func TestRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{Rate: 20, Per: time.Second}, "", ordered("p", "p", "safe"))
		p.many("p", 0, 1000)
		p.pass(10 * time.Second)
		perSecond := map[int]int{}
		for _, c := range p.calls() {
			perSecond[int(c.at/time.Second)]++
		}
		for s, n := range perSecond {
			if n > 22 || s < 9 && n < 19 {
				t.Errorf("%d calls in second %d", n, s)
			}
		}
		parked := p.jobs(queue.Parked)
		if len(parked) == 0 {
			t.Fatal("nothing is parked")
		}
		for _, j := range parked {
			if j.Reason != "t: the rate of 20 in 1s is reached" || j.Attempts != 0 {
				t.Fatalf("parked: %+v", j)
			}
		}
		p.pass(50 * time.Second)
		if n := len(p.calls()); n != 1000 {
			t.Errorf("%d of 1000 went out in a minute", n)
		}
		if b := p.even(); b.Delivered != 1000 {
			t.Errorf("%+v", b)
		}
		p.stop()
	})
}

func TestQuotaKeepsTheRestForCriticalWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := 24 * time.Hour
		p := newPort(t, policy.Limits{Quota: 100, Period: policy.Day, Zone: time.UTC, Reserve: 20}, "  c: {extends: p, priority: critical}\n",
			ordered("p", "p", "safe"), ordered("c", "c", "safe"))
		p.many("p", 0, 90)
		p.pass(time.Minute)
		if n := len(p.calls()); n != 80 {
			t.Errorf("%d calls of normal work", n)
		}
		p.many("c", 100, 130)
		p.pass(time.Minute)
		if n := len(p.calls()); n != 100 {
			t.Errorf("%d calls in all", n)
		}
		parked := p.jobs(queue.Parked)
		if len(parked) != 20 {
			t.Fatalf("%d are parked", len(parked))
		}
		midnight := p.begin.Truncate(day).Add(day)
		for _, j := range parked {
			if !j.Due.Equal(midnight) || j.Attempts != 0 || !strings.Contains(j.Reason, "the quota of 100 a day is spent until") {
				t.Fatalf("parked until %s: %+v", j.Due, j)
			}
		}
		p.pass(time.Until(midnight.Add(time.Minute)))
		if n := len(p.calls()); n != 120 || p.left() != 0 {
			t.Errorf("%d calls after midnight, %d left", n, p.left())
		}
		p.stop()
	})
}

func TestRetryAfterPausesTheOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{}, "", ordered("p", "p", "keyed"), ordered("other", "p", "safe"))
		p.answers(status(429, "retry-after", "120"))
		p.many("p", 0, 1)
		p.pass(time.Second)
		p.many("p", 1, 50)
		p.answers(nil)
		p.pass(118 * time.Second)
		if n := len(p.calls()); n != 1 {
			t.Fatalf("%d calls before the pause was over", n)
		}
		p.many("other", 50, 51)
		p.pass(time.Second / 2)
		if n := len(p.calls()); n != 2 {
			t.Fatalf("%d calls: another operation of the connection was held up", n)
		}
		for _, j := range p.jobs(queue.Parked) {
			if j.Attempts != 0 || j.Reason != "t.keyed asked for a pause" {
				t.Fatalf("%+v", j)
			}
		}
		p.pass(10 * time.Second)
		if n := len(p.calls()); n != 52 || p.left() != 0 { // 50, the refused one, and the other operation
			t.Errorf("%d calls, %d left", n, p.left())
		}
		p.even()
		p.stop()
	})
}

func TestPausesEndInADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{}, "  short: {extends: p, retry: {give_up_after: 2h}}\n", ordered("p", "short", "keyed"))
		p.answers(status(429, "retry-after", "600"))
		p.many("p", 0, 1)
		p.pass(119 * time.Minute)
		if len(p.jobs(queue.DeadJob)) != 0 {
			t.Fatal("it died too early")
		}
		p.pass(20 * time.Minute)
		dead := p.jobs(queue.DeadJob)
		if len(dead) == 0 {
			p.stop()
			t.Fatalf("%+v", p.calls())
		}
		if len(dead) != 1 || !strings.Contains(dead[0].Reason, "gave up after 2h") || dead[0].Attempts != 0 {
			t.Fatalf("%+v", dead)
		}
		if n := len(p.calls()); n != 13 {
			t.Errorf("%d calls", n)
		}
		p.even()
		p.stop()
	})
}

func TestBreakerParksAndDrainsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{Trip: policy.Trip{Failures: 5, Within: 30 * time.Second, Probe: time.Minute}}, "", ordered("p", "p", "keyed"))
		p.answers(status(503))
		const keys, each = 300, 3
		for i := range each {
			for k := range keys {
				p.send("p", fmt.Sprintf(`{"n":"%d-%d","k":"k%d"}`, k, i, k))
			}
			p.pass(time.Second)
		}
		p.pass(10*time.Minute - time.Since(p.begin))
		before := p.calls()
		var probes int
		for _, c := range before {
			if c.at > 10*time.Second {
				probes++
			}
		}
		if probes > 10 || probes < 8 {
			t.Errorf("%d probes in ten minutes", probes)
		}
		if len(p.jobs(queue.DeadJob)) != 0 {
			t.Fatalf("there are dead letters: %+v", p.jobs(queue.DeadJob)[0])
		}
		for _, j := range p.jobs(queue.Parked) {
			if j.Attempts > 1 || j.Reason != "t.keyed fails and is cut off by its breaker" {
				t.Fatalf("%+v", j)
			}
		}
		p.answers(nil)
		p.mu.Lock()
		p.took, p.most = 10*time.Millisecond, 0
		p.mu.Unlock()
		p.pass(90 * time.Second)
		if p.left() != 0 {
			t.Fatalf("%d are left", p.left())
		}
		last, first := map[string]int{}, time.Duration(0)
		for _, c := range p.calls()[len(before):] {
			var k, i int
			fmt.Sscanf(c.n, "%d-%d", &k, &i)
			if i != last[fmt.Sprint(k)] {
				t.Fatalf("key %d: got %d, want %d", k, i, last[fmt.Sprint(k)])
			}
			last[fmt.Sprint(k)]++
			if first == 0 {
				first = c.at
			}
		}
		burst := 0
		for _, c := range p.calls()[len(before):] {
			if c.at < first+15*time.Millisecond {
				burst++
			}
		}
		if burst > 4 {
			t.Errorf("%d calls at once when it worked again", burst)
		}
		if b := p.even(); b.Delivered != keys*each {
			t.Errorf("%+v", b)
		}
		p.stop()
	})
}

func TestMaintenanceHoldsAndDrainsByPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		window := &policy.Window{Name: "patching", Lasts: time.Hour, Rate: 10, Per: time.Second, Try: [4]bool{true, false, false, false},
			Next: func(at time.Time) time.Time { // once, in ten minutes
				if b := begin.Add(10 * time.Minute); b.After(at) {
					return b
				}
				return time.Time{}
			}}
		p := newPort(t, policy.Limits{Windows: []*policy.Window{window}}, "  c: {extends: p, priority: critical}\n  h: {extends: p, priority: high}\n  l: {extends: p, priority: low}\n",
			ordered("c", "c", "safe"), ordered("h", "h", "safe"), ordered("l", "l", "safe"))
		p.many("l", 0, 1)
		p.pass(time.Minute)
		p.pass(10 * time.Minute)
		p.many("l", 1000, 1100)
		p.many("h", 2000, 2050)
		p.many("c", 3000, 3001)
		p.pass(time.Minute)
		if n := len(p.calls()); n != 2 {
			t.Fatalf("%d calls in the window", n)
		}
		end := begin.Add(70 * time.Minute)
		for _, j := range p.jobs(queue.Parked) {
			if !j.Due.Equal(end) || j.Attempts != 0 || j.Reason != "t is closed until "+end.Format("2006-01-02 15:04 MST")+" (patching)" {
				t.Fatalf("due %s: %+v", j.Due, j)
			}
			// Whoever reads the history sits in another zone than who wrote it.
			if want := "; looked at again by " + end.UTC().Format(time.DateTime) + " UTC"; !strings.Contains(p.story(j.ID), want) {
				t.Fatalf("the story does not say %q:\n%s", want, p.story(j.ID))
			}
		}
		p.pass(time.Until(end) + 3*time.Second)
		if n := len(p.calls()) - 2; n < 20 || n > 35 {
			t.Errorf("%d of those that were held went out in 3 s", n)
		}
		high := 0
		for _, c := range p.calls()[2:] {
			if strings.HasPrefix(c.n, "2") {
				high++
			}
		}
		if high < len(p.calls())-4 {
			t.Errorf("only %d of %d were urgent", high, len(p.calls())-2)
		}
		p.many("l", 5000, 5001)
		p.pass(time.Second)
		if c := p.calls(); !slices.ContainsFunc(c, func(c call) bool { return c.n == "5000" }) {
			t.Error("a new message waited for those that were held")
		}
		p.pass(30 * time.Second)
		if n := len(p.calls()); n != 153 || p.left() != 0 {
			t.Errorf("%d calls, %d left", n, p.left())
		}
		p.even()
		p.stop()
	})
}

// TestBulkDoesNotDelayTheUrgent: a lane of 20,000 bulk messages and a trickle of
// critical ones share a connection of 16 places, 100 ms a call.
func TestBulkDoesNotDelayTheUrgent(t *testing.T) {
	for _, reserve := range []int{0, 20} {
		synctest.Test(t, func(t *testing.T) {
			p := newPort(t, policy.Limits{Concurrency: 16, Reserve: reserve}, "  c: {extends: p, priority: critical}\n  l: {extends: p, priority: low}\n",
				ordered("c", "c", "safe"), ordered("l", "l", "safe"))
			p.took = 100 * time.Millisecond
			p.many("l", 0, 20000)
			p.pass(time.Second)
			var waits []time.Duration
			sent := map[string]time.Duration{}
			for n := range 100 {
				id := fmt.Sprint(100000 + n)
				sent[id] = time.Since(p.begin)
				p.many("c", 100000+n, 100001+n)
				p.pass(137 * time.Millisecond)
			}
			p.pass(time.Second)
			low := 0
			for _, c := range p.calls() {
				if at, ok := sent[c.n]; ok {
					waits = append(waits, c.at-at+p.took)
				} else {
					low++
				}
			}
			slices.Sort(waits)
			if len(waits) != 100 || waits[98] > 2*p.took+5*time.Millisecond {
				t.Errorf("reserve %d: %d critical messages, p99 %s where %s is the least", reserve, len(waits), waits[98], p.took)
			}
			if reserve > 0 && waits[98] > p.took+5*time.Millisecond {
				t.Errorf("with a reserve: p99 %s", waits[98])
			}
			if low < 1500 {
				t.Errorf("low work stood still: %d", low)
			}
			p.stop()
		})
	}
}

// TestLooksAreCounted: the look for an effect is a call of the other system, too.
func TestLooksAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{Quota: 3, Period: policy.Day, Zone: time.UTC}, "", ordered("p", "p", "check"))
		p.answers(func(r connectors.Request) (connectors.Response, error) {
			if r.Operation == "look" {
				return connectors.Response{Status: 200, Body: map[string]any{"found": true}}, nil
			}
			return connectors.Response{}, timeout
		})
		p.many("p", 0, 1)
		p.pass(time.Minute)
		if n, of := p.guard.Show(time.Now(), nil).Used, 3; n != of || p.left() != 0 {
			t.Errorf("%d of %d counted: an attempt, the next one and its look; %d left", n, of, p.left())
		}
		p.stop()
	})
}

func TestBulkUsesFewerPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{Concurrency: 10000}, "  l: {extends: p, priority: low}\n", ordered("p", "p", "safe"), ordered("l", "l", "safe"))
		p.took = time.Second
		p.many("l", 0, 700)
		p.pass(time.Millisecond)
		if most := p.peak(); most != 128 {
			t.Errorf("%d bulk messages at a time", most)
		}
		p.pass(time.Minute)
		p.many("p", 1000, 1700)
		p.pass(time.Millisecond)
		if most := p.peak(); most != 512 {
			t.Errorf("%d messages at a time", most)
		}
		p.pass(time.Minute)
		if p.left() != 0 {
			t.Errorf("%d are left", p.left())
		}
		p.stop()
	})
}

func TestOnlyTheLatestOfAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{Concurrency: 1}, "  c: {extends: p, order: none, collapse: latest_per_key}\n", ordered("p", "c", "safe"))
		p.took = time.Second
		p.send("p", `{"n":0,"k":"busy"}`)
		p.send("p", `{"n":1,"k":"a"}`)
		p.pass(time.Millisecond)
		for n := 2; n <= 5; n++ {
			p.send("p", fmt.Sprintf(`{"n":%d,"k":"a"}`, n))
		}
		p.send("p", `{"n":3,"k":"a"}`, `{"n":21,"k":"c"}`, `{"n":22,"k":"c"}`) // the first is a repeat
		p.pass(30 * time.Second)
		// The first message of a is at work, waiting for the only place, when the
		// others come; 3 comes again and must not take the place of 5.
		var got []string
		for _, c := range p.calls() {
			got = append(got, c.n)
		}
		slices.Sort(got)
		if want := []string{"0", "1", "22", "5"}; !slices.Equal(got, want) {
			t.Errorf("sent: %q, want %q", got, want)
		}
		b := p.even()
		if b.Delivered != 4 || b.Filtered != 4 || p.left() != 0 {
			t.Errorf("%+v, %d left", b, p.left())
		}
		page, err := p.driver.Browse(context.Background(), queue.Query{View: queue.Recent, Kind: queue.Filtered, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			if !strings.Contains(e.Detail, "with the same order_by takes its place") {
				t.Errorf("filtered: %s", e.Detail)
			}
		}
		p.stop()
	})
}

func TestADeadLetterBlocksItsKey(t *testing.T) {
	for _, end := range []string{"replay", "replay that fails", "discard"} {
		synctest.Test(t, func(t *testing.T) {
			p := newPort(t, policy.Limits{}, "  b: {extends: p, on_dead_letter: block}\n", ordered("p", "b", "keyed"))
			p.answers(status(400))
			p.send("p", `{"n":1,"k":"a"}`)
			p.pass(time.Second)
			p.answers(nil)
			p.send("p", `{"n":2,"k":"a"}`, `{"n":3,"k":"a"}`, `{"n":4,"k":"other"}`)
			p.pass(time.Hour)
			if got := fmt.Sprint(names(p.calls())); got != "[1 4]" {
				t.Fatalf("%s: sent behind the dead letter: %s", end, got)
			}
			parked, dead := p.jobs(queue.Parked), p.jobs(queue.DeadJob)
			if len(parked) != 1 || parked[0].Reason != "waits behind a dead letter with the same order_by" || len(dead) != 1 {
				t.Fatalf("%s: parked %+v, dead %+v", end, parked, dead)
			}
			box := &deadletter.Box{Driver: p.driver, Live: p.worker.Live}
			want := "[1 4 1 2 3]"
			var err error
			switch end {
			case "discard":
				err, want = box.Discard(context.Background(), dead[0].ID, "ann", "test"), "[1 4 2 3]"
			case "replay that fails":
				p.answers(status(400))
				err = box.Replay(context.Background(), dead[0].ID, deadletter.How{Who: "ann", Reason: "test"})
				p.pass(time.Hour)
				if got := fmt.Sprint(names(p.calls())); got != "[1 4 1]" || err != nil {
					t.Fatalf("%s: %s, %v", end, got, err)
				}
				p.answers(nil)
				err, want = box.Replay(context.Background(), dead[0].ID, deadletter.How{Who: "ann", Reason: "test"}), "[1 4 1 1 2 3]"
			default:
				err = box.Replay(context.Background(), dead[0].ID, deadletter.How{Who: "ann", Reason: "test"})
			}
			if err != nil {
				t.Fatal(err)
			}
			p.pass(time.Second)
			if got := fmt.Sprint(names(p.calls())); got != want || p.left() != 0 {
				t.Errorf("%s: %s, want %s; %d left", end, got, want, p.left())
			}
			p.even()
			p.stop()
		})
	}
}

// TestWhoComesDuringAReplayIsCalled: a message that comes to wait behind a dead
// letter while that is being sent again goes on as soon as that has ended,
// whichever way.
func TestWhoComesDuringAReplayIsCalled(t *testing.T) {
	for _, again := range []int{200, 400} {
		synctest.Test(t, func(t *testing.T) {
			p := newPort(t, policy.Limits{}, "  b: {extends: p, on_dead_letter: block}\n", ordered("p", "b", "keyed"))
			p.answers(status(400))
			p.send("p", `{"n":1,"k":"a"}`)
			p.pass(time.Second)
			box := &deadletter.Box{Driver: p.driver, Live: p.worker.Live}
			dead := p.jobs(queue.DeadJob)
			if again == 200 {
				p.answers(nil)
			}
			p.took = 5 * time.Second
			if err := box.Replay(context.Background(), dead[0].ID, deadletter.How{Who: "ann", Reason: "test"}); err != nil {
				t.Fatal(err)
			}
			p.pass(time.Second)
			p.send("p", `{"n":2,"k":"a"}`)
			p.pass(10 * time.Second)
			want := "[1 1 2]"
			if again == 400 {
				if got := fmt.Sprint(names(p.calls())); got != "[1 1]" {
					t.Fatalf("sent behind the dead letter: %s", got)
				}
				p.answers(nil)
				if err := box.Discard(context.Background(), dead[0].ID, "ann", "test"); err != nil {
					t.Fatal(err)
				}
				p.pass(6 * time.Second)
			}
			if got := fmt.Sprint(names(p.calls())); got != want || p.left() != 0 {
				t.Errorf("%s, want %s; %d left", got, want, p.left())
			}
			p.even()
			p.stop()
		})
	}
}

func names(calls []call) []string {
	var out []string
	for _, c := range calls {
		out = append(out, c.n)
	}
	return out
}

const quarantined = `pipeline: q
trigger: {http: {path: /q, verify: none}}
accept: thing@1
on_schema_drift: quarantine
key: [.n]
order_by: .k
trace_by: {n: .n}
steps: [{send: t.safe}]
`

func thing(fields string) string {
	return "schema: thing@1\nfields:\n  k: string\n" + fields
}

func TestDriftIsHeldUntilItFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{}, "", quarantined, thing("  n: {type: integer, required: true}\n"))
		p.send("q", `{"n":1,"k":"a"}`, `{"n":"2","k":"a"}`, `{"n":"2","k":"a"}`, `{"no":7}`)
		p.pass(time.Second)
		parked := p.jobs(queue.Parked)
		if len(parked) != 3 || parked[0].Reason != "quarantined: it does not fit thing@1" || fmt.Sprint(names(p.calls())) != "[1]" {
			t.Fatalf("parked %+v, sent %s", parked, names(p.calls()))
		}
		if s := p.story(parked[0].ID); !strings.Contains(s, "accepted") || !strings.Contains(s, "parked quarantined: it does not fit thing@1: n: ") {
			t.Errorf("story:\n%s", s)
		}
		held, err := p.driver.Browse(context.Background(), queue.Query{View: queue.ByRef, Ref: queue.Ref{Type: "n", Value: "2"}})
		if err != nil || len(held.Entries) != 4 {
			t.Errorf("what is held is not found by its number: %+v, %v", held.Entries, err)
		}
		// A definition that takes both; the parked are called as a reload does.
		ws := load(t, p.changed(thing("  n: {type: any, required: true}\n")))
		live := *p.worker.Live()
		live.WS = ws
		p.worker.Use(&live)
		if err := worker.Unpark(context.Background(), p.driver, parked); err != nil {
			t.Fatal(err)
		}
		p.pass(time.Second)
		if got := fmt.Sprint(names(p.calls())); got != "[1 2]" {
			t.Errorf("sent %s", got)
		}
		if parked := p.jobs(queue.Parked); len(parked) != 1 {
			t.Errorf("parked %+v", parked)
		}
		if b := p.even(); b.Delivered != 2 || b.Open != 1 {
			t.Errorf("%+v", b)
		}
		p.stop()
	})
}
