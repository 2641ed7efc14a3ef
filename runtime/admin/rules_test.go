package admin_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/access"
	"crossdock/runtime/admin"
)

// grants makes one token per role, with and without the right to reveal.
func (o *office) grants() map[string]access.Identity {
	o.t.Helper()
	tokens := access.NewTokens(o.engine.Driver())
	out := map[string]access.Identity{}
	for role := access.Viewer; role <= access.Admin; role++ {
		for _, reveal := range []bool{false, true} {
			text, _, err := tokens.Create(context.Background(), access.Grant{Name: role.String(), Role: role, Reveal: reveal}, "test", time.Now())
			if err != nil {
				o.t.Fatal(err)
			}
			out[text] = access.Identity{Name: role.String(), Role: role, Reveal: reveal}
		}
	}
	return out
}

// from asks as somebody at another address.
func (o *office) from(addr, method, path, bearer, body string) *httptest.ResponseRecorder {
	o.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.RemoteAddr = addr
	if strings.HasPrefix(path, "/debug/") { // a profile ends with its client
		ends, cancel := context.WithTimeout(req.Context(), 50*time.Millisecond)
		defer cancel()
		req = req.WithContext(ends)
	}
	if bearer != "" {
		req.Header.Set("Authorization", bearer)
	}
	w := httptest.NewRecorder()
	o.api.ServeHTTP(w, req)
	return w
}

func fill(path string) string {
	return strings.NewReplacer("{id}", "x", "{name}", "none", "{what}", "none").Replace(path)
}

// TestMatrix tries every route with every method and every role. It is made
// from the routes themselves: one that has no rule, or changes something
// without a word for the audit log, fails here.
func TestMatrix(t *testing.T) {
	o := newOffice(t)
	grants := o.grants()
	rules := o.api.Rules()
	if len(rules) < 20 {
		t.Fatalf("only %d routes", len(rules))
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	known := map[string][]string{} // path -> methods
	for _, r := range rules {
		method, path, _ := strings.Cut(r.Pattern, " ")
		known[path] = append(known[path], method)
		if method == "GET" {
			known[path] = append(known[path], "HEAD")
		}
		if !r.Open && (r.Role < access.Viewer || r.Role > access.Admin) {
			t.Errorf("%s has no rule", r.Pattern)
		}
		if (method == "GET") != (r.Changes == "") {
			t.Errorf("%s: what changes something has a word for the audit log, what looks has none", r.Pattern)
		}
	}
	tried := 0
	for n, r := range rules {
		want, path, _ := strings.Cut(r.Pattern, " ")
		path = fill(path)
		far, near := "203.0.113.7:999", "127.0.0.1:999"
		for _, addr := range []string{far, near} {
			for token, who := range grants {
				status := o.from(addr, want, path, "Bearer "+token, "{}").Code
				tried++
				denied := status == 403 || status == 401
				switch {
				case r.Near && addr == far:
					if status != 404 {
						t.Errorf("%s from far with %s: %d, want 404", r.Pattern, who.Role, status)
					}
				case r.Open, who.Role >= r.Role, r.Local && addr == near:
					if denied || status == 405 || status == 500 {
						t.Errorf("%s with %s: %d", r.Pattern, who.Role, status)
					}
				case status != 403:
					t.Errorf("%s with %s: %d, want 403", r.Pattern, who.Role, status)
				}
			}
		}
		// Without a token, or with a wrong one. Each try has an address of its
		// own, or the brake on guessing would answer.
		for i, bearer := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + token + "x", "Bearer " + token[:len(token)-1],
			"Basic " + token, "Bearer xd_000000000000_" + strings.Repeat("0", 48), "Bearer " + token} {
			addr := net.IPv4(203, 0, byte(n), byte(i)).String() + ":1" // the token of this machine is not taken from there
			w := o.from(addr, want, path, bearer, "{}")
			tried++
			if r.Open || r.Near {
				continue
			}
			if w.Code != 401 || strings.Contains(w.Body.String(), token) {
				t.Errorf("%s with %q: %d %s", r.Pattern, bearer, w.Code, w.Body)
			}
		}
		// Other methods.
		for _, method := range methods {
			_, pattern, _ := strings.Cut(r.Pattern, " ")
			if strings.Contains(strings.Join(known[pattern], " "), method) {
				continue
			}
			tried++
			if w := o.from(near, method, path, "Bearer "+token, "{}"); w.Code != 405 && w.Code != 404 {
				t.Errorf("%s %s: %d, want 405", method, path, w.Code)
			}
		}
	}
	t.Logf("%d routes, %d tries", len(rules), tried)
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/secrets", "/debug", "/v1/dead/x/reveal", "/v1/status/", "/V1/STATUS"} {
		if status, _, _ := o.ask("GET", path, "Bearer "+token, ""); status != 404 {
			t.Errorf("%s: %d, want 404", path, status)
		}
	}
}

