package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/runtime/journal"
	"crossdock/runtime/porttest"
	"crossdock/runtime/queue/redis/redistest"
)

// TestKilledAgainAndAgain sends webhooks from many connections, with repeats
// and bad ones, while the process is killed without warning and its definitions
// are edited, and then judges from outside: every acknowledged message had its
// effect exactly once at a target that knows idempotency keys, in order per
// key, no edit made a request fail, and the ledger accounts for everything.
//
// CROSSDOCK_CRASH="messages=50000 kills=5 edits=200" makes it longer.
func TestKilledAgainAndAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("kills real processes for several seconds")
	}
	for _, store := range []string{"embedded", "redis"} {
		t.Run(store, func(t *testing.T) {
			c := newCrash(t)
			if store == "redis" {
				c.store = redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always").URL()
			} else {
				c.store = "embedded:" + filepath.Join(c.dir, ".crossdock", "store")
			}
			c.run()
		})
	}
}

// crash is one run of the test.
type crash struct {
	t                      *testing.T
	dir, binary, store     string
	http, admin            string
	messages, kills, edits int
	target                 *keyedTarget
	process                *exec.Cmd
	ended                  chan struct{} // closed when the process has gone
	log                    *os.File

	down     atomic.Bool  // the process was killed and is not ready again
	fails    atomic.Int64 // requests that failed while the process was up
	excused  atomic.Int64
	sent     atomic.Int64
	repeated atomic.Int64
	refused  atomic.Int64
}

func newCrash(t *testing.T) *crash {
	c := &crash{t: t, dir: t.TempDir(), messages: 4000, kills: 3, edits: 24}
	for word := range strings.FieldsSeq(os.Getenv("CROSSDOCK_CRASH")) {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("CROSSDOCK_CRASH: %s", word)
		}
		switch name {
		case "messages":
			c.messages = n
		case "kills":
			c.kills = n
		case "edits":
			c.edits = n
		}
	}
	c.binary = buildBinary(t)
	c.http, c.admin = porttest.Take(t), porttest.Take(t)
	c.target = newKeyedTarget(t)
	write := func(name, text string) {
		path := filepath.Join(c.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("crossdock.yaml", "crossdock: 1\ndefaults: {policy: quick}\npolicies:\n  quick: {retry: {attempts: 50, wait: 200ms, grow: 1, on: [timeout, connection, 5xx]}}\n")
	write("connections/target.connection.yaml", "connection: target\ntype: http\nbase_url: http://"+c.target.addr+"\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /in, repeat: keyed}\n")
	write("mappings/out.mapping.yaml", c.mapping(0))
	write("pipelines/in.pipeline.yaml", `pipeline: in
trigger: {http: {path: /in, verify: none}}
key: [.k, .seq]
order_by: .k
trace_by: {k: .k}
steps:
  - route:
      pick: first
      rules:
        - {name: all, when: data.seq > 0, to: [{send: target.put, map: out}]}
      otherwise: {dead_letter: impossible}
`)
	return c
}

// mapping is the mapping file after n edits; every fifth is broken.
func (c *crash) mapping(n int) string {
	broken := ""
	if n%5 == 4 {
		broken = "  broken: {from: .x | }\n"
	}
	return fmt.Sprintf("mapping: out\nfields:\n  k: .k\n  seq: {from: .seq, type: integer}\n  edition: {const: e%d}\n%s", n, broken)
}

var builtIn string // the folder of builtBinary

var builtBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "crossdock-test-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	binary := filepath.Join(dir, "crossdock")
	return binary, goBuild("-o", binary, ".")
})

// goBuild builds as what people install is built: without C, whatever these
// tests were built with.
func goBuild(args ...string) error {
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

func buildBinary(t *testing.T) string {
	t.Helper()
	binary, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// start runs the process and waits until it is ready. As a supervisor would, it
// starts one again that met a broken edit: nothing starts on those.
func (c *crash) start() {
	c.t.Helper()
	c.launch()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-c.ended:
			c.launch()
		case <-time.After(10 * time.Millisecond): // a real process: nothing signals readiness
		}
		resp, err := http.Get("http://" + c.admin + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				c.down.Store(false)
				return
			}
		}
	}
	c.t.Fatalf("the process did not become ready; its log:\n%s", c.logTail())
}

