package http_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"
	"crossdock/dsl/spec"
)

func dialTo(addr string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
}

func TestCredentials(t *testing.T) {
	url, last := target(t, nil)
	operations := "\noperations: {a: {post: /a, query: {x: 1}, repeat: keyed}}\n"
	tests := []struct {
		conf, header, want, uri string
	}{
		{`auth: {basic: {user: "${secret.user}", password: "${secret.password}"}}`, "Authorization", "Basic Ym9iOnBhNTU6d8O2cmQ=", "/a?x=1"},
		{`auth: {basic: {user: bob, password: "${secret.password}"}}`, "Authorization", "Basic Ym9iOnBhNTU6d8O2cmQ=", "/a?x=1"},
		{`auth: {bearer: "${secret.token}"}`, "Authorization", "Bearer s3cr3t-t0ken", "/a?x=1"},
		{`auth: {api_key: {header: X-Api-Key, value: "${secret.key}"}}`, "X-Api-Key", "k3y&/", "/a?x=1"},
		{`auth: {api_key: {header: Authorization, value: "${secret.token}", prefix: ShippoToken}}`, "Authorization", "ShippoToken s3cr3t-t0ken", "/a?x=1"},
		{`auth: {api_key: {query: api_key, value: "${secret.key}"}}`, "Authorization", "", "/a?x=1&api_key=k3y%26%2F"},
	}
	for _, tt := range tests {
		deliver(t, open(t, url, tt.conf+operations), requestFor("a"))
		if got := last(); got.header.Get(tt.header) != tt.want || got.uri != tt.uri {
			t.Errorf("%s: %q %s", tt.conf, got.header.Get(tt.header), got.uri)
		}
	}
	s := open(t, url, `auth: {hmac: {header: X-Sig, prefix: "sha256=", secret: "${secret.token}", signed: "{timestamp}.{method}.{path}.{key}.{body}", timestamp_header: X-Time}}`+operations)
	deliver(t, s, requestFor("a"))
	got := last()
	mac := hmac.New(sha256.New, []byte("s3cr3t-t0ken"))
	io.WriteString(mac, got.header.Get("X-Time")+".POST./a?x=1.k."+got.body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); got.header.Get("X-Sig") != want || got.header.Get("X-Time") == "" {
		t.Errorf("signature %q, want %q", got.header.Get("X-Sig"), want)
	}
}

// id is an OAuth server whose tokens last for one use, or for ever.
type id struct {
	tokens  atomic.Int64
	accept  func(token string) bool
	fail    atomic.Int64 // status of the token endpoint
	calls   atomic.Int64
	lastReq sync.Map
}