// TestRevealIsARightOfItsOwn: even an admin sees personal data only with it.
func TestRevealIsARightOfItsOwn(t *testing.T) {
	o := newOffice(t)
	id := o.letter(`{"n":1}`)
	for text, who := range o.grants() {
		for _, path := range []string{"/v1/dead/" + id, "/v1/trace?id=" + id, "/v1/history?kind=rejected"} {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			if status, answer, _ := o.ask("GET", path, "Bearer "+text, ""); status != 200 {
				t.Errorf("%s as %s: %d %s", path, who.Name, status, answer)
			}
			want := 403
			if who.Reveal {
				want = 200
			}
			if status, answer, _ := o.ask("GET", path+sep+"reveal=true", "Bearer "+text, ""); status != want {
				t.Errorf("%s as %s, reveal %v: %d %s", path, who.Name, who.Reveal, status, answer)
			}
		}
	}
	// Nobody gives a right they do not have.
	tokens := access.NewTokens(o.engine.Driver())
	text, _, err := tokens.Create(t.Context(), access.Grant{Name: "chief", Role: access.Admin}, "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if status, answer, _ := o.ask("POST", "/v1/tokens", "Bearer "+text, `{"name":"x","role":"viewer","reveal":true}`); status != 403 {
		t.Errorf("an admin without the right to reveal gave it away: %d %s", status, answer)
	}
}

