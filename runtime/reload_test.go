package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/connectors"
	"crossdock/dsl"
	"crossdock/runtime"
)

func TestReload(t *testing.T) {
	with := func(row string) string { return baseMapping + row }
	for _, c := range []struct {
		name    string
		change  func(*site)
		want    string
		changes string
		error   string
		body    string // of the delivery after it
	}{
		{"nothing", func(s *site) {}, "unchanged", "", "", `{"k":"a","seq":1}`},
		{"comment", func(s *site) { s.write("out.mapping.yaml", "# a word\n"+baseMapping) }, "unchanged", "", "", `{"k":"a","seq":1}`},
		{"row", func(s *site) { s.write("out.mapping.yaml", with("  e: {const: 2}\n")) }, "ok", "mapping out changed, pipeline in changed", "", `{"e":2,"k":"a","seq":1}`},
		{"new pipeline", func(s *site) {
			s.write("x/two.pipeline.yaml", strings.NewReplacer("pipeline: in", "pipeline: two", "/in", "/two").Replace(basePipeline))
		}, "ok", "pipeline two new", "", `{"k":"a","seq":1}`},
		{"broken cell", func(s *site) { s.write("out.mapping.yaml", with("  e: {from: .x | }\n")) }, "failed", "", "1 error", `{"k":"a","seq":1}`},
		{"broken yaml", func(s *site) { s.write("out.mapping.yaml", "mapping: out\nfields: {") }, "failed", "", "error", `{"k":"a","seq":1}`},
		{"empty file", func(s *site) { s.write("in.pipeline.yaml", "") }, "failed", "", "error", `{"k":"a","seq":1}`},
		{"mapping gone", func(s *site) { s.remove("out.mapping.yaml") }, "failed", "", "out", `{"k":"a","seq":1}`},
		{"same path twice", func(s *site) {
			s.write("two.pipeline.yaml", strings.Replace(basePipeline, "pipeline: in", "pipeline: two", 1))
		}, "failed", "", "/in", `{"k":"a","seq":1}`},
		{"secret of a webhook missing", func(s *site) {
			s.write("in.pipeline.yaml", strings.Replace(basePipeline, "verify: none", `verify: {api_key: {header: X-Key, keys: ["${secret.gone}"]}}`, 1))
		}, "failed", "pipeline in changed", "gone", `{"k":"a","seq":1}`},
		{"folder gone", func(s *site) {
			if err := os.Rename(s.dir, s.dir+"-away"); err != nil {
				s.t.Fatal(err)
			}
			s.t.Cleanup(func() { _ = os.RemoveAll(s.dir + "-away") })
		}, "failed", "", "there is no folder", `{"k":"a","seq":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.opt.Secret = func(name string) (string, error) { return "", fmt.Errorf("the secret %s is not set", name) }
			s.start()
			before := s.status()
			c.change(s)
			r := s.reload(c.want)
			var changes []string
			for _, ch := range r.Changes {
				changes = append(changes, ch.Kind+" "+ch.Name+" "+ch.What)
			}
			if got := strings.Join(changes, ", "); got != c.changes {
				t.Errorf("changes %q, want %q", got, c.changes)
			}
			if !strings.Contains(r.Error, c.error) || (c.error == "") != (r.Error == "") {
				t.Errorf("error %q, want %q", r.Error, c.error)
			}
			after := s.status()
			if moved := after.Generation > before.Generation; moved != (c.want == "ok") {
				t.Errorf("generation %d -> %d with %s", before.Generation, after.Generation, c.want)
			}
			if (after.Revision == before.Revision) != (c.want != "ok") {
				t.Errorf("revision %s -> %s with %s", before.Revision, after.Revision, c.want)
			}
			if c.want == "failed" && strings.Contains(c.error, "1 error") && len(after.Findings) == 0 {
				t.Error("the status has no findings") // place and words are tested below
			}
			s.send("a", 1)
			s.settled()
			if got := s.target.seen(); len(got) != 1 || got[0] != c.body {
				t.Errorf("delivered %q, want %q", got, c.body)
			}
		})
	}
}

func TestReloadAfterAFailureClearsTheFindings(t *testing.T) {
	s := newSite(t)
	s.start()
	s.write("out.mapping.yaml", baseMapping+"  e: {from: .x | }\n")
	s.reload("failed")
	if got := mistakes(s.status()); len(got) != 1 || !strings.HasPrefix(got[0], "out.mapping.yaml:5:17") {
		t.Errorf("findings %q, want one at out.mapping.yaml:5:17", got)
	}
	s.write("out.mapping.yaml", baseMapping)
	s.reload("unchanged")
	if got := mistakes(s.status()); len(got) != 0 {
		t.Errorf("findings are still there: %q", got)
	}
}

// TestACheckIsNoOutcome: a look that finds nothing new does not hide how the
// last reload came out.
func TestACheckIsNoOutcome(t *testing.T) {
	s := newSite(t)
	s.start()
	s.write("out.mapping.yaml", baseMapping+"  e: .e\n")
	s.reload("ok")
	s.write("out.mapping.yaml", baseMapping+"  e: .e # the same\n")
	s.reload("unchanged")
	if st := s.status(); st.Last.Result != "ok" || len(st.Last.Changes) == 0 || st.Checked.Result != "unchanged" || !st.Checked.At.After(st.Last.At) {
		t.Errorf("last %s with %d changes, checked %s", st.Last.Result, len(st.Last.Changes), st.Checked.Result)
	}
}

// TestLimitsAreLive: what a reload says of size and depth holds at once.
func TestLimitsAreLive(t *testing.T) {
	s := newSite(t)
	s.start()
	deep := `{"k":"a","seq":1,"x":[[[[[[1]]]]]]}`
	if status, answer := s.post("/in", deep); status != 202 {
		t.Fatalf("%d %s", status, answer)
	}
	s.write("crossdock.yaml", "crossdock: 1\nlimits: {max_depth: 4}\n")
	s.reload("ok")
	if status, answer := s.post("/in", strings.ReplaceAll(deep, `"seq":1`, `"seq":2`)); status != 400 {
		t.Errorf("too deep: %d %s", status, answer)
	}
}

// mistakes are the findings of a status that are no warnings.
func mistakes(s runtime.Status) []string {
	var out []string
	for _, f := range s.Findings {
		if !f.Warning {
			out = append(out, f.Place+" "+f.Message)
		}
	}
	return out
}

func TestTestsGateAReload(t *testing.T) {
	s := newSite(t)
	s.write("prod.environment.yaml", "environment: prod\nreload: {require: [test]}\n")
	s.opt.Environment = "prod"
	var fail atomic.Bool
	s.opt.Gate = func(context.Context, *dsl.Workspace, fs.FS) error {
		if fail.Load() {
			return errors.New("1 test failed: out: first case")
		}
		return nil
	}
	s.start()
	fail.Store(true)
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	if r := s.reload("failed"); !strings.Contains(r.Error, "1 test failed") {
		t.Errorf("error %q", r.Error)
	}
	s.send("a", 1)
	s.settled()
	fail.Store(false)
	s.reload("ok")
	s.send("a", 2)
	s.settled()
	if got := s.target.seen(); len(got) != 2 || got[0] != `{"k":"a","seq":1}` || got[1] != `{"e":2,"k":"a","seq":2}` {
		t.Errorf("delivered %q", got)
	}
}

func TestRemovedPipelineWaitsAndComesBack(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			s := newSite(t)
			s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
			s.target.answer(func(int, *http.Request, string) (int, string) { return 503, "" })
			s.start()
			for i := 1; i <= 5; i++ {
				s.send("a", i)
				s.send(fmt.Sprint("b", i), i)
			}
			s.remove("in.pipeline.yaml")
			s.reload("ok")
			s.until("the heads of the keys are parked", func() bool { return len(s.parked()) >= 6 })
			for _, j := range s.parked() {
				if j.Reason != "the pipeline in is not defined any more" {
					t.Errorf("parked with %q", j.Reason)
				}
			}
			if b := s.balance(); b.Open != 10 || b.Unaccounted != 0 {
				t.Errorf("balance %+v, want 10 open", b)
			}
			if n := s.engine.LaneNote("in/in"); n == "" {
				t.Error("nothing says what keeps the lane")
			}
			if status, _ := s.post("/in", `{"k":"a","seq":9}`); status != 404 {
				t.Errorf("the removed webhook answers %d", status)
			}
			s.target.answer(nil)
			// A reload of something else leaves them where they are.
			s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
			s.reload("ok")
			if n := len(s.parked()); n < 6 {
				t.Errorf("%d are parked after another reload", n)
			}
			if restart {
				if err := s.stop(); err != nil {
					t.Fatal(err)
				}
				s.write("in.pipeline.yaml", basePipeline)
				s.start()
			} else {
				s.write("in.pipeline.yaml", basePipeline)
				s.reload("ok")
			}
			if b := s.settled(); b.Delivered != 10 || b.Dead != 0 {
				t.Errorf("balance %+v, want 10 delivered", b)
			}
		})
	}
}

func TestChangedAddressServesMessagesAlreadyWaiting(t *testing.T) {
	s := newSite(t)
	s.write("crossdock.yaml", strings.Replace(baseSettings, "attempts: 50, wait: 20ms", "attempts: 500, wait: 10ms", 1))
	s.write("target.connection.yaml", fmt.Sprintf(baseConnection, "http://127.0.0.1:1"))
	s.start()
	for i := range 30 {
		s.send(fmt.Sprint("k", i), 1)
	}
	s.write("target.connection.yaml", fmt.Sprintf(baseConnection, s.target.URL))
	s.reload("ok")
	if b := s.settled(); b.Delivered != 30 {
		t.Errorf("balance %+v, want 30 delivered", b)
	}
}

// TestDeliveryUnderWayEndsOnTheOldConnection holds a delivery while its
// connection is replaced, and the messages behind it while they wait for the
// only place: it ends where it began, they go where the definition says now.
func TestDeliveryUnderWayEndsOnTheOldConnection(t *testing.T) {
	s := newSite(t)
	next := newTarget(t)
	one := strings.Replace(baseConnection, "limits: {", "limits: {concurrency: 1, ", 1)
	s.write("target.connection.yaml", fmt.Sprintf(one, s.target.URL))
	arrived, let := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.target.answer(func(int, *http.Request, string) (int, string) {
		once.Do(func() { close(arrived); <-let })
		return 201, ""
	})
	s.start()
	s.send("first", 1)
	<-arrived
	for i := range 5 {
		s.send(fmt.Sprint("later", i), 1)
	}
	s.write("target.connection.yaml", fmt.Sprintf(one, next.URL))
	s.reload("ok")
	close(let)
	s.settled()
	if got := s.target.seen(); len(got) != 1 {
		t.Errorf("the old address got %q, want only what was under way", got)
	}
	if got := next.seen(); len(got) != 5 {
		t.Errorf("the new address got %d, want 5", len(got))
	}
}

// TestEditsUnderLoad edits, breaks and renames while 32 connections send: no
// request fails, and every message is delivered once.
func TestEditsUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const edits, senders = 200, 32
	s := newSite(t)
	s.start()
	before := goruntime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	var sent atomic.Int64
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	for i := range senders {
		wg.Go(func() {
			for seq := 1; ctx.Err() == nil; seq++ {
				resp, err := client.Post(s.url("/in"), "application/json", strings.NewReader(fmt.Sprintf(`{"k":"k%d","seq":%d}`, i, seq)))
				if err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusAccepted {
					t.Errorf("a request was answered %d", resp.StatusCode)
					return
				}
				sent.Add(1)
			}
		})
	}
	for n := 1; n <= edits; n++ {
		want := "ok"
		switch {
		case n%10 == 9:
			s.write("out.mapping.yaml", baseMapping+"  e: {from: .x | }\n")
			want = "failed"
		case n%10 == 5:
			// The other webhook moves from path to path.
			s.write("other.pipeline.yaml", strings.NewReplacer("pipeline: in", "pipeline: other", "/in", fmt.Sprint("/other", n)).Replace(basePipeline))
		default:
			s.write("out.mapping.yaml", fmt.Sprintf("%s  e: {const: %d}\n", baseMapping, n))
		}
		if n%10 == 0 { // the mapping is still broken from the edit before where n%10 is 9 only
			want = "ok"
		}
		s.reload(want)
	}
	cancel()
	wg.Wait()
	b := s.settled()
	if b.Delivered != sent.Load() || b.Dead != 0 || sent.Load() < senders {
		t.Errorf("sent %d, balance %+v", sent.Load(), b)
	}
	if n := len(s.target.seen()); int64(n) != sent.Load() {
		t.Errorf("sent %d, the target got %d", sent.Load(), n)
	}
	client.CloseIdleConnections()
	s.target.CloseClientConnections()
	s.until("goroutines have ended", func() bool { return goruntime.NumGoroutine() < before+40 })
	t.Logf("%d messages during %d edits", sent.Load(), edits)
}

// TestReloadDoesNotWaitForASlowTarget reloads while a target hangs.
func TestReloadDoesNotWaitForASlowTarget(t *testing.T) {
	s := newSite(t)
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
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	s.reload("ok")
	s.send("b", 1)
	s.until("the other key is delivered by the new revision", func() bool {
		for _, b := range s.target.seen() {
			if b == `{"e":2,"k":"b","seq":1}` {
				return true
			}
		}
		return false
	})
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	close(let)
	s.settled()
}

func TestPauseHoldsAtOnceAndSurvives(t *testing.T) {
	s := newSite(t)
	s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
	s.start()
	if err := s.engine.Pause(context.Background(), "none", true); !errors.Is(err, runtime.ErrNoPipeline) {
		t.Errorf("pausing what is not there: %v", err)
	}
	if err := s.engine.Pause(context.Background(), "in", true); err != nil {
		t.Fatal(err)
	}
	check := func(want int) {
		t.Helper()
		s.send("a", want)
		s.until("all wait", func() bool { b := s.balance(); return b.Open == int64(want) })
		if got := s.target.seen(); len(got) != 0 {
			t.Fatalf("a paused pipeline delivered %q", got)
		}
		if !s.status().Pipelines["in"].Paused {
			t.Error("the status does not say paused")
		}
	}
	check(1)
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	s.reload("ok")
	check(2)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	check(3)
	if err := s.engine.Pause(context.Background(), "in", false); err != nil {
		t.Fatal(err)
	}
	if b := s.settled(); b.Delivered != 3 {
		t.Errorf("balance %+v, want 3 delivered", b)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	if s.status().Pipelines["in"].Paused {
		t.Error("it is paused again after a restart")
	}
}

// TestSourceLearnsNothingOfARemovedPipeline: a source that still runs while
// its pipeline goes away must not take that for bad content.
func TestSourceLearnsNothingOfARemovedPipeline(t *testing.T) {
	s := newSite(t)
	s.start()
	ch := s.engine.Worker().Channel("gone", false)
	_, err := ch.Send(context.Background())
	var r *connectors.Rejection
	if err == nil || errors.As(err, &r) {
		t.Errorf("got %v, want an error that is no rejection", err)
	}
}