func (o *id) serve(t *testing.T) string {
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "/token" {
			if status := o.fail.Load(); status != 0 {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(int(status))
				io.WriteString(w, `{"error":"invalid_client","error_description":"s3cr3t-t0ken is wrong"}`)
				return
			}
			r.ParseForm()
			user, password, _ := r.BasicAuth()
			o.lastReq.Store("form", user+"|"+password+"|"+r.Form.Encode())
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"t%d","token_type":"bearer","expires_in":3600}`, o.tokens.Add(1))
			return
		}
		o.calls.Add(1)
		if !o.accept(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			w.WriteHeader(401)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

const oauth = `auth: {oauth2: {token_path: /token, client_id: "${secret.id}", client_secret: "${secret.token}", scopes: [a, b], audience: tms, params: {resource: x}}}
operations: {a: {post: /a}}
`

func TestOAuth(t *testing.T) {
	o := &id{accept: func(string) bool { return true }}
	s := open(t, o.serve(t), oauth)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a, err := s.Deliver(t.Context(), requestFor("a")); err != nil || a.Status != 200 {
				t.Errorf("%v %v", a, err)
			}
		})
	}
	wg.Wait()
	if o.tokens.Load() != 1 || o.calls.Load() != 20 {
		t.Errorf("%d tokens for %d calls", o.tokens.Load(), o.calls.Load())
	}
	if form, _ := o.lastReq.Load("form"); form != "client|s3cr3t-t0ken|audience=tms&grant_type=client_credentials&resource=x&scope=a+b" {
		t.Errorf("token request %v", form)
	}
}

// TestOAuthOtherGrant lets params say by which grant a token is asked for.
func TestOAuthOtherGrant(t *testing.T) {
	o := &id{accept: func(string) bool { return true }}
	s := open(t, o.serve(t), `auth: {oauth2: {token_path: /token, client_id: "${secret.id}", client_secret: "${secret.token}", params: {grant_type: refresh_token, refresh_token: "${secret.token}"}}}
operations: {a: {post: /a}}
`)
	if a := deliver(t, s, requestFor("a")); a.Status != 200 {
		t.Errorf("status %d", a.Status)
	}
	if form, _ := o.lastReq.Load("form"); form != "client|s3cr3t-t0ken|grant_type=refresh_token&refresh_token=s3cr3t-t0ken" {
		t.Errorf("token request %v", form)
	}
}

// TestOAuthRefresh: a refused token is renewed once per call, not more.
func TestOAuthRefresh(t *testing.T) {
	o := &id{accept: func(token string) bool { return token != "t1" }}
	s := open(t, o.serve(t), oauth)
	for i := range 3 {
		if a := deliver(t, s, requestFor("a")); a.Status != 200 {
			t.Errorf("call %d: %d", i, a.Status)
		}
	}
	if o.tokens.Load() != 2 || o.calls.Load() != 4 {
		t.Errorf("%d tokens, %d calls", o.tokens.Load(), o.calls.Load())
	}
	never := &id{accept: func(string) bool { return false }}
	s = open(t, never.serve(t), oauth)
	if a := deliver(t, s, requestFor("a")); a.Status != 401 || never.calls.Load() != 2 {
		t.Errorf("status %d after %d calls", a.Status, never.calls.Load())
	}
	// Without tokens a refusal is simply an answer.
	url, requests := raw(t, func(c net.Conn, _ int64) { io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") })
	if a := deliver(t, open(t, url, "auth: {bearer: \"${secret.token}\"}\noperations: {a: {post: /a}}\n"), requestFor("a")); a.Status != 401 || requests.Load() != 1 {
		t.Errorf("status %d after %d requests", a.Status, requests.Load())
	}
}

// masked is what the runtime hides in texts as a credential: our own words must not
// look like one, or the host that failed is hidden.
var masked = regexp.MustCompile(`(?i)\b(basic|bearer|token)([ :=]+)[A-Za-z0-9._~+/=-]{8,}`)

func TestOAuthFailures(t *testing.T) {
	o := &id{accept: func(string) bool { return true }}
	s := open(t, o.serve(t), oauth)
	o.fail.Store(401)
	err := deliverErr(s, requestFor("a"))
	if class, _ := connectors.ClassOf(err); class != connectors.ClassNotSent || !strings.Contains(err.Error(), "invalid_client") || o.calls.Load() != 0 {
		t.Errorf("%v (class %d)", err, class)
	}
	if masked.MatchString(err.Error()) {
		t.Errorf("%v would be hidden in part", err)
	}
	o.fail.Store(0)
	deliver(t, s, requestFor("a")) // heals
	away := open(t, "http://127.0.0.1:1", oauth)
	err = deliverErr(away, requestFor("a"))
	if class, _ := connectors.ClassOf(err); class != connectors.ClassNotSent || !strings.Contains(err.Error(), "an access token could not be fetched") || masked.MatchString(err.Error()) {
		t.Errorf("%v (class %d)", err, class)
	}
	// The token endpoint is guarded like the target.
	text := "connection: x\ntype: http\nbase_url: https://tms.example.com\n" + strings.Replace(oauth, "token_path: /token", "token_url: \"http://127.0.0.1:1/token\"", 1)
	guarded, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), connectors.Env{Secret: spec.Sealing(lookup)})
	if err != nil {
		t.Fatal(err)
	}
	if err := deliverErr(guarded, requestFor("a")); !strings.Contains(err.Error(), "allow_private") {
		t.Errorf("got %v", err)
	}
}

// TestSecretsStayHidden: no error of any kind holds a secret.
func TestSecretsStayHidden(t *testing.T) {
	var texts []string
	note := func(err error) {
		for ; err != nil; err = errors.Unwrap(err) {
			texts = append(texts, err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err))
		}
	}
	confs := []string{
		`auth: {basic: {user: "${secret.user}", password: "${secret.password}"}}`, `auth: {bearer: "${secret.token}"}`,
		`auth: {api_key: {query: k, value: "${secret.token}"}}`, `headers: {X-Token: "${secret.token}"}`,
		strings.Split(oauth, "\n")[0], `auth: {hmac: {header: X-S, secret: "${secret.token}"}}`,
	}
	reset, _ := raw(t, func(c net.Conn, _ int64) { reset(c) })
	for _, conf := range confs {
		for _, url := range []string{reset, "http://127.0.0.1:1", "http://no-such-host.invalid"} {
			note(deliverErr(open(t, url, conf+"\noperations: {a: {post: /a}}\n"), requestFor("a")))
		}
		text := "connection: x\ntype: http\nbase_url: https://x.example.com\n" + conf + "\noperations: {a: {post: /a}}\n"
		config := connectortest.Load(t, http.Connector{}, text, nil)
		texts = append(texts, fmt.Sprintf("%+v", config))
	}
	for _, text := range texts {
		for name, secret := range testSecrets {
			if len(secret) > 5 && strings.Contains(text, secret) {
				t.Errorf("secret %s in %q", name, text)
			}
		}
	}
	bad := map[string]string{"a": "line\nbreak"}
	text := "connection: x\ntype: http\nbase_url: https://x.example.com\nauth: {bearer: \"${secret.a}\"}\noperations: {a: {post: /a}}\n"
	s, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), connectors.Env{Secret: func(n string) (spec.Sealed, error) { return spec.Seal(bad[n]), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := deliverErr(s, requestFor("a")); strings.Contains(err.Error(), "break") && strings.Contains(err.Error(), "line\n") {
		t.Errorf("got %q", err)
	}
	missing := open(t, "http://127.0.0.1:1", "auth: {bearer: \"${secret.nope}\"}\noperations: {a: {post: /a}}\n")
	err = deliverErr(missing, requestFor("a"))
	if class, _ := connectors.ClassOf(err); class != connectors.ClassNotSent || !strings.Contains(err.Error(), "nope") {
		t.Errorf("a secret that is not there: %v", err)
	}
}

func TestFindings(t *testing.T) {
	base := "connection: x\ntype: http\nbase_url: https://x.example.com\n"
	tests := []struct {
		name, text, want string
		line             int
	}{
		{"fine", base + "operations: {a: {get: /a}}\n", "", 0},
		{"unknown key", base + "bas_url: x\noperations: {a: {get: /a}}\n", "unknown key `bas_url`", 4},
		{"unknown operation key", base + "operations: {a: {get: /a, heders: {}}}\n", "unknown key `heders`", 4},
		{"no address", "connection: x\ntype: http\noperations: {a: {get: /a}}\n", "`base_url` is missing", 1},
		{"ftp", "connection: x\ntype: http\nbase_url: ftp://x\n", "must start with https://", 3},
		{"user in address", "connection: x\ntype: http\nbase_url: https://u:p@x.example.com\n", "credentials belong to `auth:`", 3},
		{"host that looks public", "connection: x\ntype: http\nbase_url: https://api.example.com@169.254.169.254/\n", "user name", 3},
		{"private", "connection: x\ntype: http\nbase_url: http://10.1.2.3:8080\n", "10.1.2.3 is private", 3},
		{"query in address", "connection: x\ntype: http\nbase_url: https://x.example.com/?a=b\n", "below `query:`", 3},
		{"two auths", base + "auth: {bearer: \"${secret.a}\", hmac: {header: X, secret: \"${secret.a}\"}}\n", "exactly one of basic", 4},
		{"secret in file", base + "auth: {bearer: abc}\n", "a secret is written in this file", 4},
		{"no method", base + "operations: {a: {body: json}}\n", "exactly one of get", 4},
		{"two methods", base + "operations: {a: {get: /a, post: /b}}\n", "exactly one of get", 4},
		{"relative path", base + "operations: {a: {get: a}}\n", "must start with /", 4},
		{"query in path", base + "operations: {a: {get: \"/a?b=c\"}}\n", "below `query:`", 4},
		{"dots", base + "operations: {a: {get: /a/../b}}\n", ". or .. segment", 4},
		{"broken placeholder", base + "operations: {a: {get: \"/a/{b\"}}\n", "does not close it", 4},
		{"optional in path", base + "operations: {a: {get: \"/a/{b?}\"}}\n", "cannot be left out of a path", 4},
		{"broken escape", base + "operations: {a: {get: \"/a%2\"}}\n", "two hex digits", 4},
		{"body for get", base + "operations: {a: {get: /a, body: json}}\n", "GET sends no body", 4},
		{"body kind", base + "operations: {a: {post: /a, body: xml}}\n", "`body` cannot be `xml`", 4},
		{"host header", base + "headers: {Host: x}\n", "set by crossdock itself", 4},
		{"header name", base + "headers: {\"a b\": x}\n", "cannot be the name of a header", 4},
		{"header from message", base + "operations: {a: {post: /a, headers: {Authorization: \"Bearer {t}\"}}}\n", "cannot be filled from a message", 4},
		{"credential", base + "headers: {Authorization: Basic abc}\n", "a credential is written", 4},
		{"placeholder in connection", base + "headers: {X-A: \"{a}\"}\n", "hold no {name}", 4},
		{"allow_private", base + "allow_private: [intranet]\n", "neither a network", 4},
		{"proxy", base + "proxy: http://x\n", "`proxy` cannot be", 4},
		{"key without cert", base + "tls: {key_file: x}\n", "go together", 4},
		{"token twice", base + "auth: {oauth2: {token_path: /a, token_url: https://b, client_id: c, client_secret: \"${secret.d}\"}}\n", "either `token_path` or `token_url`", 4},
		{"signed", base + "auth: {hmac: {header: X, secret: \"${secret.a}\", signed: \"{bdy}\"}}\n", "{bdy} is not known", 4},
		{"key header", base + "operations: {a: {post: /a, repeat: keyed, key_header: Host}}\n", "cannot carry the idempotency key", 4},
		{"api key", base + "auth: {api_key: {value: \"${secret.a}\"}}\n", "either `header` or `query`", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, found := connectortest.Decode(t, http.Connector{}, tt.text, nil)
			if tt.want == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			if len(found) == 0 || !strings.Contains(found[0].Message, tt.want) || found[0].Span.Start.Line != tt.line {
				t.Errorf("found %v, want %q on line %d", found, tt.want, tt.line)
			}
		})
	}
}

// TestRotation: a credential that is refused is looked up anew for the next
// attempt, without any reload.
func TestRotation(t *testing.T) {
	url, last := target(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.Header.Get("Authorization") != "Bearer second" {
			w.WriteHeader(401)
		}
	})
	var current atomic.Value
	current.Store("first")
	text := "connection: x\ntype: http\nbase_url: " + url + "\nallow_private: [127.0.0.0/8]\nauth: {bearer: \"${secret.a}\"}\noperations: {a: {post: /a}}\n"
	s, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil),
		connectors.Env{Secret: func(string) (spec.Sealed, error) { return spec.Seal(current.Load().(string)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if a := deliver(t, s, requestFor("a")); a.Status != 401 || last().header.Get("Authorization") != "Bearer first" {
		t.Errorf("status %d", a.Status)
	}
	current.Store("second")
	if a := deliver(t, s, requestFor("a")); a.Status != 200 {
		t.Errorf("after rotation: status %d with %q", a.Status, last().header.Get("Authorization"))
	}
}
