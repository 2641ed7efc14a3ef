package runtime_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/audit"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/queue"
	"crossdock/runtime/telemetry"
	"crossdock/runtime/worker"
)

// canary is the value of a secret; no output may hold it in any writing.
func canary(name string) string { return "canary-" + name + "-9f3c/+&" }

// TestSecretsStayInside gives every secret field a value of its own, runs
// traffic against targets that fail in every way, some of which send back what
// they were sent, and looks for the values in everything that comes out.
func TestSecretsStayInside(t *testing.T) {
	s := newSite(t)
	var mu sync.Mutex
	var used []string
	s.opt.Secret = func(name string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		used = append(used, name)
		return canary(name), nil
	}
	s.write("crossdock.yaml", strings.Replace(baseSettings, "attempts: 50", "attempts: 2", 1))
	spans := collected(t, s)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "http://127.0.0.1:1/elsewhere?"+r.URL.RawQuery, http.StatusFound)
		case "/cut":
			panic(http.ErrAbortHandler)
		default:
			// A careless target tells everything it got.
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "not allowed: %v %s %s %s", r.Header, r.URL.String(), body, r.Header.Get("Authorization"))
		}
	})
	plain := httptest.NewServer(echo)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(echo)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	defer secure.Close()

	auths := map[string]string{
		"basic":    `{basic: {user: u, password: "${secret.basic}"}}`,
		"bearer":   `{bearer: "${secret.bearer}"}`,
		"header":   `{api_key: {header: X-Key, value: "${secret.header}"}}`,
		"query":    `{api_key: {query: key, value: "${secret.query}"}}`,
		"hmac":     `{hmac: {header: X-Sign, secret: "${secret.hmac}"}}`,
		"oauth":    `{oauth2: {token_path: /token, client_id: "${secret.oauth_id}", client_secret: "${secret.oauth}"}}`,
		"oauthbdy": `{oauth2: {token_path: /token, client_id: c, client_secret: "${secret.oauthbdy}", send: body, params: {extra: "${secret.param}"}}}`,
	}
	addresses := map[string]string{"plain": plain.URL, "tls": secure.URL, "dead": "http://127.0.0.1:1"}
	var paths []string
	for kind, auth := range auths {
		for where, address := range addresses {
			name := kind + "-" + where
			s.write(name+".connection.yaml", "connection: "+name+"\ntype: http\nbase_url: "+address+"\nauth: "+auth+`
allow_private: ["127.0.0.0/8"]
headers: {X-Extra: "${secret.extra}"}
operations:
  put: {post: /in, repeat: keyed, headers: {X-Own: "${secret.own}"}}
  away: {post: /redirect, repeat: keyed}
  cut: {post: /cut, repeat: keyed}
`)
			for _, op := range []string{"put", "away", "cut"} {
				path := "/" + name + "/" + op
				s.write(name+op+".pipeline.yaml", "pipeline: "+name+"-"+op+"\ntrigger: {http: {path: "+path+", verify: door}}\nkey: [.n]\ntrace_by: {n: .n}\nsteps:\n  - {send: "+name+"."+op+"}\n")
				paths = append(paths, path)
			}
		}
	}
	s.write("crossdock.yaml", strings.Replace(baseSettings, "attempts: 50", "attempts: 2", 1)+"verify:\n  door: {api_key: {query: door, keys: [\"${secret.door}\"]}}\n")
	s.start()
	var outputs strings.Builder
	for _, path := range paths {
		for _, key := range []string{canary("door"), "wrong"} {
			resp, err := http.Post(s.url(path)+"?door="+url.QueryEscape(key), "application/json", strings.NewReader(`{"n":1}`))
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			outputs.Write(answer)
			if want := map[bool]int{true: 202, false: 401}[key != "wrong"]; resp.StatusCode != want {
				t.Fatalf("%s: %d %s", path, resp.StatusCode, answer)
			}
		}
	}
	if b := s.settled(); b.Dead != int64(len(paths)) {
		t.Errorf("balance %+v, want %d dead", b, len(paths))
	}
	s.collect(&outputs)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	traces := spans()
	if !strings.Contains(traces, "send bearer-plain.put") || !strings.Contains(traces, "crossdock.result") {
		t.Fatalf("the collector of traces saw no call in %d bytes", len(traces))
	}
	outputs.WriteString(traces)

	mu.Lock()
	defer mu.Unlock()
	all := outputs.String()
	if len(all) < 100_000 {
		t.Fatalf("only %d bytes of output were looked at", len(all))
	}
	for _, name := range []string{"basic", "bearer", "header", "query", "hmac", "oauth", "oauth_id", "oauthbdy", "param", "extra", "own", "door"} {
		if !strings.Contains(strings.Join(used, " "), name) {
			t.Errorf("the secret %s was never used: nothing was tried", name)
		}
		value := canary(name)
		quoted, _ := json.Marshal(value)
		for writing, text := range map[string]string{
			"as it is": value, "in JSON": strings.Trim(string(quoted), `"`), "in an address": url.QueryEscape(value), "in a path": url.PathEscape(value),
			"in base64": base64.StdEncoding.EncodeToString([]byte(value)), "as basic credentials": base64.StdEncoding.EncodeToString([]byte("u:" + value)),
			"as client credentials": base64.StdEncoding.EncodeToString([]byte("c:" + value)), "its middle": "canary-" + name + "-9f",
		} {
			if i := strings.Index(all, text); i >= 0 {
				t.Errorf("the secret %s comes out %s: ...%s...", name, writing, all[max(0, i-200):min(len(all), i+100)])
				break
			}
		}
	}
}

