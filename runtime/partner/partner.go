// Package partner plays the other side: it serves the operations of a
// connection from their stubs, as a real HTTP partner that knows idempotency
// keys and can be told to fail, and sends signed webhooks.
package partner

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/http"
	"crossdock/dsl/compile"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
)

// Call is one request that a partner has seen.
type Call struct {
	At        time.Time `json:"at"`
	Operation string    `json:"operation"` // connection.operation
	Key       string    `json:"key,omitempty"`
	Path      string    `json:"path"`
	Query     string    `json:"query,omitempty"`
	Body      any       `json:"body,omitempty"`
	Status    int       `json:"status"`           // 0 where no answer was given
	Repeat    bool      `json:"repeat,omitempty"` // the key was known: nothing was done again
}

// Partner is one connection played by a server. It is safe for concurrent use.
type Partner struct {
	conn   *compile.Connection
	routes []route
	Seen   func(Call) // called for every request; nil for nobody

	mu     sync.Mutex
	count  map[string]int
	faults map[string][]string // by operation, in the order in which they come
	known  map[string]answer   // by operation and idempotency key
	calls  []Call
}

type route struct {
	op      *compile.Operation
	method  string
	path    *regexp.Regexp
	names   []string
	keyName string
}

type answer struct {
	status  int
	headers map[string]string
	raw     []byte
}

// New returns the partner of an http connection.
func New(conn *compile.Connection) (*Partner, error) {
	p := &Partner{conn: conn, count: map[string]int{}, faults: map[string][]string{}, known: map[string]answer{}}
	names := make([]string, 0, len(conn.Operations))
	for name := range conn.Operations {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		op := conn.Operations[name]
		own, ok := op.Own.(*http.Operation)
		if !ok {
			return nil, fmt.Errorf("%s is no http operation", op.Ref())
		}
		for method, path := range map[string]string{"GET": own.Get.Value, "POST": own.Post.Value, "PUT": own.Put.Value, "PATCH": own.Patch.Value, "DELETE": own.Delete.Value, "HEAD": own.Head.Value} {
			if path == "" {
				continue
			}
			r := route{op: op, method: method}
			r.path, r.names = pattern(path)
			if op.Repeat == compile.RepeatKeyed {
				r.keyName = op.KeyHeader
			}
			p.routes = append(p.routes, r)
		}
	}
	// The path with more fixed text is the more exact one.
	sort.SliceStable(p.routes, func(i, j int) bool { return len(p.routes[i].names) < len(p.routes[j].names) })
	return p, nil
}

var placeholder = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\??\}`)

// pattern turns a path template into a pattern for paths.
func pattern(path string) (*regexp.Regexp, []string) {
	path, _, _ = strings.Cut(path, "?")
	var names []string
	var b strings.Builder
	b.WriteString("^(?:/.*)?")
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(path, -1) {
		b.WriteString(regexp.QuoteMeta(path[last:at[0]]))
		b.WriteString("([^/]*)")
		names = append(names, path[at[2]:at[3]])
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(path[last:]) + "$")
	return regexp.MustCompile(b.String()), names
}

// onThisMachine returns the host and port of an address that a connection names
// under key, if a partner can be played there.
func onThisMachine(conn *compile.Connection, key, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%s of %s is no address", key, conn.Name)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("%s of the connection %s leads to %s, which is not this machine; choose an environment whose addresses are on 127.0.0.1", key, conn.Name, u.Host)
	}
	return net.JoinHostPort("127.0.0.1", port), nil
}

// Fail makes the next calls of an operation fail: each word is a status number,
// "timeout" or "reset".
func (p *Partner) Fail(operation string, words ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[operation] = append(p.faults[operation], words...)
}

// Calls returns what was seen, in order.
func (p *Partner) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Call{}, p.calls...)
}

// maxBody bounds what a partner reads.
const maxBody = 16 << 20

// ServeHTTP implements http.Handler.
func (p *Partner) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	raw, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		nethttp.Error(w, "the body cannot be read", nethttp.StatusBadRequest)
		return
	}
	if strings.HasSuffix(r.URL.Path, controlPath) {
		p.control(w, r, raw)
		return
	}
	if p.isToken(r) {
		giveToken(w)
		return
	}
	if rt, values := p.route(r); rt != nil {
		p.serve(w, r, rt, values, raw)
		return
	}
	nethttp.Error(w, fmt.Sprintf("%s has no operation for %s %s", p.conn.Name, r.Method, r.URL.Path), nethttp.StatusNotFound)
}

// isToken reports whether a request asks for a token of OAuth 2.
func (p *Partner) isToken(r *nethttp.Request) bool {
	s, ok := p.conn.Settings.(*http.Settings)
	return ok && s.Auth != nil && s.Auth.OAuth2 != nil && s.Auth.OAuth2.TokenPath.Set() && strings.HasSuffix(r.URL.Path, s.Auth.OAuth2.TokenPath.Value)
}

// giveToken answers as the token endpoint of OAuth 2 does.
func giveToken(w nethttp.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"access_token":"mock-token","token_type":"Bearer","expires_in":3600}`)
}

