package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/deadletter"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
)

// moody is a target that refuses everything until it is mended, remembers what
// it took by idempotency key, and hears alerts.
type moody struct {
	*httptest.Server

	mu     sync.Mutex
	mended bool
	took   map[string]map[string]string // message -> key -> name that was sent
	calls  int                          // after it was mended
	alerts map[string]map[string]int    // alert and status -> key -> calls
	hold   chan struct{}                // closed at the first alert, which is not answered
}

func newMoody(t *testing.T) *moody {
	m := &moody{took: map[string]map[string]string{}, alerts: map[string]map[string]int{}, hold: make(chan struct{})}
	m.Server = httptest.NewServer(m)
	m.Config.Handler = m
	t.Cleanup(m.Close)
	return m
}

// ServeHTTP implements http.Handler.
func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ N, Name, Alert, Status string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.URL.Path == "/bell" {
		what := in.Alert + " " + in.Status
		first := len(m.alerts) == 0
		if m.alerts[what] == nil {
			m.alerts[what] = map[string]int{}
		}
		m.alerts[what][key]++
		if first {
			close(m.hold)
			m.mu.Unlock()
			<-r.Context().Done() // until its sender has died
			m.mu.Lock()
		}
		return
	}
	if !m.mended {
		status := http.StatusUnprocessableEntity
		if r.URL.Path == "/late" {
			status = http.StatusServiceUnavailable
		}
		http.Error(w, "not now", status)
		return
	}
	m.calls++
	if m.took[in.N] == nil {
		m.took[in.N] = map[string]string{}
	}
	m.took[in.N][key] = in.Name
}

func (m *moody) mend() { m.mu.Lock(); m.mended = true; m.mu.Unlock() }

