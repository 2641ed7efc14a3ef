// Package target is the other side: HTTP targets that remember idempotency keys,
// one that does not, and their bad days. They write down every request before
// they decide what it means.
package target

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/bench/chaos/event"
	"crossdock/bench/chaos/record"
)

// Server is all HTTP targets of a run. It is safe for concurrent use.
type Server struct {
	Addr string
	Hits atomic.Int64 // requests that a bad day met

	stream event.Stream
	log    *record.Log
	mended atomic.Bool
	orders *Orders

	mu    sync.Mutex
	moods map[int]Mood
	next  int
	known map[string]*memory

	server *http.Server
	ended  chan struct{}
}

// Mood is a bad day: some of the requests, Share of them, are answered wrongly.
type Mood struct {
	Kind  string // one of plan.Moods
	Share float64
}

// memory is what a target that knows keys remembers of one.
type memory struct {
	busy bool
	sum  string
}

// Orders tells what an operator changed in messages.
type Orders struct {
	mu     sync.Mutex
	edited map[string]bool
}

// Edit notes that a message is about to be mended.
func (o *Orders) Edit(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.edited == nil {
		o.edited = map[string]bool{}
	}
	o.edited[id] = true
}

// Edited reports whether somebody tried to mend a message.
func (o *Orders) Edited(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.edited[id]
}

// New starts the targets.
func New(s event.Stream, log *record.Log, orders *Orders) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the targets: %w", err)
	}
	t := &Server{Addr: l.Addr().String(), stream: s, log: log, orders: orders, moods: map[int]Mood{}, known: map[string]*memory{}, ended: make(chan struct{})}
	t.server = &http.Server{Handler: t, ReadHeaderTimeout: 10 * time.Second}
	go func() { // joined by Close
		defer close(t.ended)
		if err := t.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // the judge would blame crossdock for it
		}
	}()
	return t, nil
}

// Close ends the targets.
func (t *Server) Close() {
	_ = t.server.Close() // open connections are of no interest any more
	<-t.ended
}

// Mend makes the targets take what they refused.
func (t *Server) Mend() { t.mended.Store(true) }

// Bad begins a bad day; the function that is returned ends it.
func (t *Server) Bad(m Mood) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.next
	t.next++
	t.moods[n] = m
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.moods, n)
	}
}

func (t *Server) mood() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.moods {
		if rand.Float64() < m.Share {
			t.Hits.Add(1)
			return m.Kind
		}
	}
	return ""
}

// ServeHTTP implements http.Handler.
func (t *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	a := record.Arrival{At: t.log.Now(), Target: strings.TrimPrefix(r.URL.Path, "/"), Key: r.Header.Get("Idempotency-Key"), Edition: -1}
	a.Attempt, _ = strconv.Atoi(r.Header.Get("X-Attempt")) // 0 = none
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a request has no effect
	}
	var body map[string]any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&body); err != nil {
		a.Wrong = "the body is no JSON"
	}
	e := t.look(&a, body)
	mood := t.mood()
	status, known := t.decide(&a, e, mood)
	n := t.log.Arrival(a)
	defer func() {
		if known != nil {
			t.mu.Lock()
			known.busy = false
			t.mu.Unlock()
		}
	}()
	answer := t.answer(w, mood, status)
	if answer == record.Clean && time.Since(began) > 300*time.Millisecond {
		answer = record.Broken // who called may not have waited for it
	}
	t.log.Answered(n, answer, status)
}

// look compares a request with what the message has to become.
func (t *Server) look(a *record.Arrival, body map[string]any) event.Event {
	a.ID = fmt.Sprint(body["id"])
	e, ok := t.stream.Parse(a.ID)
	if !ok {
		a.Wrong = "nobody sent this"
		return e
	}
	if !strings.HasPrefix(fmt.Sprint(body["edition"]), "e") {
		a.Wrong = fmt.Sprintf("the edition is %v", body["edition"])
	}
	a.Edition, _ = strconv.Atoi(strings.TrimPrefix(fmt.Sprint(body["edition"]), "e"))
	a.Wrong += Differs(e, body, t.orders.Edited(e.ID))
	return e
}

// Differs says what is wrong with the payload of a message, "" = nothing.
func Differs(e event.Event, body map[string]any, edited bool) string {
	want := e.Want(e.Class == event.Poison && edited)
	for field, v := range want {
		if got := fmt.Sprint(body[field]); got != v {
			return fmt.Sprintf("%s is %q, not %q", field, got, v)
		}
	}
	if len(body) != len(want)+1 {
		return fmt.Sprintf("it has %d fields, not %d", len(body), len(want)+1)
	}
	return ""
}

// decide says what a request does here. A target that knows keys is busy with
// one until known is released.
func (t *Server) decide(a *record.Arrival, e event.Event, mood string) (status int, known *memory) {
	switch {
	case mood == "503":
		return 503, nil
	case mood == "429":
		return 429, nil
	case mood == "hang":
		return 0, nil
	case e.Class == event.Rejected && !t.mended.Load():
		return 422, nil
	case !t.keyed(a.Target):
		a.Applied = true
		return 201, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := a.ID + " " + a.Target
	m := t.known[a.Key]
	switch {
	case a.Key == "":
		a.Wrong += "no idempotency key"
		return 400, nil
	case m == nil:
		m = &memory{busy: true, sum: sum}
		t.known[a.Key] = m
		a.Applied = true
		return 201, m
	case m.sum != sum:
		a.Wrong += "the idempotency key is that of " + m.sum
		return 422, nil
	case m.busy:
		return 409, nil
	}
	return 201, nil
}

func (t *Server) keyed(target string) bool {
	for _, f := range event.Flows() {
		for _, e := range f.Effects {
			if e.Target == target {
				return e.Keyed
			}
		}
	}
	return false
}

// answer sends the answer, or what a bad day makes of it.
func (t *Server) answer(w http.ResponseWriter, mood string, status int) record.Answer {
	effect := status == 201
	switch {
	case mood == "hang", mood == "hang_after" && effect:
		time.Sleep(1300 * time.Millisecond) // longer than anybody waits
		hangUp(w, "")
		return record.Broken
	case mood == "reset_after" && effect:
		hangUp(w, "")
		return record.Broken
	case mood == "cut_after" && effect:
		hangUp(w, "HTTP/1.1 201 Created\r\nContent-Length: 2")
		return record.Broken
	case mood == "500_after" && effect:
		http.Error(w, `{"error":"after the effect"}`, http.StatusInternalServerError)
		return record.Failed
	case status == 429:
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := io.WriteString(w, "{}"); err != nil {
		return record.Broken
	}
	if http.NewResponseController(w).Flush() != nil {
		return record.Broken
	}
	if status != 201 {
		return record.Failed
	}
	return record.Clean
}

// hangUp resets the connection after some bytes.
func hangUp(w http.ResponseWriter, after string) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, after)
	if tcp, ok := c.(*net.TCPConn); ok && after == "" {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
