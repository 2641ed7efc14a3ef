package admin_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/dsl"
	"crossdock/runtime/access"
	"crossdock/runtime/admin"
	"crossdock/runtime/audit"
	"crossdock/runtime/catalog"
	"crossdock/runtime/plan"
	"crossdock/runtime/publication"
)

// person makes a token and returns a client that uses it from far away.
func (o *office) person(name string, role access.Role) *admin.Client {
	o.t.Helper()
	text, _, err := access.NewTokens(o.engine.Driver()).Create(context.Background(), access.Grant{Name: name, Role: role}, "test", time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	return &admin.Client{Base: o.server.URL, Token: text, Who: "somebody else"} // the name that is given does not count
}

// edited packs the workspace of o with a file that is written otherwise.
func (o *office) edited(name, text string) []byte {
	o.t.Helper()
	dir := o.t.TempDir()
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range entries { // all but what the engine writes beside them
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(o.dir, e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, e.Name()), b, 0o644)
		}
		if err != nil {
			o.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		o.t.Fatal(err)
	}
	rec := publication.Record(os.DirFS(dir))
	if _, list, err := dsl.Load(rec, dsl.Options{Catalog: catalog.New()}); err != nil || list.HasErrors() {
		o.t.Fatal(err, list)
	}
	pack, err := rec.Pack()
	if err != nil {
		o.t.Fatal(err)
	}
	return pack.Raw
}

// Two people, two tokens, the real API: what goes live was approved by somebody
// else than who applies it, and the record says by whom.
func TestTwoPeople(t *testing.T) {
	for asked, approver := range map[string]access.Role{"ben": access.Viewer, "operator": access.Operator} {
		t.Run(asked, func(t *testing.T) { twoPeople(t, asked, approver) })
	}
}

func twoPeople(t *testing.T, asked string, approver access.Role) {
	o := newOffice(t, map[string]string{"prod.environment.yaml": "environment: prod\nreload: {approve: " + asked + "}\n"})
	_, lines := o.record()
	o.server = httptest.NewServer(o.api)
	t.Cleanup(o.server.Close)
	ctx := t.Context()
	ana, ben, eve := o.person("ana", access.Editor), o.person("ben", approver), o.person("eve", access.Viewer)
	local := &admin.Client{Base: o.server.URL, Token: token, Who: "ben"}
	before := o.engine.Worker().Live().WS.Revision
	pack := o.edited("in.pipeline.yaml", "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.n]\ntrace_by: {n: .n, m: .m}\nsteps:\n  - {send: t.put}\n")

	// Without a plan nothing goes live, whoever asks.
	var out admin.PublishAnswer
	for who, c := range map[string]*admin.Client{"ana": ana, "the token of this machine": local} {
		out = admin.PublishAnswer{}
		err := c.Post(ctx, "/v1/revisions", admin.Publishing{Who: "ben", Pack: pack}, &out)
		if err != nil || out.Entry != nil || !strings.Contains(out.Refused, "approved by "+asked) || !strings.Contains(out.Refused, "crossdock apply DIR --plan plan.json") {
			t.Errorf("%s published: %+v, %v", who, out, err)
		}
	}
	var made admin.PlanAnswer
	if err := ana.Post(ctx, "/v1/plan", admin.Planning{Pack: pack, Name: "next", Messages: 10}, &made); err != nil || made.Plan == nil {
		t.Fatalf("%+v, %v", made, err)
	}
	apply := func(c *admin.Client, p *plan.Plan, pack []byte) (admin.PublishAnswer, error) {
		var out admin.PublishAnswer
		err := c.Post(ctx, "/v1/apply", admin.Applying{Who: "ben", Pack: pack, Plan: p, Messages: 10}, &out)
		return out, err
	}
	approve := func(c *admin.Client, hash string) error {
		return c.Post(ctx, "/v1/approvals", admin.Approving{Who: "ben", Plan: hash, Reason: "seen"}, &map[string]string{})
	}
	says := func(what, want string, out admin.PublishAnswer, err error) {
		t.Helper()
		text := out.Refused
		if err != nil {
			text = err.Error()
		}
		if out.Entry != nil || !strings.Contains(text, want) {
			t.Errorf("%s: %+v, %v; want %q", what, out, err, want)
		}
	}
	out, err := apply(ana, made.Plan, pack)
	says("not approved", asked+" has to approve the plan first: crossdock approve "+made.Plan.Hash, out, err)

	// Nobody approves in the name of somebody else, nor without the right to.
	says("the token of this machine approves", "does not say who approves", admin.PublishAnswer{}, approve(local, made.Plan.Hash))
	says("eve approves", "nobody's approval but that of "+asked, admin.PublishAnswer{}, approve(eve, made.Plan.Hash))
	if asked == "ben" {
		says("ana approves", "nobody's approval but that of ben", admin.PublishAnswer{}, approve(ana, made.Plan.Hash))
	} else {
		// She has the role that is asked for: not for what she does herself.
		if err := approve(ana, made.Plan.Hash); err != nil {
			t.Fatal(err)
		}
		out, err = apply(ana, made.Plan, pack)
		says("the author approved", "who approves a plan does not apply it", out, err)
	}
	if err := approve(ben, made.Plan.Hash); err != nil {
		t.Fatal(err)
	}
	out, err = apply(local, made.Plan, pack)
	says("the token of this machine applies", "does not say who applies", out, err)
	out, err = apply(eve, made.Plan, pack)
	says("eve applies", "this needs the role editor", out, err)

	// It counts no more when the token is revoked, and does again when it is given
	// with the next one.
	if _, err := access.NewTokens(o.engine.Driver()).Revoke(ctx, "ben"); err != nil {
		t.Fatal(err)
	}
	out, err = apply(ana, made.Plan, pack)
	says("ben has lost the token", "the approval of ben counts no more: the token it was given with was revoked or is over; "+asked+" has to approve the plan first", out, err)
	ben = o.person("ben", approver)
	if err := approve(ben, made.Plan.Hash); err != nil {
		t.Fatal(err)
	}

	// The approval is for this plan: neither for other files nor for a plan that
	// only bears its hash.
	other := o.edited("in.pipeline.yaml", "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.n]\ntrace_by: {m: .m}\nsteps:\n  - {send: t.put}\n")
	out, err = apply(ana, made.Plan, other)
	says("other files", "the definitions were changed after the plan was made", out, err)
	var forged admin.PlanAnswer
	if err := ana.Post(ctx, "/v1/plan", admin.Planning{Pack: other, Name: "next", Messages: 10}, &forged); err != nil || forged.Plan == nil {
		t.Fatalf("%+v, %v", forged, err)
	}
	forged.Plan.Hash = made.Plan.Hash
	out, err = apply(ana, forged.Plan, other)
	says("another plan with the hash of this one", "the plan was changed after it was made", out, err)
	if now := o.engine.Worker().Live().WS.Revision; now != before {
		t.Fatalf("%s runs", now)
	}
	lines()

	out, err = apply(ana, made.Plan, pack)
	if err != nil || out.Entry == nil || out.Entry.Who != "ana" || out.Entry.Approved != "ben" || out.Here.Result != "ok" {
		t.Fatalf("%+v, %v", out, err)
	}
	if now := o.engine.Worker().Live().WS.Revision; now != made.Plan.New.Revision {
		t.Errorf("%s runs", now)
	}
	if got := lines(); len(got) != 2 || got[1].Who != "ana" || got[1].Result != audit.Done || got[1].Why != "plan "+made.Plan.Hash+"; approved by ben" {
		t.Errorf("the audit log: %+v", got)
	}
}