// lettered is a fleet whose pipelines come to nothing until the target is mended.
func lettered(t *testing.T, alerts string) (*fleet, *moody) {
	m := newMoody(t)
	f := newFleet(t, 0)
	save := func(name, text string) {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in.pipeline.yaml", "feed.pipeline.yaml", "feed.connection.yaml", "target.connection.yaml", "out.mapping.yaml"} {
		if err := os.Remove(filepath.Join(f.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	save("crossdock.yaml", "crossdock: 1\ndefaults: {policy: quick}\npolicies:\n  quick: {retry: {attempts: 200, wait: 200ms, grow: 1, on: [timeout, connection, 5xx]}}\n"+alerts)
	save("shop.connection.yaml", "connection: shop\ntype: http\nbase_url: "+m.URL+"\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /in, repeat: keyed}\n  late: {post: /late, repeat: keyed}\n  bell: {post: /bell, repeat: keyed}\n")
	for _, name := range []string{"again", "gone", "fixed", "late"} {
		op := "put"
		if name == "late" {
			op = "late"
		}
		save(name+".pipeline.yaml", "pipeline: "+name+"\ntrigger: {http: {path: /"+name+", verify: none}}\nkey: .n\ntrace_by: {n: .n}\nsteps:\n  - {send: shop."+op+"}\n")
	}
	return f, m
}

func (f *fleet) post(pipeline string, n int) {
	f.t.Helper()
	body := fmt.Sprintf(`{"n":"%s-%d","name":"as sent"}`, pipeline, n)
	resp, err := http.Post("http://"+f.up()[0].http+"/"+pipeline, "application/json", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		f.t.Fatalf("%s: %d", body, resp.StatusCode)
	}
}

// dlq runs a command on dead letters, as a person does.
func (f *fleet) dlq(args ...string) {
	f.t.Helper()
	r := f.up()[0]
	out, err := exec.Command(f.binary, append(append([]string{"dlq"}, args...), "--dir", f.dir, "--state", r.state, "--admin", "http://"+r.admin)...).CombinedOutput()
	if err != nil {
		f.t.Fatalf("dlq %v: %v\n%s", args, err, out)
	}
}

// asked waits until the control API of a replica shows what is wanted.
func asked[T any](f *fleet, path string, v *T, ok func(*T) bool) {
	f.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		*v = *new(T)
		err := f.get(f.up()[0], path, v)
		if err == nil && ok(v) {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s: not in time: %+v %v", path, *v, err)
		}
		time.Sleep(20 * time.Millisecond) // asks a real process
	}
}

// TestManyDeadLettersSurviveKills replays, discards and fixes many dead letters
// at the same time while the replicas are killed without warning: each letter is
// changed once, whoever goes on, and ends in exactly one way.
func TestManyDeadLettersSurviveKills(t *testing.T) {
	f, m := lettered(t, "")
	f.join()
	f.join()
	const each = 150
	for n := range each {
		for _, pipeline := range []string{"again", "gone", "fixed"} {
			f.post(pipeline, n)
		}
	}
	var b journal.Balance
	asked(f, "/v1/balance", &b, func(b *journal.Balance) bool { return b.Dead == 3*each && b.Open == 0 })
	m.mend()
	for _, args := range [][]string{
		{"replay", "--pipeline", "again", "--reason", "mended"}, {"discard", "--pipeline", "gone", "--reason", "not wanted"},
		{"fix", "--pipeline", "fixed", "--set", `.name="as mended"`, "--reason", "names"},
	} {
		f.dlq(append(args, "--rate", "40/s", "--yes")...)
	}
	var changes []deadletter.Change
	asked(f, "/v1/changes", &changes, func(c *[]deadletter.Change) bool { return len(*c) == 3 })
	random := rand.New(rand.NewPCG(3, 4))
	kills, inTheMiddle := 0, 0
	for over := false; !over && kills < 8; {
		<-time.After(time.Duration(300+random.IntN(700)) * time.Millisecond) // somebody trips over a cable
		if err := f.get(f.up()[0], "/v1/changes", &changes); err != nil {
			t.Fatal(err)
		}
		over = true
		for _, c := range changes {
			if c.State != deadletter.Ended {
				over = false
				if c.Done > 0 {
					inTheMiddle++
				}
			}
		}
		if !over {
			r := f.up()[kills%2] // one of the two carries the changes out
			f.kill(r)
			kills++
			f.start(r)
		}
	}
	if kills < 3 || inTheMiddle < 3 {
		t.Errorf("%d kills, %d of them with a change half done: the test is blind", kills, inTheMiddle)
	}
	asked(f, "/v1/changes", &changes, func(list *[]deadletter.Change) bool {
		for _, c := range *list {
			if c.State != deadletter.Ended {
				return false
			}
		}
		return len(*list) == 3
	})
	for _, c := range changes {
		if c.Total != each || c.Done != each || c.Refused != 0 || c.Gone != 0 {
			t.Errorf("%s: of %d letters %d changed, %d refused, %d gone: %+v", c.What, c.Total, c.Done, c.Refused, c.Gone, c.Problems)
		}
	}
	asked(f, "/v1/balance", &b, func(b *journal.Balance) bool { return b.Open == 0 && b.Unaccounted == 0 })
	t.Logf("%d kills, %d with a change half done; %d calls for %d effects; %+v", kills, inTheMiddle, m.calls, 2*each, b)
	if b.Dead != 0 || b.Delivered != 2*each || b.Discarded != each {
		t.Errorf("the ledger says %+v", b)
	}
	want := map[string]struct {
		took, name string
		story      map[queue.Kind]int
	}{
		"again": {"1", "as sent", map[queue.Kind]int{queue.Replayed: 1}},
		"gone":  {"0", "", map[queue.Kind]int{queue.Discarded: 1}},
		"fixed": {"1", "as mended", map[queue.Kind]int{queue.Replayed: 1, queue.Edited: 1}},
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for pipeline, w := range want {
		for n := range each {
			id := fmt.Sprintf("%s-%d", pipeline, n)
			var story []queue.Entry
			if err := f.get(f.up()[0], "/v1/trace?"+url.Values{"ref": {"n"}, "value": {id}}.Encode(), &story); err != nil {
				t.Fatal(err)
			}
			told := map[queue.Kind]int{}
			for _, e := range story {
				if e.Kind == queue.Replayed || e.Kind == queue.Discarded || e.Kind == queue.Edited {
					told[e.Kind]++
				}
			}
			if fmt.Sprint(told) != fmt.Sprint(w.story) || fmt.Sprint(len(m.took[id])) != w.took {
				t.Errorf("%s: the story says %v, want %v; taken %v", id, told, w.story, m.took[id])
			}
			for _, name := range m.took[id] {
				if name != w.name {
					t.Errorf("%s came as %q", id, name)
				}
			}
		}
	}
}

// TestAlertsOutliveTheirSender kills all replicas while an alert is on its way.
// Another one, which was not there before, tells it under the same key, and
// tells when it is over.
func TestAlertsOutliveTheirSender(t *testing.T) {
	f, m := lettered(t, "alerts:\n  ops: {send: shop.bell, policy: quick, wait: 1s, on: [dead_letter], with: {alert: .alert, status: .status}}\n"+
		"  late: {send: shop.bell, policy: quick, wait: 1s, on: [lag], lag: 1s, with: {alert: .alert, status: .status}}\n")
	f.join()
	f.join()
	f.post("again", 1)
	f.post("late", 1)
	select {
	case <-m.hold:
	case <-time.After(time.Minute):
		t.Fatal("no alert was sent")
	}
	for _, r := range f.up() {
		f.kill(r)
	}
	f.join()
	heard := func(what string) func() bool {
		return func() bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			calls := 0
			for _, n := range m.alerts[what] {
				calls += n
			}
			return calls > 0
		}
	}
	twice := func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, keys := range m.alerts {
			for _, n := range keys {
				if n > 1 {
					return true
				}
			}
		}
		return false
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for !ok() {
			if time.Now().After(deadline) {
				m.mu.Lock()
				defer m.mu.Unlock()
				t.Fatalf("%s: not within a minute; heard %v", what, m.alerts)
			}
			time.Sleep(20 * time.Millisecond) // real processes: nothing signals
		}
	}
	until("the alert that was on its way is sent again", twice)
	until("the dead letter is told", heard("ops firing"))
	until("the lag is told", heard("late firing"))
	m.mend()
	f.dlq("replay", "--pipeline", "again", "--reason", "mended", "--yes")
	until("the end of the dead letter is told", heard("ops resolved"))
	until("the end of the lag is told", heard("late resolved"))
	var b journal.Balance
	asked(f, "/v1/balance", &b, func(b *journal.Balance) bool { return b.Open == 0 && b.Unaccounted == 0 && b.Dead == 0 })
	m.mu.Lock()
	defer m.mu.Unlock()
	t.Logf("heard %v", m.alerts)
	for what, keys := range m.alerts {
		if len(keys) != 1 {
			t.Errorf("%s: told under %d keys", what, len(keys))
		}
	}
}
