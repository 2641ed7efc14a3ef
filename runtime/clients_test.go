package runtime_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/journal"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// The template of the clients: orders go to the TMS of the client and are told as
// an event; who hears the event tells the portal of the client.
var clientTemplate = map[string]string{
	"crossdock.yaml": "crossdock: 1\ndefaults: {policy: quick}\npolicies:\n  quick: {retry: {attempts: 2, wait: 20ms, grow: 1, jitter: 0, on: [timeout, connection, 5xx]}}\n",
	"templates/client/client.template.yaml": `template: client@1
params:
  code: {type: name, required: true}
  tms:  {type: string, required: true}
open: [connection/tms.limits]
`,
	"templates/client/orders.pipeline.yaml": `pipeline: orders
trigger: {http: {path: "/hooks/${param.code}/orders", verify: {api_key: {header: X-Key, keys: ["${secret.hook_${param.code}}"]}}}}
key: [.no]
order_by: .no
trace_by: {order: .no}
steps:
  - {send: tms.create, map: out}
  - {emit: order-placed@1, map: out}
`,
	"templates/client/portal.pipeline.yaml": `pipeline: portal
trigger: {event: order-placed}
key: [.no]
order_by: .no
trace_by: {order: .no}
steps:
  - {send: tms.tell}
`,
	"templates/client/out.mapping.yaml": "mapping: out\nfields:\n  no: .no\n  client: $run.client\n",
	"templates/client/tms.connection.yaml": `connection: tms
type: http
base_url: ${param.tms}
allow_private: ["127.0.0.0/8"]
auth: {bearer: "${secret.tms_${param.code}}"}
limits: {concurrency: 2, timeout: 30s}
breaker: {open_after: 3 in 1h, probe_after: 1h}
operations:
  create: {post: /create, repeat: keyed}
  tell: {post: /tell, repeat: keyed}
`,
	"order-placed.schema.yaml": "schema: order-placed@1\nfields:\n  no: {type: string, required: true}\n  client: {type: string}\n",
	"all.pipeline.yaml": `pipeline: all
trigger: {event: order-placed}
key: [.client, .no]
order_by: .no
steps:
  - {send: house.note}
`,
	"house.connection.yaml": "connection: house\ntype: http\nbase_url: %s\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  note: {post: /note, repeat: keyed}\n",
}

// partner is the other system of one client; it remembers who called with what.
type partner struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []string // path and body
	auth   map[string]bool
	keys   map[string]bool
	answer func(w http.ResponseWriter, r *http.Request)
}