func TestGuessesAreSlowedDown(t *testing.T) {
	o := newOffice(t)
	guess := "Bearer xd_000000000000_" + strings.Repeat("0", 48)
	for i := range 10 {
		if w := o.from("198.51.100.9:1", "GET", "/v1/status", guess, ""); w.Code != 401 {
			t.Fatalf("guess %d: %d", i, w.Code)
		}
	}
	w := o.from("198.51.100.9:2", "GET", "/v1/status", guess, "")
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("the eleventh guess: %d %v", w.Code, w.Header())
	}
	for text, who := range o.grants() {
		if w := o.from("198.51.100.9:3", "GET", "/v1/status", "Bearer "+text, ""); w.Code != 429 {
			t.Errorf("a locked address with the right token of %s: %d", who.Name, w.Code)
		}
		if w := o.from("198.51.100.10:3", "GET", "/v1/status", "Bearer "+text, ""); w.Code != 200 {
			t.Errorf("another address: %d", w.Code)
		}
	}
	if !strings.Contains(o.log.String(), "198.51.100.9") || strings.Contains(o.log.String(), guess[7:]) {
		t.Errorf("the log must name the address and not the guess: %s", o.log)
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	o := newOffice(t)
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	id := o.letter(`{"n":1}`)
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/v1/tokens", `{"name":"x","role":"admin","hash":"0"}`, 400, "there is no field"},
		{"/v1/tokens", `{"name":"x","role":"root"}`, 400, "wrong form"},
		{"/v1/tokens", `{"name":"x"}`, 422, "say what the token may do"},
		{"/v1/tokens", `{"name":"a b","role":"viewer"}`, 422, "the name of a token"},
		{"/v1/tokens", `{"name":"x","role":"viewer"} {}`, 400, "something follows"},
		{"/v1/tokens/none/revoke", `{}`, 404, "there is no such token"},
		{"/v1/reload", `{"tenant_id":"x"}`, 400, "there is no field"},
		{"/v1/pipelines/in/pause", `{"role":"admin"}`, 400, "there is no field"},
		{"/v1/dead/" + id + "/edit", `{"who":"a","reason":"b","payload":` + deep + `}`, 422, "not JSON"},
	} {
		status, answer, _ := o.ask("POST", c.path, "Bearer "+token, c.body)
		if status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s %.60s: %d %s, want %d %s", c.path, c.body, status, answer, c.status, c.want)
		}
		var f struct{ Error, ID string }
		if err := json.Unmarshal([]byte(answer), &f); err != nil || len(f.ID) != 12 || strings.Contains(answer, "goroutine") {
			t.Errorf("%s: an answer without an ID: %s", c.path, answer)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	o := newOffice(t)
	for _, r := range o.api.Rules() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if r.Near {
			continue
		}
		req, err := http.NewRequest(method, o.server.URL+fill(path), strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://evil.example")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		h := resp.Header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", r.Pattern, h)
		}
		for name := range h {
			if strings.HasPrefix(name, "Access-Control-") || name == "Server" || name == "X-Powered-By" {
				t.Errorf("%s: header %s", r.Pattern, name)
			}
		}
	}
}

// TestWhoIsTheToken: somebody with a token cannot act under another name.
func TestWhoIsTheToken(t *testing.T) {
	o := newOffice(t)
	id := o.letter(`{"n":1}`)
	tokens := access.NewTokens(o.engine.Driver())
	text, _, err := tokens.Create(t.Context(), access.Grant{Name: "ci", Role: access.Operator}, "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ci := &admin.Client{Base: o.server.URL, Token: text}
	var done map[string]string
	if err := ci.Post(t.Context(), "/v1/dead/"+id+"/discard", admin.Change{Who: "the boss", Reason: "test"}, &done); err != nil {
		t.Fatal(err)
	}
	_, story, _ := o.ask("GET", "/v1/trace?id="+id, "Bearer "+text, "")
	if !strings.Contains(story, "by ci: test") || strings.Contains(story, "the boss") {
		t.Errorf("the story names the wrong one: %s", story)
	}
}

// TestSignInOverTheAPI: a provider that does not answer is no reason to let
// anybody in, and named tokens go on.
func TestSignInOverTheAPI(t *testing.T) {
	o := newOffice(t)
	sign, err := access.NewSignIn(access.SignInOptions{Issuer: "http://127.0.0.1:1", Audience: "crossdock"})
	if err != nil {
		t.Fatal(err)
	}
	o.api = admin.New(o.engine, admin.Options{Token: token, SignIn: sign, Log: slog.New(slog.DiscardHandler)})
	head := "eyJhbGciOiJSUzI1NiJ9." // {"alg":"RS256"}
	w := o.from("203.0.113.7:1", "GET", "/v1/status", "Bearer "+head+"e30.AA", "")
	if w.Code != 503 || strings.Contains(w.Body.String(), "127.0.0.1") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := o.from("203.0.113.7:1", "GET", "/v1/status", "Bearer eyJhbGciOiJub25lIn0.e30.", ""); w.Code != 401 {
		t.Errorf("alg none: %d %s", w.Code, w.Body)
	}
	for text, who := range o.grants() {
		if w := o.from("203.0.113.7:1", "GET", "/v1/status", "Bearer "+text, ""); w.Code != 200 {
			t.Errorf("%s: %d", who.Name, w.Code)
		}
	}
}