// A person who signs in with a lesser role has approved nothing: the API notes
// who comes with which role, whatever is asked for.
func TestSignedInApprover(t *testing.T) {
	o := newOffice(t, map[string]string{"prod.environment.yaml": "environment: prod\nreload: {approve: editor}\n"})
	signed := provider(t)
	sign, err := access.NewSignIn(access.SignInOptions{Issuer: signed.URL, Audience: "crossdock"})
	if err != nil {
		t.Fatal(err)
	}
	o.api = admin.New(o.engine, admin.Options{Token: token, SignIn: sign, Log: slog.New(slog.DiscardHandler)})
	o.server = httptest.NewServer(o.api)
	t.Cleanup(o.server.Close)
	ana := o.person("ana", access.Editor)
	pack := o.edited("in.pipeline.yaml", "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.n]\ntrace_by: {n: .n, m: .m}\nsteps:\n  - {send: t.put}\n")
	var made admin.PlanAnswer
	if err := ana.Post(t.Context(), "/v1/plan", admin.Planning{Pack: pack, Name: "next", Messages: 10}, &made); err != nil || made.Plan == nil {
		t.Fatalf("%+v, %v", made, err)
	}
	eve := func(role string) *admin.Client { return &admin.Client{Base: o.server.URL, Token: signed.token(role)} }
	approve := func() {
		t.Helper()
		if err := eve("crossdock-editor").Post(t.Context(), "/v1/approvals", admin.Approving{Plan: made.Plan.Hash}, &map[string]string{}); err != nil {
			t.Fatal(err)
		}
	}
	apply := func() (out admin.PublishAnswer, err error) {
		err = ana.Post(t.Context(), "/v1/apply", admin.Applying{Pack: pack, Plan: made.Plan, Messages: 10}, &out)
		return out, err
	}
	for _, role := range []string{"crossdock-operator", "of-no-use-here"} {
		approve()
		_ = eve(role).Get(t.Context(), "/v1/status", nil, &struct{}{}) // who has no role is turned away, and noted
		if out, err := apply(); err != nil || out.Entry != nil || !strings.Contains(out.Refused, "the approval of eve counts no more: who gave it has another role now") {
			t.Errorf("%s: %+v, %v", role, out, err)
		}
	}
	approve()
	if out, err := apply(); err != nil || out.Entry == nil || out.Entry.Approved != "eve" {
		t.Errorf("%+v, %v", out, err)
	}
}

// idp is an identity provider with one key.
type idp struct {
	*httptest.Server
	t   *testing.T
	key ed25519.PrivateKey
}

func provider(t *testing.T) *idp {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{t: t, key: key}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/") {
			fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, p.URL, p.URL+"/keys")
			return
		}
		fmt.Fprintf(w, `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "use": "sig", "x": %q}]}`, base64.RawURLEncoding.EncodeToString(public))
	}))
	t.Cleanup(p.Close)
	return p
}

// token is what eve gets there with a role.
func (p *idp) token(role string) string {
	p.t.Helper()
	claims, err := json.Marshal(map[string]any{"iss": p.URL, "aud": "crossdock", "sub": "eve", "exp": time.Now().Add(time.Hour).Unix(), "roles": []string{role}})
	if err != nil {
		p.t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"k"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(p.key, []byte(text)))
}