func newPartner(t *testing.T) *partner {
	p := &partner{auth: map[string]bool{}, keys: map[string]bool{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// ServeHTTP implements http.Handler.
func (p *partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller went away
	}
	p.mu.Lock()
	p.calls = append(p.calls, r.URL.Path+" "+string(body))
	p.auth[r.Header.Get("Authorization")] = true
	p.keys[r.Header.Get("Idempotency-Key")] = true
	answer := p.answer
	p.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func (p *partner) does(f func(w http.ResponseWriter, r *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

// count is how many calls of a path came.
func (p *partner) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, c := range p.calls {
		if strings.HasPrefix(c, path+" ") {
			n++
		}
	}
	return n
}

func (p *partner) seen() (calls []string, auth, keys map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.calls...), p.auth, p.keys
}

// clients are three clients of one template, each with its partner.
type clients struct {
	*site
	acme, bolt, coldco, house *partner
	api                       *admin.Client
}

func newClients(t *testing.T) *clients {
	t.Helper()
	return newClientsWith(t, "embedded:"+t.TempDir(), nil)
}

// newClientsWith are clients on a store; files stand in the place of those of the
// same name, or after what the instance of that name says.
func newClientsWith(t *testing.T, store string, files map[string]string) *clients {
	t.Helper()
	s := &clients{site: &site{t: t, dir: t.TempDir(), log: newLogBook(t)}, acme: newPartner(t), bolt: newPartner(t), coldco: newPartner(t), house: newPartner(t)}
	s.opt = runtime.Options{Dir: s.dir, HTTP: "127.0.0.1:0", Log: slog.New(slog.NewJSONHandler(s.log, nil)),
		Store:  store,
		Secret: func(name string) (string, error) { return "secret-of-" + name, nil }}
	for code, p := range map[string]*partner{"acme": s.acme, "bolt": s.bolt, "coldco": s.coldco} {
		s.write("clients/"+code+".instance.yaml", fmt.Sprintf("instance: %s\nof: client@1\nparams: {code: %s, tms: %q}\n", code, code, p.URL)+files["clients/"+code+".instance.yaml"])
	}
	for name, text := range clientTemplate {
		if own, ok := files[name]; ok {
			text = own
		}
		if strings.Contains(text, "%s") {
			text = fmt.Sprintf(text, s.house.URL)
		}
		s.write(name, text)
	}
	s.start()
	api := httptest.NewServer(admin.New(s.engine, admin.Options{Token: strings.Repeat("t", 40), Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(api.Close)
	s.api = &admin.Client{Base: api.URL, Token: strings.Repeat("t", 40)}
	return s
}

// order sends an order with a key, that of the client unless said otherwise.
func (s *clients) order(client, no, key string) int {
	s.t.Helper()
	if key == "" {
		key = "secret-of-hook_" + client
	}
	req, err := http.NewRequest(http.MethodPost, s.url("/hooks/"+client+"/orders"), strings.NewReader(fmt.Sprintf(`{"no":%q}`, no)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// orders sends n orders, which must be taken in.
func (s *clients) orders(client string, n int) {
	s.t.Helper()
	for i := range n {
		if status := s.order(client, fmt.Sprint(1000+i), ""); status/100 != 2 {
			s.t.Fatalf("order %d of %s: %d", i, client, status)
		}
	}
}

func (s *clients) get(path string, q url.Values, out any) {
	s.t.Helper()
	if err := s.api.Get(context.Background(), path, q, out); err != nil {
		s.t.Fatal(err)
	}
}

// connection is what is known of a connection.
func (s *clients) connection(name string) policy.Shown {
	s.t.Helper()
	client, _, _ := strings.Cut(name, "/")
	var all []policy.Shown
	s.get("/v1/connections", url.Values{"client": {client}}, &all)
	if len(all) != 1 || all[0].Name != name {
		s.t.Fatalf("the connections of %s: %+v", client, all)
	}
	return all[0]
}

// waits is how many messages of a client wait or are under way.
func (s *clients) waits(client string) int {
	s.t.Helper()
	var lanes []admin.Lane
	s.get("/v1/queues", url.Values{"client": {client}}, &lanes)
	n := 0
	for _, l := range lanes {
		if !strings.Contains(l.Lane, "/"+client+"/") {
			s.t.Errorf("the lane %s is told of %s", l.Lane, client)
		}
		n += l.Ready + l.Leased + l.Delayed
		for _, parked := range l.Parked {
			n += parked
		}
	}
	return n
}

// Names, keys, credentials and events of one client never meet those of another,
// although both are of one template and their numbers are the same.
func TestClientsKeepApart(t *testing.T) {
	s := newClients(t)
	const n = 5
	s.orders("acme", n)
	s.orders("bolt", n)
	if status := s.order("acme", "1", "secret-of-hook_bolt"); status != http.StatusUnauthorized {
		t.Errorf("the key of bolt at acme: %d", status)
	}
	if status := s.order("bolt", "1", "secret-of-hook_acme"); status != http.StatusUnauthorized {
		t.Errorf("the key of acme at bolt: %d", status)
	}
	s.settled()
	all := map[string]bool{}
	for code, p := range map[string]*partner{"acme": s.acme, "bolt": s.bolt} {
		calls, auth, keys := p.seen()
		if len(calls) != 2*n || p.count("/create") != n || p.count("/tell") != n {
			t.Errorf("%s was called %d times: %v", code, len(calls), calls)
		}
		for _, c := range calls {
			if !strings.Contains(c, `"client":"`+code+`"`) {
				t.Errorf("%s was told %s", code, c)
			}
		}
		if len(auth) != 1 || !auth["Bearer secret-of-tms_"+code] {
			t.Errorf("%s was called with %v", code, auth)
		}
		for k := range keys {
			if all[k] {
				t.Errorf("the idempotency key %s was used for both", k)
			}
			all[k] = true
		}
	}
	if got := s.house.count("/note"); got != 2*n {
		t.Errorf("the house heard %d events, not %d", got, 2*n)
	}
	if _, auth, _ := s.house.seen(); len(auth) != 1 || !auth[""] {
		t.Errorf("the house was called with %v", auth)
	}
	// The number is the same; the story is that of one.
	for client, want := range map[string][]string{"acme": {"acme/orders", "acme/portal"}, "bolt": {"bolt/orders", "bolt/portal"}, "": {"acme/orders", "acme/portal", "bolt/orders", "bolt/portal", "all"}} {
		var story []queue.Entry
		s.get("/v1/trace", url.Values{"ref": {"order"}, "value": {"1001"}, "client": {client}}, &story)
		told := map[string]bool{}
		for _, e := range story {
			told[e.Pipeline] = true
		}
		if len(told) != len(want) {
			t.Errorf("the story of %q is told by %v", client, told)
		}
		for _, name := range want {
			if !told[name] {
				t.Errorf("the story of %q lacks %s", client, name)
			}
		}
	}
}

// A partner that never answers holds up its own client and nobody else, whatever
// waits for it.
func TestHungPartnerOfOneClient(t *testing.T) {
	s := newClients(t)
	free := make(chan struct{})
	let := sync.OnceFunc(func() { close(free) })
	t.Cleanup(let)
	s.acme.does(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-free:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusCreated)
	})
	const many, few = 700, 20 // more than one lane works on at a time
	s.orders("acme", many)
	s.until("acme is at its bound", func() bool { return s.connection("acme/tms").Calls == 2 })
	s.orders("bolt", few)
	s.until("bolt is done", func() bool { return s.waits("bolt") == 0 && s.bolt.count("/tell") == few })
	if got := s.acme.count("/create"); got != 2 {
		t.Errorf("acme was called %d times; its bound is 2", got)
	}
	if got := s.waits("acme"); got != many {
		t.Errorf("%d messages of acme wait, not %d", got, many)
	}
	if c := s.connection("bolt/tms"); c.Calls+c.Waiting != 0 || len(c.Notes) != 0 {
		t.Errorf("the connection of bolt: %+v", c)
	}
	let()
	s.until("acme is done", func() bool { return s.waits("acme") == 0 })
}

// The breaker that a failing partner opens is that of its client.
func TestFailingPartnerOfOneClient(t *testing.T) {
	s := newClients(t)
	s.acme.does(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	s.orders("acme", 20)
	s.until("acme is cut off", func() bool { return s.connection("acme/tms").Operations["create"] != "closed" })
	s.orders("bolt", 20)
	s.until("bolt is done", func() bool { return s.waits("bolt") == 0 && s.bolt.count("/tell") == 20 })
	c := s.connection("bolt/tms")
	if c.Operations["create"] != "closed" || len(c.Notes) != 0 {
		t.Errorf("the connection of bolt: %+v", c)
	}
	if s.waits("acme") == 0 {
		t.Error("nothing of acme waits for its partner")
	}
}

// Dead letters are found, counted and replayed for one client.
func TestDeadLettersOfOneClient(t *testing.T) {
	s := newClients(t)
	refuse := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) }
	s.acme.does(refuse)
	s.bolt.does(refuse)
	s.orders("acme", 3)
	s.orders("bolt", 2)
	dead := func(client string) int {
		t.Helper()
		var page admin.DeadPage
		s.get("/v1/dead", url.Values{"client": {client}}, &page)
		for _, l := range page.Letters {
			if client != "" && !strings.HasPrefix(l.Pipeline, client+"/") {
				t.Errorf("a letter of %s is shown for %s", l.Pipeline, client)
			}
		}
		return len(page.Letters)
	}
	s.until("all have died", func() bool { return dead("") == 5 })
	if a, b, c := dead("acme"), dead("bolt"), dead("acm"); a != 3 || b != 2 || c != 0 {
		t.Errorf("acme %d, bolt %d, acm %d", a, b, c)
	}
	var groups []struct {
		Count    int
		Pipeline string
	}
	s.get("/v1/dead/groups", url.Values{"client": {"bolt"}}, &groups)
	if len(groups) != 1 || groups[0].Count != 2 || groups[0].Pipeline != "bolt/orders" {
		t.Errorf("the groups of bolt: %+v", groups)
	}
	s.acme.does(nil)
	s.bolt.does(nil)
	calls := s.bolt.count("/create")
	var preview struct {
		Total   int
		Confirm string
		Wanted  map[string]any
	}
	s.get("/v1/changes/preview", url.Values{"what": {"replay"}, "client": {"acme"}, "who": {"ana"}, "reason": {"mended"}}, &preview)
	if preview.Total != 3 {
		t.Fatalf("a replay for acme would be of %d letters", preview.Total)
	}
	if err := s.api.Post(context.Background(), "/v1/changes/replay", map[string]any{"wanted": preview.Wanted, "confirm": preview.Confirm}, &struct{ ID string }{}); err != nil {
		t.Fatal(err)
	}
	s.until("those of acme are done", func() bool { return dead("acme") == 0 && s.waits("acme") == 0 })
	if dead("bolt") != 2 || s.bolt.count("/create") != calls {
		t.Errorf("those of bolt: %d dead, %d calls", dead("bolt"), s.bolt.count("/create"))
	}
}

// What runs, what became of it and what was refused at the door is told for one
// client, however much stands between.
func TestStatusOfOneClient(t *testing.T) {
	s := newClientsWith(t, "embedded:"+t.TempDir(), map[string]string{
		"templates/client/orders.pipeline.yaml": strings.Replace(clientTemplate["templates/client/orders.pipeline.yaml"], "key: [.no]", "accept: order-placed@1\nkey: [.no]", 1),
	})
	refuse := func(client string, n int) {
		t.Helper()
		for range n {
			req, err := http.NewRequest(http.MethodPost, s.url("/hooks/"+client+"/orders"), strings.NewReader(`{"no":1}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-Key", "secret-of-hook_"+client)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusUnprocessableEntity {
				t.Fatalf("answered %d", resp.StatusCode)
			}
		}
	}
	refuse("acme", 2)
	refuse("bolt", 1100) // more than one page
	s.orders("acme", 3)
	s.orders("bolt", 5)
	s.settled()
	for client, want := range map[string]journal.Balance{
		"acme":   {Messages: 6, Accepted: 6, Delivered: 6, Rejected: 2}, // orders, and portal that hears of them
		"bolt":   {Messages: 10, Accepted: 10, Delivered: 10, Rejected: 1100},
		"coldco": {},
		"acm":    {},
		"":       {Messages: 24, Accepted: 24, Delivered: 24, Rejected: 1102}, // and those that the house hears
	} {
		var b journal.Balance
		s.get("/v1/balance", url.Values{"client": {client}}, &b)
		if b != want {
			t.Errorf("the balance of %q: %+v, want %+v", client, b, want)
		}
		var status runtime.Status
		s.get("/v1/status", url.Values{"client": {client}}, &status)
		for name := range status.Pipelines {
			if client != "" && !strings.HasPrefix(name, client+"/") {
				t.Errorf("%s is told of %s", name, client)
			}
		}
		if n := map[string]int{"acme": 2, "bolt": 2, "coldco": 2, "": 7}[client]; len(status.Pipelines) != n {
			t.Errorf("%d pipelines of %q, not %d", len(status.Pipelines), client, n)
		}
	}
	for client, want := range map[string]int{"acme": 2, "bolt": 100, "coldco": 0, "": 100} {
		var refused admin.HistoryPage
		s.get("/v1/history", url.Values{"kind": {"rejected"}, "client": {client}}, &refused)
		if len(refused.Entries) != want {
			t.Errorf("%d refused of %q, not %d", len(refused.Entries), client, want)
		}
		for _, e := range refused.Entries {
			if client != "" && !strings.HasPrefix(e.Pipeline, client+"/") {
				t.Errorf("%s is told of %s", e.Pipeline, client)
			}
		}
	}
}
