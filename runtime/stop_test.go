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
