package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/dsl"
	"crossdock/runtime"
	"crossdock/runtime/catalog"
	"crossdock/runtime/publication"
	"crossdock/runtime/queue/redis/redistest"
)

// twins are two replicas with folders of their own on one Redis.
func twins(t *testing.T) (a, b *site) {
	t.Helper()
	server := redistest.Start(t)
	a, b = newSite(t), newSite(t)
	for _, s := range []*site{a, b} {
		s.opt.Store = server.URL()
		s.opt.Worker.LeaseTTL = 2 * time.Second
	}
	return a, b
}

// packed is the workspace of a site as it would be published.
func packed(t *testing.T, s *site) *publication.Pack {
	t.Helper()
	rec := publication.Record(os.DirFS(s.dir))
	if _, _, err := dsl.Load(rec, dsl.Options{Catalog: catalog.New(), AnyEnvironment: true}); err != nil {
		t.Fatal(err)
	}
	p, err := rec.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func publish(t *testing.T, s *site, note string) (publication.Entry, runtime.Report) {
	t.Helper()
	e, r, err := s.engine.Publish(context.Background(), packed(t, s), publication.Entry{Who: "ana", Note: note})
	if err != nil {
		t.Fatal(err)
	}
	return e, r
}

func TestReplicasSeeEachOther(t *testing.T) {
	a, b := twins(t)
	a.start()
	b.start()
	count := func(s *site) int { return len(s.status().Replicas) }
	a.until("both are seen", func() bool { return count(a) == 2 && count(b) == 2 })
	here := 0
	for _, r := range a.status().Replicas {
		if r.Here {
			here++
		}
		if r.PID != os.Getpid() || r.Here && r.Revision != a.status().Revision || r.Host == "" || !r.Ready || r.Lanes == 0 {
			t.Errorf("replica %+v", r)
		}
	}
	if here != 1 {
		t.Errorf("%d replicas say that they were asked", here)
	}
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	if n := count(a); n != 1 {
		t.Errorf("%d replicas after one stopped, want 1", n)
	}
}

func TestPausesAreShared(t *testing.T) {
	a, b := twins(t)
	a.start()
	b.start()
	for _, on := range []bool{true, false} {
		began := time.Now()
		if err := a.engine.Pause(context.Background(), "in", on); err != nil {
			t.Fatal(err)
		}
		b.until("the other one heard of it", func() bool { return b.status().Pipelines["in"].Paused == on })
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("heard after %v: by looking, not by the signal", took)
		}
	}
}

func TestPublish(t *testing.T) {
	a, b := twins(t)
	a.start()
	b.start()
	runs := func(s *site, n int) func() bool {
		return func() bool { st := s.status(); return st.Published == n }
	}
	a.write("out.mapping.yaml", baseMapping+"  e: {const: 1}\n")
	entry, report := publish(t, a, "first")
	if entry.Number != 1 || report.Result != "ok" {
		t.Fatalf("published %+v: %+v", entry, report)
	}
	b.until("the other one runs r1", runs(b, 1))
	if x, y := a.status(), b.status(); x.Revision != y.Revision || x.Revision != entry.Workspace {
		t.Errorf("revisions %s and %s, published %s", x.Revision, y.Revision, entry.Workspace)
	}
	b.send("k", 1)
	b.until("it was delivered", func() bool { return len(a.target.seen())+len(b.target.seen()) == 1 })

	// The folder does not count any more.
	b.write("out.mapping.yaml", baseMapping+"  e: {const: 99}\n")
	if r := b.engine.Reload(context.Background()); r.Result != "unchanged" || r.Published != 1 {
		t.Errorf("a reload beside a publication: %+v", r)
	}

	// What is not fit to run is not published.
	a.write("out.mapping.yaml", baseMapping+"  e: {from: .x | }\n")
	var refused *runtime.Refused
	_, _, err := a.engine.Publish(context.Background(), packed(t, a), publication.Entry{Who: "ana"})
	if !errors.As(err, &refused) || len(refused.Findings) == 0 || !strings.Contains(refused.Reason, "1 error") {
		t.Errorf("a faulty publication: %v", err)
	}
	if n := a.status().Published; n != 1 {
		t.Errorf("r%d runs after a refusal", n)
	}

	a.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	publish(t, a, "second")
	b.until("the other one runs r2", runs(b, 2))
	entry, report, err = a.engine.Rollback(context.Background(), 0, "ben", "wrong carrier")
	if err != nil || entry.Number != 3 || entry.Again != 1 || report.Result != "ok" {
		t.Errorf("rollback %+v, %+v, %v", entry, report, err)
	}
	b.until("the other one runs r3", runs(b, 3))
	if a.status().Revision != b.status().Revision {
		t.Error("they run different revisions after a rollback")
	}

	// A replica that starts later runs it too, whatever its folder says, and one
	// without a folder.
	late := newSite(t)
	late.opt.Store, late.opt.Published = a.opt.Store, true
	late.opt.Dir = filepath.Join(late.dir, "nothing")
	late.start()
	if st := late.status(); st.Published != 3 || st.Revision != a.status().Revision {
		t.Errorf("a late replica runs r%d %s", st.Published, st.Revision)
	}
	if r, err := a.engine.Withdraw(context.Background(), "ana"); err != nil || r.Result != "ok" {
		t.Errorf("withdraw: %+v, %v", r, err)
	}
	b.until("the other one runs its folder", runs(b, 0))
}

