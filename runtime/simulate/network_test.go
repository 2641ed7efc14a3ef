package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// listener hands out the far ends of pipes.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

var errRefused = errors.New("connection refused")

// dial connects to the listener.
func (l *listener) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.done:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// arrival is one request that reached a target.
type arrival struct {
	At, Done time.Duration
	Kind     string // keyed, naive, strict or once
	Op, ID   string
	Key      string // idempotency key
	K        string
	Turn     int
	Class    string
	Edition  int
	Applied  bool // it had an effect
	Clean    bool // its answer of success was sent whole
	Status   int  // 0 = no answer
}

// targets are all systems outside.
type targets struct {
	w      *world
	server *http.Server
	on     *listener
	under  sync.WaitGroup // requests

	mu      sync.Mutex
	seen    []*arrival
	keys    map[string]bool // of effects of keyed targets, with the operation
	effects map[string]int  // by operation and ID, of targets without keys
	changes []change        // what can be asked for, by time
}

// change is an event that nobody sends: it stands in a list.
type change struct {
	at   string
	body map[string]any
}

// written is a time as it stands in the list.
func written(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// add puts a change where its time belongs.
func (t *targets) add(e *event, at time.Time) {
	c := change{at: written(at), body: e.body()}
	c.body["at"] = c.at
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := slices.BinarySearchFunc(t.changes, c.at+"~", func(c change, at string) int { return strings.Compare(c.at, at) })
	t.changes = slices.Insert(t.changes, i, c)
}

// listed is how many changes a page holds.
const listed = 3

// list answers with one page of the changes since a time.
func (t *targets) list(rw http.ResponseWriter, r *http.Request) {
	no := targetNo[r.Host+":80"]
	if t.fails(&arrival{}, no, rw, r) {
		return
	}
	since, from := r.URL.Query().Get("since"), 0
	if text := r.URL.Query().Get("from"); text != "" {
		from, _ = strconv.Atoi(text) // as this very list wrote it
	}
	t.mu.Lock()
	list := t.changes
	for len(list) > 0 && list[0].at < since {
		list = list[1:]
	}
	list = list[min(from, len(list)):]
	items := []any{}
	for _, c := range list[:min(listed, len(list))] {
		items = append(items, c.body)
	}
	answer := map[string]any{"items": items}
	if len(list) > listed {
		answer["next"] = "http://plain.test/list/changes?" + url.Values{"since": {since}, "from": {strconv.Itoa(from + listed)}}.Encode()
	}
	raw := marshal(answer)
	t.mu.Unlock()
	rw.Header().Set("Content-Type", "application/json")
	if t.w.hit(netCut, no) {
		panic(http.ErrAbortHandler)
	}
	_, _ = rw.Write(raw) // a caller that left asks again
}

func newTargets(w *world) *targets {
	t := &targets{w: w, on: newListener(), keys: map[string]bool{}, effects: map[string]int{}}
	t.server = &http.Server{Handler: t}
	return t
}

// targetNo tells targets apart for faults.
var targetNo = map[string]int{"plain.test:80": 0, "weak.test:80": 1}

// dial is the network of a process.
func (t *targets) dial(ctx context.Context, s *store, addr string) (net.Conn, error) {
	t.w.moment(time.Millisecond)
	if s.dead.Load() || t.w.hit(netRefuse, targetNo[addr]) {
		return nil, errRefused
	}
	c, err := t.on.dial(ctx)
	if err == nil {
		context.AfterFunc(s.life, func() { c.Close() })
		c = wire{c, s}
	}
	return c, err
}

// wire is a connection of a process that may die with the answer.
type wire struct {
	net.Conn
	s *store
}

// Read implements net.Conn.
func (c wire) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.s.w.hit(killCall, c.s.no) {
		c.s.die()
		return 0, net.ErrClosed
	}
	return n, err
}

// ServeHTTP implements http.Handler.
func (t *targets) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	t.under.Add(1)
	defer t.under.Done()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller went away
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] == "find" {
		t.find(rw, r, parts[1]+" "+parts[2])
		return
	}
	if parts[0] == "list" {
		t.list(rw, r)
		return
	}
	a := t.arrived(parts[0], parts[1], body, r)
	defer func() { a.Done = t.w.now() }()
	no := targetNo[r.Host+":80"]
	if t.fails(a, no, rw, r) {
		return
	}
	status := t.apply(a)
	switch {
	case t.w.hit(netCut, no):
		panic(http.ErrAbortHandler)
	case t.w.hit(netMute, no):
		t.w.sleep(r.Context(), time.Minute)
		panic(http.ErrAbortHandler)
	}
	answer := []byte(`{"ok":true}`)
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	if t.w.hit(netHalf, no) {
		rw.WriteHeader(status)
		_, _ = rw.Write(answer[:4]) // the caller sees a broken answer either way
		panic(http.ErrAbortHandler)
	}
	a.Status = status
	rw.WriteHeader(status)
	_, err = rw.Write(answer)
	a.Clean = err == nil && status < 300
}

// arrived notes a request.
func (t *targets) arrived(kind, op string, body []byte, r *http.Request) *arrival {
	var in struct {
		ID, K, Class string
		Turn         int
		Edition      int
	}
	a := &arrival{At: t.w.now(), Kind: kind, Op: op, Key: r.Header.Get("Idempotency-Key")}
	if err := json.Unmarshal(body, &in); err != nil {
		a.ID = "unreadable: " + string(body)
	} else {
		a.ID, a.K, a.Class, a.Turn, a.Edition = in.ID, in.K, in.Class, in.Turn, in.Edition
	}
	t.mu.Lock()
	t.seen = append(t.seen, a)
	t.mu.Unlock()
	return a
}

// fails is what goes wrong before the effect.
func (t *targets) fails(a *arrival, no int, rw http.ResponseWriter, r *http.Request) bool {
	t.w.moment(5 * time.Millisecond)
	if t.w.hit(netSlow, no) {
		t.w.sleep(r.Context(), t.w.jitter(3*time.Second))
	}
	switch {
	case r.Context().Err() != nil:
		return true
	case t.w.hit(netReset, no):
		panic(http.ErrAbortHandler)
	case t.w.hit(netHang, no):
		t.w.sleep(r.Context(), time.Minute)
		panic(http.ErrAbortHandler)
	case t.w.hit(target5xx, no):
		a.Status = 503
		rw.WriteHeader(503)
		return true
	case t.w.hit(target429, no):
		a.Status = 429
		rw.Header().Set("Retry-After", "2")
		rw.WriteHeader(429)
		return true
	}
	return false
}

// apply has the effect of a request and returns the status of the answer.
func (t *targets) apply(a *arrival) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch a.Kind {
	case "strict":
		if a.Class == refused {
			return 422
		}
		fallthrough
	case "keyed":
		k := a.Op + " " + a.Key
		if t.keys[k] {
			return 200
		}
		t.keys[k] = true
	}
	a.Applied = true
	t.effects[a.Op+" "+a.ID]++
	return 200
}

// find tells whether an effect is there.
func (t *targets) find(rw http.ResponseWriter, r *http.Request, what string) {
	no := targetNo[r.Host+":80"]
	if t.fails(&arrival{}, no, rw, r) {
		return
	}
	t.mu.Lock()
	n := t.effects[what]
	t.mu.Unlock()
	rw.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(rw, `{"found":`+strconv.FormatBool(n > 0)+`}`) // a caller that left asks again
}
