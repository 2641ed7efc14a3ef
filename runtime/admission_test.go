package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"crossdock/runtime"
	"crossdock/runtime/access"
	"crossdock/runtime/publication"
)

// What is written into the store past every running crossdock does not run where
// somebody has to approve: not now, and not after a start.
func TestPublishedPastTheApproval(t *testing.T) {
	s := newSite(t)
	s.opt.Store = "embedded:" + t.TempDir()
	s.write("prod.environment.yaml", "environment: prod\nreload: {approve: ops}\n")
	ctx := context.Background()

	// The first revision of a store on which nothing ran asks nobody.
	first := packOf(t, s.dir)
	d, err := runtime.OpenStore(ctx, s.opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.PublishTo(ctx, d, publication.Entry{Who: "ana"}, first); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	s.start()
	good := s.status()
	if good.Published != 1 {
		t.Fatalf("r1 does not run: %+v", good)
	}

	// Whoever wants to get past it takes the approval out of the definitions.
	s.write("prod.environment.yaml", "environment: prod\n")
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	sneaky := packOf(t, s.dir)
	var refused *runtime.Refused
	if _, err := runtime.PublishTo(ctx, s.engine.Driver(), publication.Entry{Who: "ana"}, sneaky); !errors.As(err, &refused) ||
		!strings.Contains(refused.Reason, "approved by ops") || !strings.Contains(refused.Reason, "crossdock apply") {
		t.Errorf("published to the store: %v", err)
	}
	if _, err := publication.Publish(ctx, s.engine.Driver(), publication.Entry{Who: "ana"}, sneaky); err != nil {
		t.Fatal(err)
	}
	s.reload("failed")
	stays := func() {
		t.Helper()
		st := s.status()
		if st.Published != 1 || st.Revision != good.Revision {
			t.Errorf("r%d runs, as %s", st.Published, st.Revision)
		}
	}
	stays()
	if st := s.status(); !strings.Contains(st.Last.Error, "r2 cannot run here: ops has not approved it") {
		t.Errorf("the status says: %+v", st.Last)
	}
	if _, _, err := s.engine.Rollback(ctx, 2, "ana", ""); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "never ran here") {
		t.Errorf("rolled back to what never ran: %v", err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	stays()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	// Back to one that ran, and on to one that is approved.
	s.start()
	if e, r, err := s.engine.Rollback(ctx, 1, "ana", ""); err != nil || r.Result == "failed" || e.Number != 3 {
		t.Fatalf("%+v, %+v, %v", e, r, err)
	}
	p := s.plan(sneaky)
	if err := s.engine.Approve(ctx, s.word(p.Hash, "ops", access.Viewer)); err != nil {
		t.Fatal(err)
	}
	e, r, err := s.engine.Apply(ctx, runtime.Planning{Pack: sneaky, Messages: 10}, p, publication.Entry{Who: "ana", Plan: p.Hash}, false)
	if err != nil || r.Result != "ok" || e.Approved != "ops" {
		t.Fatalf("%+v, %+v, %v", e, r, err)
	}
	// Its definitions ask nobody any more.
	if e, err := runtime.PublishTo(ctx, s.engine.Driver(), publication.Entry{Who: "ana"}, first); err != nil || e.Number != 5 {
		t.Errorf("%+v, %v", e, err)
	}
	s.until("what was published to the store runs", func() bool { return s.status().Published == 5 })
}