// launch starts the process; ended is closed when it has gone.
func (c *crash) launch() {
	c.t.Helper()
	cmd := exec.Command(c.binary, "run", c.dir, "--store", c.store, "--http", c.http, "--admin", c.admin)
	cmd.Stderr = c.log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // it is killed, or says in its log why it went
	c.process, c.ended = cmd, ended
	c.t.Cleanup(func() { // before its folder goes
		select {
		case <-ended:
		default:
			_ = cmd.Process.Kill() // it may end by itself just now
			<-ended
		}
	})
}

func (c *crash) kill() {
	c.down.Store(true)
	if err := c.process.Process.Kill(); err != nil {
		c.t.Fatal(err)
	}
	<-c.ended
}

func (c *crash) logTail() string {
	raw, err := os.ReadFile(c.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-4000):])
}

func (c *crash) run() {
	var err error
	if c.log, err = os.Create(filepath.Join(c.t.TempDir(), "log")); err != nil {
		c.t.Fatal(err)
	}
	defer c.log.Close()
	c.start()
	stopped := make(chan struct{})
	var troublemakers sync.WaitGroup
	troublemakers.Go(func() { c.edit(stopped) })
	sending := make(chan struct{})
	go func() { c.generate(); close(sending) }()
	for i := range c.kills {
		select {
		case <-sending:
		case <-c.reached(int64((i + 1) * c.messages / (c.kills + 1))):
		}
		c.kill()
		c.start()
	}
	<-sending
	close(stopped)
	troublemakers.Wait()
	b := c.settle()
	c.kill()
	c.judge(b)
}

// reached is closed when n messages have been acknowledged.
func (c *crash) reached(n int64) <-chan struct{} {
	ch := make(chan struct{})
	go func() {
		for c.sent.Load() < n {
			time.Sleep(5 * time.Millisecond) // watches a counter of the generator
		}
		close(ch)
	}()
	return ch
}

// edit changes the mapping again and again, by renaming, as editors do.
func (c *crash) edit(stop <-chan struct{}) {
	pause := time.NewTicker(150 * time.Millisecond)
	defer pause.Stop()
	path := filepath.Join(c.dir, "mappings", "out.mapping.yaml")
	for n := 1; n <= c.edits; n++ {
		select {
		case <-stop:
			n = c.edits // the last edit leaves a good file
		case <-pause.C:
		}
		text := c.mapping(n)
		if n == c.edits {
			text = c.mapping(0)
		}
		if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
			c.t.Error(err)
			return
		}
		if err := os.Rename(path+"~", path); err != nil {
			c.t.Error(err)
			return
		}
	}
}

const connections = 64

// generate sends dense sequences of every key, each message until it is
// acknowledged.
func (c *crash) generate() {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	var senders sync.WaitGroup
	for s := range connections {
		senders.Go(func() {
			random := rand.New(rand.NewPCG(uint64(s), 42))
			for seq := 1; seq <= c.messages/connections; seq++ {
				body := fmt.Sprintf(`{"k":"key-%d","seq":%d,"note":"%s"}`, s, seq, strings.Repeat("x", 200))
				c.send(client, body, http.StatusAccepted)
				c.sent.Add(1)
				if random.IntN(20) == 0 {
					c.send(client, body, http.StatusAccepted)
					c.repeated.Add(1)
				}
				if random.IntN(100) == 0 {
					c.send(client, `{"k":`, http.StatusBadRequest)
					c.send(client, `{"seq":1}`, http.StatusUnprocessableEntity)
					c.refused.Add(2)
				}
			}
		})
	}
	senders.Wait()
}

// send posts until the expected answer comes.
func (c *crash) send(client *http.Client, body string, want int) {
	for {
		wasDown := c.down.Load()
		resp, err := client.Post("http://"+c.http+"/in", "application/json", strings.NewReader(body))
		if err == nil {
			answer, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode == want {
				return
			}
			err = fmt.Errorf("%s: %s", resp.Status, answer)
		}
		if wasDown || c.down.Load() {
			c.excused.Add(1)
		} else {
			c.fails.Add(1)
			c.t.Errorf("a request failed while the process was up: %v", err)
		}
		time.Sleep(20 * time.Millisecond) // as a sender would, before trying again
	}
}