// route finds the operation that a request calls, with what stands in the places
// of its path.
func (p *Partner) route(r *nethttp.Request) (*route, []string) {
	for i := range p.routes {
		m := p.routes[i].path.FindStringSubmatch(r.URL.Path)
		if m != nil && p.routes[i].method == r.Method {
			return &p.routes[i], m[1:]
		}
	}
	return nil, nil
}

// serves reports whether a request is for this partner.
func (p *Partner) serves(r *nethttp.Request) bool {
	rt, _ := p.route(r)
	return rt != nil || p.isToken(r) || strings.HasSuffix(r.URL.Path, controlPath)
}

func (p *Partner) serve(w nethttp.ResponseWriter, r *nethttp.Request, rt *route, values []string, raw []byte) {
	call := Call{At: time.Now(), Operation: rt.op.Ref(), Path: r.URL.Path, Query: r.URL.RawQuery}
	if rt.keyName != "" {
		call.Key = r.Header.Get(rt.keyName)
	}
	call.Body = decodeBody(raw)
	p.mu.Lock()
	p.count[rt.op.Name]++
	count := p.count[rt.op.Name]
	fault := ""
	if f := p.faults[rt.op.Name]; len(f) > 0 {
		fault, p.faults[rt.op.Name] = f[0], f[1:]
	}
	known, repeat := p.known[rt.op.Name+" "+call.Key]
	p.mu.Unlock()
	repeat = repeat && call.Key != ""

	out, ok := p.answer(r.Context(), rt, values, r, call, count, fault, known, repeat)
	call.Repeat = repeat && fault == ""
	if ok {
		call.Status = out.status
	}
	p.mu.Lock()
	p.calls = append(p.calls, call)
	if ok && out.status < 300 && call.Key != "" && !repeat {
		p.known[rt.op.Name+" "+call.Key] = out
	}
	p.mu.Unlock()
	if p.Seen != nil {
		p.Seen(call)
	}
	if !ok {
		hang(w, r, fault)
		return
	}
	for k, v := range out.headers {
		w.Header().Set(k, v)
	}
	if len(out.raw) > 0 && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.raw) // the caller went away
}

// answer decides what a call is answered; false means it gets no answer.
func (p *Partner) answer(ctx context.Context, rt *route, values []string, r *nethttp.Request, call Call, count int, fault string, known answer, repeat bool) (answer, bool) {
	if status, err := strconv.Atoi(fault); err == nil {
		return answer{status: status, raw: []byte(`{"error":"the partner was told to fail"}`)}, true
	}
	if fault != "" {
		return answer{}, false
	}
	if repeat {
		return known, true
	}
	with := map[string]any{}
	for i, name := range rt.names {
		with[name] = values[i]
	}
	for name, list := range r.URL.Query() {
		with[name] = list[0]
	}
	stubs := rt.op.Stubs
	if len(stubs) == 0 {
		return answer{status: 200, raw: []byte("{}")}, true
	}
	s := &stubs[min(count-1, len(stubs)-1)]
	if s.Delay > 0 {
		t := time.NewTimer(s.Delay)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return answer{}, false
		case <-t.C:
		}
	}
	resp, err := testrun.Answer(ctx, s, connectors.Request{Body: call.Body, With: with, Key: call.Key}, count)
	if err != nil {
		return answer{status: 500, raw: message.Marshal(map[string]any{"error": err.Error()})}, s.Fault == ""
	}
	return answer{status: resp.Status, headers: resp.Headers, raw: resp.Raw}, true
}

func decodeBody(raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	v, err := message.Decode(raw, message.Unlimited)
	if err != nil {
		return string(raw)
	}
	return v
}

// hang gives no answer: it waits until the caller gives up, or cuts the
// connection.
func hang(w nethttp.ResponseWriter, r *nethttp.Request, fault string) {
	if fault == "timeout" {
		<-r.Context().Done()
	}
	if c, _, err := nethttp.NewResponseController(w).Hijack(); err == nil {
		c.Close()
	}
}

// controlPath is where a person looks at a partner and makes it fail.
const controlPath = "/_mock"

// order says how the next calls of an operation are answered.
type order struct {
	Operation string   `json:"operation"`
	Answers   []string `json:"answers"`
}

const errOrder = `{"error":"say which operation and a list of answers: a status number, timeout or reset"}`

// control lets a person look at a partner and make it fail while it runs:
// GET tells the calls, POST {"operation": "create", "answers": ["503", "reset"]}
// lets the next ones fail.
func (p *Partner) control(w nethttp.ResponseWriter, r *nethttp.Request, raw []byte) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method == nethttp.MethodGet {
		_ = json.NewEncoder(w).Encode(p.Calls())
		return
	}
	var in order
	if err := json.Unmarshal(raw, &in); err != nil || p.conn.Operations[in.Operation] == nil {
		nethttp.Error(w, errOrder, nethttp.StatusBadRequest)
		return
	}
	p.Fail(in.Operation, in.Answers...)
	fmt.Fprint(w, `{"status":"done"}`)
}
