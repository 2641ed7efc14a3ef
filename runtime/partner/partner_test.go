package partner_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"crossdock/connectors/webhook"
	"crossdock/dsl"
	"crossdock/dsl/spec"
	"crossdock/runtime/catalog"
	"crossdock/runtime/partner"
)

func load(t *testing.T, files map[string]string) *dsl.Workspace {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	ws, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New()})
	if err != nil {
		t.Fatal(err)
	}
	if list.HasErrors() {
		t.Fatal(list)
	}
	return ws
}

const tms = `connection: tms
type: http
base_url: ${var.tms}/api
allow_private: [127.0.0.0/8]
operations:
  create: {post: /shipments, repeat: keyed, stub: {status: 201, fields: {id: '"S-" + .body.ref', n: .count}}}
  get:    {get: "/shipments('{id}')", query: {view: "{view?}"}, repeat: safe, stub: {fields: {id: .with.id, view: .with.view}}}
  slow:   {post: /slow, repeat: safe, stub: [503, timeout, 204]}
`

func ask(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.GetBody = nil // else net/http sends a keyed request again by itself
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(raw))
}

func TestPartnerAnswersFromItsStubs(t *testing.T) {
	ws := load(t, map[string]string{"tms.connection.yaml": tms, "e.environment.yaml": "environment: e\nvars: {tms: \"http://127.0.0.1:1\"}\n"})
	p, err := partner.New(ws.Connections["tms"])
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(p)
	defer s.Close()
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		want                     string
	}{
		{"computed", "POST", "/api/shipments", `{"ref":"7"}`, []string{"Idempotency-Key", "a"}, 201, `{"id":"S-7","n":1}`},
		{"a known key has no second effect", "POST", "/api/shipments", `{"ref":"7"}`, []string{"Idempotency-Key", "a"}, 201, `{"id":"S-7","n":1}`},
		{"another key", "POST", "/api/shipments", `{"ref":"8"}`, []string{"Idempotency-Key", "b"}, 201, `{"id":"S-8","n":3}`},
		{"placeholders of path and query", "GET", "/api/shipments('S-7')?view=full", "", nil, 200, `{"id":"S-7","view":"full"}`},
		{"first stub of a list", "POST", "/api/slow", "{}", nil, 503, ""},
		{"no such operation", "POST", "/api/nothing", "{}", nil, 404, "tms has no operation for POST /api/nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := ask(t, c.method, s.URL+c.path, c.body, c.headers...)
			if status != c.status || body != c.want {
				t.Errorf("%d %s, want %d %s", status, body, c.status, c.want)
			}
		})
	}
	repeats := 0
	for _, call := range p.Calls() {
		if call.Repeat {
			repeats++
		}
	}
	if repeats != 1 {
		t.Errorf("%d calls are told as repeats, want 1", repeats)
	}
}

func TestPartnerFailsOnDemand(t *testing.T) {
	ws := load(t, map[string]string{"tms.connection.yaml": tms, "e.environment.yaml": "environment: e\nvars: {tms: \"http://127.0.0.1:1\"}\n"})
	p, err := partner.New(ws.Connections["tms"])
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(p)
	defer s.Close()
	if status, body := ask(t, "POST", s.URL+"/_mock", `{"operation":"create","answers":["503","reset"]}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status, _ := ask(t, "POST", s.URL+"/_mock", `{"operation":"creat","answers":["503"]}`); status != 400 {
		t.Errorf("an unknown operation was answered %d", status)
	}
	for i, want := range []int{503, 0, 201} {
		if status, _ := ask(t, "POST", s.URL+"/api/shipments", `{"ref":"1"}`, "Idempotency-Key", "k"); status != want {
			t.Errorf("answer %d: %d, want %d", i+1, status, want)
		}
	}
	_, raw := ask(t, "GET", s.URL+"/_mock", "")
	var calls []partner.Call
	if err := json.Unmarshal([]byte(raw), &calls); err != nil || len(calls) != 3 || calls[1].Status != 0 {
		t.Errorf("%v %+v", err, calls)
	}
}

// TestSignedRequestsAreRecognised signs for every way of recognising a caller
// and lets the real verifier judge.
func TestSignedRequestsAreRecognised(t *testing.T) {
	secret := func(string) (spec.Sealed, error) {
		return spec.Seal("whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567"))), nil
	}
	ws := load(t, map[string]string{"crossdock.yaml": `crossdock: 1
verify:
  standard: {standard_webhooks: {secrets: ["${secret.a}"]}}
  plain:    {hmac: {header: X-Sig, secrets: ["${secret.a}"]}}
  prefixed: {hmac: {header: X-Sig, prefix: "sha512=", algorithm: sha512, encoding: base64, secrets: ["${secret.a}"]}}
  stamped:  {hmac: {header: X-Sig, timestamp: X-Time, signed: "{timestamp}.{body}", secrets: ["${secret.a}"]}}
  fields:   {hmac: {header: X-Sig, field: v1, timestamp: t, signed: "{timestamp}.{body}", secrets: ["${secret.a}"]}}
  header:   {api_key: {header: X-Api-Key, keys: ["${secret.a}"]}}
  bearer:   {api_key: {header: Authorization, prefix: Bearer, keys: ["${secret.a}"]}}
  query:    {api_key: {query: token, keys: ["${secret.a}"]}}
  basic:    {basic: {user: u, password: "${secret.a}"}}
`})
	body := []byte(`{"a":1}`)
	for name, v := range ws.Verify {
		t.Run(name, func(t *testing.T) {
			verifier, err := webhook.NewVerifier(name, v, secret)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://x.example/hook", nil)
			if err := verifier.Verify(r, body, time.Now()); err == nil {
				t.Fatal("an unsigned request was recognised")
			}
			if err := partner.Sign(r, body, v, secret, time.Now()); err != nil {
				t.Fatal(err)
			}
			if err := verifier.Verify(r, body, time.Now()); err != nil {
				t.Errorf("the signed request was not recognised: %v", err)
			}
		})
	}
}

func TestStageLeadsConnectionsToPartners(t *testing.T) {
	ws := load(t, map[string]string{"tms.connection.yaml": tms, "e.environment.yaml": "environment: e\nvars: {tms: \"https://tms.example.com\"}\n"})
	if _, err := partner.Open(ws, false); err == nil || !strings.Contains(err.Error(), "not this machine") {
		t.Errorf("a partner was played for another machine: %v", err)
	}
	stage, err := partner.Open(ws, true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- stage.Serve(ctx) }()
	status, _ := ask(t, "GET", stage.Vars["tms"]+"/api/shipments('1')", "")
	if status != 200 {
		t.Errorf("the partner answered %d", status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