// balance asks the process for its ledger.
func (c *crash) balance() (b journal.Balance, err error) {
	token, err := os.ReadFile(filepath.Join(c.dir, ".crossdock", "admin.token"))
	if err != nil {
		return b, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+c.admin+"/v1/balance", nil)
	if err != nil {
		return b, err
	}
	req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return b, err
	}
	defer resp.Body.Close()
	return b, json.NewDecoder(resp.Body).Decode(&b)
}

// settle waits until nothing is open and returns the balance.
func (c *crash) settle() journal.Balance {
	var b journal.Balance
	deadline := time.Now().Add(60 * time.Second)
	for time.Now().Before(deadline) {
		var err error
		if b, err = c.balance(); err == nil && b.Open == 0 && b.Unaccounted == 0 {
			return b
		}
		time.Sleep(50 * time.Millisecond) // asks a real process
	}
	c.t.Errorf("messages are still open after a minute: %+v\n%s", b, c.logTail())
	return b
}

// judge compares what was acknowledged with what the target has seen.
func (c *crash) judge(b journal.Balance) {
	t := c.t
	perKey := c.messages / connections
	lost, doubled, reordered, wrong := c.target.judge(perKey)
	t.Logf("sent %d repeated %d refused %d | accepted %d delivered %d duplicates %d dead %d | lost %d doubled %d reordered %d | deliveries %d | failed while down %d, while up %d",
		c.sent.Load(), c.repeated.Load(), c.refused.Load(), b.Accepted, b.Delivered, b.Duplicates, b.Dead, lost, doubled, reordered, c.target.deliveries.Load(), c.excused.Load(), c.fails.Load())
	if lost+doubled+reordered+wrong != 0 {
		t.Errorf("lost %d, effects doubled %d, reordered %d, wrong %d", lost, doubled, reordered, wrong)
	}
	if want := int64(perKey * connections); b.Accepted != want || b.Delivered != want || b.Dead != 0 {
		t.Errorf("the ledger says %+v, sent were %d", b, want)
	}
	if c.excused.Load() == 0 && c.kills > 0 {
		t.Error("no request met a dead process: the kills did not happen under load")
	}
}

// keyedTarget knows idempotency keys: a known key has no second effect.
type keyedTarget struct {
	addr       string
	deliveries atomic.Int64

	mu     sync.Mutex
	known  map[string]string   // idempotency key -> message
	effect map[string][]string // message -> idempotency keys
	order  map[string][]int    // key -> first arrivals
}

func newKeyedTarget(t *testing.T) *keyedTarget {
	k := &keyedTarget{known: map[string]string{}, effect: map[string][]string{}, order: map[string][]int{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k.addr = l.Addr().String()
	s := &http.Server{Handler: k, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return k
}

// ServeHTTP implements http.Handler.
func (k *keyedTarget) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		K   string
		Seq int
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	k.deliveries.Add(1)
	message := fmt.Sprintf("%s/%d", in.K, in.Seq)
	key := r.Header.Get("Idempotency-Key")
	k.mu.Lock()
	if _, there := k.known[key]; !there {
		k.known[key] = message
		k.effect[message] = append(k.effect[message], key)
		k.order[in.K] = append(k.order[in.K], in.Seq)
	}
	k.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

// judge counts what is missing, doubled and out of order.
func (k *keyedTarget) judge(perKey int) (lost, doubled, reordered, wrong int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for s := range connections {
		for seq := 1; seq <= perKey; seq++ {
			switch n := len(k.effect[fmt.Sprintf("key-%d/%d", s, seq)]); {
			case n == 0:
				lost++
			case n > 1:
				doubled++
			}
		}
	}
	for _, seqs := range k.order {
		for i := 1; i < len(seqs); i++ {
			if seqs[i] < seqs[i-1] {
				reordered++
			}
		}
	}
	if len(k.effect) != connections*perKey {
		wrong = max(0, len(k.effect)-connections*perKey)
	}
	return lost, doubled, reordered, wrong
}