// collected lets the engine send its traces over the wire, and returns how to
// end that and read what was sent.
func collected(t *testing.T, s *site) func() string {
	t.Helper()
	var mu sync.Mutex
	var sent strings.Builder
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		sent.Write(raw)
	}))
	t.Cleanup(collector.Close)
	tracer, err := telemetry.New(context.Background(), telemetry.Options{Endpoint: collector.URL, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	s.opt.Worker = worker.Options{Tracer: tracer}
	return func() string {
		if err := tracer.Close(context.Background()); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		return sent.String()
	}
}

// collect adds everything that people and machines can read of the engine.
func (s *site) collect(out *strings.Builder) {
	s.t.Helper()
	ctx := context.Background()
	add := func(v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			s.t.Fatal(err)
		}
		out.Write(raw)
	}
	path := filepath.Join(s.t.TempDir(), "audit.log")
	record, err := audit.Open(path, []byte(strings.Repeat("k", 32)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer record.Close()
	api := httptest.NewServer(admin.New(s.engine, admin.Options{Token: "xd_0123456789abcdef0123456789abcdef", Log: s.opt.Log, Audit: record}))
	defer api.Close()
	client := &admin.Client{Base: api.URL, Token: "xd_0123456789abcdef0123456789abcdef"}
	for _, path := range []string{"/v1/status", "/v1/queues", "/v1/balance"} {
		var v any
		if err := client.Get(ctx, path, nil, &v); err != nil {
			s.t.Fatal(err)
		}
		add(v)
	}
	for _, q := range []url.Values{{"ref": {"n"}, "value": {"1"}, "reveal": {"true"}}} {
		var v []queue.Entry
		if err := client.Get(ctx, "/v1/trace", q, &v); err != nil {
			s.t.Fatal(err)
		}
		for _, e := range v {
			out.Write(e.Data)
		}
		add(v)
	}
	box := &deadletter.Box{Driver: s.engine.Driver(), Live: s.engine.Worker().Live}
	list, _, err := box.List(ctx, deadletter.Query{Limit: 10000})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range list {
		shown, err := box.Show(ctx, l.ID, true)
		if err != nil {
			s.t.Fatal(err)
		}
		add(shown)
	}
	// What people do with dead letters, and what the audit log says of it.
	for _, l := range list[:3] {
		for _, do := range []struct {
			path string
			body any
		}{
			{"/v1/dead/" + l.ID + "/outlook", nil},
			{"/v1/dead/" + l.ID + "/edit", map[string]any{"reason": "no number", "payload": 7}},
			{"/v1/dead/" + l.ID + "/replay", map[string]any{"reason": "again"}},
			{"/v1/dead/" + l.ID + "/discard", map[string]any{"reason": "a test"}},
			{"/v1/connections/bearer-plain/maintenance", map[string]any{"for": "soon"}},
		} {
			var v json.RawMessage
			var err error
			if do.body == nil {
				err = client.Get(ctx, do.path, nil, &v)
			} else {
				err = client.Post(ctx, do.path, do.body, &v)
			}
			out.Write(v)
			if err != nil { // what somebody is told who may not, or is wrong
				out.WriteString(err.Error())
			}
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, what := range []string{"dead.replay", "dead.edit", "dead.discard", "maintenance.start"} {
		if !strings.Contains(string(written), what) {
			s.t.Errorf("the audit log holds no %s: nothing was tried", what)
		}
	}
	out.Write(written)
	// The bytes at rest, as a copy of the store would show them.
	page, err := s.engine.Driver().Browse(ctx, queue.Query{View: queue.Jobs, Limit: 10000, Bodies: true})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, j := range page.Jobs {
		out.Write(j.Body)
	}
	resp, err := http.Get(api.URL + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(out, resp.Body); err != nil {
		s.t.Fatal(err)
	}
	add(runtime.Findings(s.status().Last.Findings))
	out.WriteString(s.log.String())
	// What somebody would see who prints a connection while looking for a fault.
	for name, sink := range s.engine.Worker().Live().Sinks {
		fmt.Fprintf(out, "%s %v %+v %#v\n", name, sink, sink, sink)
		s.opt.Log.Error("printed on purpose", "sink", sink)
	}
	out.WriteString(s.log.String())
}
