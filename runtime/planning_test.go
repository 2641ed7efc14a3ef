package runtime_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"crossdock/dsl"
	"crossdock/runtime"
	"crossdock/runtime/access"
	"crossdock/runtime/catalog"
	"crossdock/runtime/plan"
	"crossdock/runtime/publication"
)

// packOf packs a folder as the command line does.
func packOf(t *testing.T, dir string) *publication.Pack {
	t.Helper()
	rec := publication.Record(os.DirFS(dir))
	if _, _, err := dsl.Load(rec, dsl.Options{Catalog: catalog.New(), AnyEnvironment: true}); err != nil {
		t.Fatal(err)
	}
	pack, err := rec.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// What is applied is what was planned, and a plan that was overtaken is refused.
func TestPlanThenApply(t *testing.T) {
	s := newSite(t)
	s.start()
	s.send("a", 1)
	s.settled()
	if p := s.plan(packOf(t, s.dir)); !p.Same || p.Compared.Real != 1 {
		t.Errorf("against itself: %+v", p)
	}
	next := t.TempDir()
	if err := os.CopyFS(next, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	_ = os.RemoveAll(next + "/" + runtime.StateDir)
	if err := os.WriteFile(next+"/out.mapping.yaml", []byte(baseMapping+"  e: {const: 2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pack := packOf(t, next)
	p := s.plan(pack)
	if len(p.Differences) != 1 || p.Differences[0].Field != "e" || p.Differences[0].Count != 1 || p.Differences[0].Real != 1 {
		t.Fatalf("%+v", p.Differences)
	}
	how := runtime.Planning{Pack: pack, Name: "next", Messages: 10}
	entry, report, err := s.engine.Apply(context.Background(), how, p, publication.Entry{Who: "ana", Plan: p.Hash}, false)
	if err != nil || report.Result != "ok" || report.Revision != p.New.Revision || s.status().Revision != p.New.Revision || entry.Plan != p.Hash {
		t.Fatalf("%+v, %+v, %v", entry, report, err)
	}
	var moved *runtime.ErrMoved
	if _, _, err := s.engine.Apply(context.Background(), how, p, publication.Entry{Who: "ben"}, false); !errors.As(err, &moved) || !strings.Contains(moved.Why, "what runs is revision") {
		t.Errorf("applied twice: %v", err)
	}
	// What was published before can be compared with, too.
	back, err := s.engine.Plan(context.Background(), runtime.Planning{Pack: pack, Against: 1, Messages: 10})
	if err != nil || !back.Same {
		t.Errorf("against r1: %+v, %v", back, err)
	}
}

func (s *site) plan(pack *publication.Pack) *plan.Plan {
	s.t.Helper()
	p, err := s.engine.Plan(context.Background(), runtime.Planning{Pack: pack, Name: "next", Messages: 10})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// Where plans are approved nothing goes live without one, and who approves does
// not apply.
func TestApproval(t *testing.T) {
	s := newSite(t)
	s.write("prod.environment.yaml", "environment: prod\nreload: {approve: ops}\n")
	s.start()
	ctx := context.Background()
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	if r := s.engine.Reload(ctx); r.Result != "failed" || !strings.Contains(r.Error, "approved by ops") {
		t.Errorf("a reload: %+v", r)
	}
	pack := packOf(t, s.dir)
	var refused *runtime.Refused
	if _, _, err := s.engine.Publish(ctx, pack, publication.Entry{Who: "ana"}); !errors.As(err, &refused) {
		t.Errorf("a publication: %v", err)
	}
	p := s.plan(pack)
	how := runtime.Planning{Pack: pack, Messages: 10}
	apply := func(who string, folder bool) error {
		_, r, err := s.engine.Apply(ctx, how, p, publication.Entry{Who: who}, folder)
		if err == nil && r.Result != "ok" {
			t.Errorf("applied: %+v", r)
		}
		return err
	}
	if err := apply("ana", false); err == nil || !strings.Contains(err.Error(), "ops has to approve the plan first") {
		t.Errorf("not approved: %v", err)
	}
	if err := s.engine.Approve(ctx, runtime.Approval{Plan: p.Hash, Who: "ana", Role: access.Admin}); !errors.Is(err, runtime.ErrNotApprover) {
		t.Errorf("the word of ana: %v", err)
	}
	if err := s.engine.Approve(ctx, s.word(p.Hash, "ops", access.Viewer)); err != nil {
		t.Fatal(err)
	}
	if err := apply("ops", false); err == nil || !strings.Contains(err.Error(), "somebody else has to") {
		t.Errorf("applied by who approved: %v", err)
	}
	if err := apply("ana", true); err != nil || s.status().Revision != p.New.Revision {
		t.Errorf("approved: %v", err)
	}
}

// word is the approval of somebody with a token of their own.
func (s *site) word(hash, who string, role access.Role) runtime.Approval {
	s.t.Helper()
	_, made, err := access.NewTokens(s.engine.Driver()).Create(context.Background(), access.Grant{Name: who, Role: role}, "test", time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return runtime.Approval{Plan: hash, Who: who, Role: role, Via: access.ViaToken, Token: made.ID, At: time.Now()}
}

// TestApprovalLapses: what somebody approved counts as long as who gave it has
// what was asked for.
func TestApprovalLapses(t *testing.T) {
	s := newSite(t)
	s.write("prod.environment.yaml", "environment: prod\nreload: {approve: editor}\n")
	s.start()
	ctx := context.Background()
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 2}\n")
	pack := packOf(t, s.dir)
	p := s.plan(pack)
	before := s.status().Revision
	refused := func(name, want string) {
		t.Helper()
		_, _, err := s.engine.Apply(ctx, runtime.Planning{Pack: pack, Messages: 10}, p, publication.Entry{Who: "ana"}, true)
		var no *runtime.Refused
		if !errors.As(err, &no) || !strings.Contains(no.Reason, want) || s.status().Revision != before {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	give := func(a runtime.Approval) {
		t.Helper()
		if err := s.engine.Approve(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	people, tokens := access.NewPeople(s.engine.Driver()), access.NewTokens(s.engine.Driver())
	signIn := func(name string, role access.Role) {
		t.Helper()
		// Another replica, which remembers nothing of its own.
		if err := access.NewPeople(s.engine.Driver()).Note(ctx, access.Identity{Name: name, Via: access.ViaSignIn, Role: role}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}

	// A token that was revoked, also where its name has another one.
	word := s.word(p.Hash, "ben", access.Editor)
	give(word)
	if _, err := tokens.Revoke(ctx, word.Token); err != nil {
		t.Fatal(err)
	}
	again := s.word(p.Hash, "ben", access.Editor)
	refused("revoked", "the approval of ben counts no more: the token it was given with was revoked or is over; editor has to approve the plan first")

	// Somebody who signs in with less, who has not been seen, and a day later.
	signIn("eve@example.com", access.Editor)
	word = runtime.Approval{Plan: p.Hash, Who: "eve@example.com", Role: access.Editor, Via: access.ViaSignIn, At: time.Now()}
	give(word)
	signIn("Eve@example.com", access.Operator)
	refused("another role", "the approval of eve@example.com counts no more: who gave it has another role now")
	signIn("eve@example.com", access.Nobody)
	refused("no role", "has another role now")
	if role, err := people.Role(ctx, "eve@example.com"); err != nil || role != access.Nobody {
		t.Errorf("%v %v", role, err)
	}
	signIn("eve@example.com", access.Editor)
	word.At = time.Now().Add(-25 * time.Hour)
	give(word)
	refused("a day later", "by somebody who signed in, more than a day ago")
	word = runtime.Approval{Plan: p.Hash, Who: "old", Role: access.Admin, At: time.Now()}
	give(word)
	refused("by an older crossdock", "it does not say how who gave it was recognised")

	// One that counts is enough.
	give(again)
	if _, r, err := s.engine.Apply(ctx, runtime.Planning{Pack: pack, Messages: 10}, p, publication.Entry{Who: "ana"}, true); err != nil || r.Result != "ok" {
		t.Errorf("%+v, %v", r, err)
	}
}
