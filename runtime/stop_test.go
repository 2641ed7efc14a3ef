package runtime_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// TestGracefulStop holds one delivery while the engine is told to stop: it is
// not ready first, takes in nothing more, ends the delivery, and a second
// engine goes on with what was waiting behind it.
func TestGracefulStop(t *testing.T) {
	s := newSite(t)
	s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
	arrived, let := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.target.answer(func(int, *http.Request, string) (int, string) {
		once.Do(func() { close(arrived); <-let })
		return 201, ""
	})
	s.start()
	for i := 1; i <= 5; i++ {
		s.send("a", i)
	}
	<-arrived
	addr := s.engine.Addr()
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	s.until("it is not ready", func() bool { return !s.engine.Ready() })
	s.until("nothing listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case err := <-stopped:
		t.Fatalf("it stopped with a delivery under way: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(let)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	n := len(s.target.seen())
	s.start()
	b := s.settled()
	if b.Delivered != 5 || b.Dead != 0 {
		t.Errorf("balance %+v, want 5 delivered", b)
	}
	if got := s.target.seen(); len(got) != 5 {
		t.Errorf("%d deliveries for 5 messages (%d before the stop): %q", len(got), n, got)
	}
	for i, body := range s.target.seen() {
		if want := fmt.Sprintf(`{"k":"a","seq":%d}`, i+1); body != want {
			t.Errorf("delivery %d is %s", i, body)
		}
	}
}

// TestWorkThatDoesNotEndIsReturned stops an engine whose target hangs for
// longer than the grace time: the message goes back, its attempt not counted.
func TestWorkThatDoesNotEndIsReturned(t *testing.T) {
	s := newSite(t)
	s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
	s.opt.Worker = worker.Options{Grace: 50 * time.Millisecond}
	arrived, let := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.target.answer(func(int, *http.Request, string) (int, string) {
		once.Do(func() { close(arrived); <-let })
		return 201, ""
	})
	s.start()
	s.send("a", 1)
	<-arrived
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
	close(let)
	began = time.Now()
	s.start()
	if b := s.settled(); b.Delivered != 1 {
		t.Errorf("balance %+v", b)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it went on only after %s: the lease was not given back", took)
	}
	keys := s.target.seenKeys()
	if len(keys) != 2 || keys[0] != keys[1] {
		t.Errorf("idempotency keys %q, want the same twice", keys)
	}
}

// TestAStopReturnsWhatWaitsForARate stops an engine whose message waits for the
// rate of its connection: it is not waited for, and the next start, or another
// replica with another rate, takes it up.
func TestAStopReturnsWhatWaitsForARate(t *testing.T) {
	slow, fast := connectionWith("rate: 1/h"), connectionWith("rate: 1000/s")
	waits := func(s *site) {
		t.Helper()
		s.write("target.connection.yaml", fmt.Sprintf(slow, s.target.URL))
		s.start()
		for i := 1; i <= 3; i++ {
			s.send("a", i)
		}
		s.until("one was sent and the next one waits in memory", func() bool {
			lane := s.status().Pipelines["in"].Lane
			return len(s.target.seen()) == 1 && lane != nil && lane.Leased == 1 && lane.Ready == 1
		})
	}
	stops := func(s *site) {
		t.Helper()
		began := time.Now()
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("the stop took %s", took)
		}
	}
	goesOn := func(s *site) {
		t.Helper()
		began := time.Now()
		s.until("the others are sent", func() bool { return s.balance().Delivered == 3 })
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("they were sent after %s: not returned, or the slow rate held them", took)
		}
		page, err := s.engine.Driver().Browse(context.Background(), queue.Query{View: queue.Recent, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			if e.Kind == queue.Failed || e.Attempt > 1 {
				t.Errorf("an attempt was counted: %+v", e)
			}
		}
	}
	t.Run("embedded", func(t *testing.T) {
		s := newSite(t)
		s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
		waits(s)
		stops(s)
		s.write("target.connection.yaml", fmt.Sprintf(fast, s.target.URL))
		s.start()
		goesOn(s)
		if got := strings.Join(s.target.seen(), " "); got != `{"k":"a","seq":1} {"k":"a","seq":2} {"k":"a","seq":3}` {
			t.Errorf("sent: %s", got)
		}
	})
	t.Run("redis", func(t *testing.T) {
		a, b := twins(t)
		waits(a)
		b.write("target.connection.yaml", fmt.Sprintf(fast, b.target.URL))
		b.start()
		stops(a)
		goesOn(b)
		if got := strings.Join(append(a.target.seen(), b.target.seen()...), " "); got != `{"k":"a","seq":1} {"k":"a","seq":2} {"k":"a","seq":3}` {
			t.Errorf("sent: %s", got)
		}
	})
}

// TestARaisedRateLetsGoWhoWaits: messages that wait in memory and in the store
// for a rate go on at once when a reload raises it.
func TestARaisedRateLetsGoWhoWaits(t *testing.T) {
	s := newSite(t)
	s.write("target.connection.yaml", fmt.Sprintf(connectionWith("rate: 1/h"), s.target.URL))
	s.start()
	for i := 1; i <= 5; i++ {
		s.send(fmt.Sprint("k", i), i)
	}
	s.until("one was sent, one waits in memory and three in the store", func() bool {
		lane := s.status().Pipelines["in"].Lane
		return len(s.target.seen()) == 1 && lane != nil && lane.Leased == 1 && len(s.parked()) == 3
	})
	s.write("target.connection.yaml", fmt.Sprintf(connectionWith("rate: 1000/s"), s.target.URL))
	began := time.Now()
	s.reload("ok")
	if b := s.settled(); b.Delivered != 5 {
		t.Errorf("balance %+v", b)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("they were sent %s after the reload", took)
	}
}

// connectionWith is the connection of a site with one more limit.
func connectionWith(limit string) string {
	return strings.Replace(baseConnection, "{timeout: 5s}", "{timeout: 5s, "+limit+"}", 1)
}

// TestStoreThatIsGoneAnswers503: nothing may be answered 2xx after the store
// is gone.
func TestStoreThatIsGoneAnswers503(t *testing.T) {
	s := newSite(t)
	s.start()
	s.engine.Driver().Close()
	status, answer := s.post("/in", `{"k":"a","seq":1}`)
	if status != 503 || strings.Contains(answer, "closed") {
		t.Errorf("%d %s, want 503 without internals", status, answer)
	}
}

// TestReloadAfterStop: what comes late does no harm.
func TestReloadAfterStop(t *testing.T) {
	s := newSite(t)
	s.start()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	if r := s.engine.Reload(context.Background()); r.Result != "failed" {
		t.Errorf("a reload after the stop: %s", r.Result)
	}
}