// A replica that cannot run what is published keeps what it has and says why.
func TestPublishedButNotHere(t *testing.T) {
	a, b := twins(t)
	set := func(name string) (string, error) { return "value", nil }
	unset := func(name string) (string, error) { return "", errors.New("the secret " + name + " is not set") }
	a.opt.Secret, b.opt.Secret = set, unset
	a.start()
	b.start()
	before := b.status().Revision
	a.write("in.pipeline.yaml", strings.Replace(basePipeline, "verify: none", `verify: {api_key: {header: X-Key, keys: ["${secret.erp_key}"]}}`, 1))
	publish(t, a, "keys")
	problem := ""
	a.until("the problem of the other is seen", func() bool {
		for _, r := range a.status().Replicas {
			if !r.Here {
				problem = r.Problem
			}
		}
		return problem != ""
	})
	if !strings.Contains(problem, "r1 cannot run here") || !strings.Contains(problem, "erp_key is not set") {
		t.Errorf("problem %q", problem)
	}
	if st := b.status(); st.Revision != before || st.Published != 0 {
		t.Errorf("it runs r%d %s, before %s", st.Published, st.Revision, before)
	}
	b.send("k", 1) // the old revision takes no key
}

func TestNothingPublished(t *testing.T) {
	s := newSite(t)
	s.opt.Published = true
	_, err := runtime.New(context.Background(), s.opt)
	if !errors.Is(err, publication.ErrNone) || !strings.Contains(err.Error(), "crossdock publish") {
		t.Errorf("a start: %v", err)
	}
}

// A store that was emptied under a running replica stops it, and the next start
// does not take it for a new one.
func TestEmptiedStoreIsNotTakenForNew(t *testing.T) {
	server := redistest.Start(t)
	s := newSite(t)
	s.opt.Store = server.URL()
	s.start()
	s.send("k", 1)
	s.until("delivered", func() bool { return len(s.target.seen()) == 1 })
	server.Flush()
	s.until("not ready", func() bool { return !s.engine.Ready() })
	if err := s.stop(); err == nil || !strings.Contains(err.Error(), "emptied, replaced or restored") {
		t.Errorf("the run ended with %v", err)
	}
	_, err := runtime.New(context.Background(), s.opt)
	if !errors.Is(err, runtime.ErrOtherStore) || !strings.Contains(err.Error(), "--accept-store") {
		t.Errorf("the next start: %v", err)
	}
	s.opt.AcceptStore = true
	s.start()
	s.send("k", 2)
	s.until("delivered", func() bool { return len(s.target.seen()) == 2 })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.opt.AcceptStore = false
	s.start() // it is the known one now
}

// While Redis is away senders are told to come again, and all goes on when it is
// back.
func TestRedisAwayAndBack(t *testing.T) {
	server := redistest.Start(t, "--appendfsync", "always")
	s := newSite(t)
	s.opt.Store = server.URL()
	s.start()
	s.send("k", 1)
	server.Kill()
	resp, err := http.Post(s.url("/in"), "application/json", strings.NewReader(`{"k":"k","seq":2}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("answered %s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	server.Restart()
	s.until("messages are taken again", func() bool {
		status, _ := s.post("/in", `{"k":"k","seq":3}`)
		return status == http.StatusAccepted
	})
	s.until("delivered", func() bool { return len(s.target.seen()) >= 2 })
}

// A publication that no replica can run, because it was written past the check:
// what ran goes on, also over a restart, and nothing claims otherwise.
func TestUnfitPublicationIsNotSaidToRun(t *testing.T) {
	server := redistest.Start(t)
	s := newSite(t)
	s.opt.Store = server.URL()
	s.start()
	publish(t, s, "good")
	good := s.status().Revision
	s.write("out.mapping.yaml", baseMapping+"  e: {from: .x | }\n")
	if _, err := publication.Publish(context.Background(), s.engine.Driver(), publication.Entry{Who: "nobody"}, packed(t, s)); err != nil {
		t.Fatal(err)
	}
	says := func(n int) func() bool {
		return func() bool {
			st := s.status()
			return st.Published == n && st.Revision == good && strings.Contains(st.Replicas[0].Problem, "r2 cannot run here")
		}
	}
	s.until("the problem is seen", says(1))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.until("the last good one runs and the problem is seen", says(0))
	s.send("k", 1)
	if _, _, err := s.engine.Rollback(context.Background(), 1, "ana", ""); err != nil {
		t.Fatal(err)
	}
	s.until("all is well", func() bool { st := s.status(); return st.Published == 3 && st.Replicas[0].Problem == "" })
}
