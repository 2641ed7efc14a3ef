package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/enginetest"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
)

const token = "xd_0123456789abcdef0123456789abcdef"

// office is a running engine with its API.
type office struct {
	t      *testing.T
	dir    string
	engine *runtime.Engine
	api    *admin.API
	server *httptest.Server
	client *admin.Client
	log    *bytes.Buffer
}

// newOffice starts an engine on a small workspace, with more files where they are
// given.
func newOffice(t *testing.T, more ...map[string]string) *office {
	t.Helper()
	dir := t.TempDir()
	refuse := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }))
	t.Cleanup(refuse.Close)
	files := map[string]string{
		"crossdock.yaml":    "crossdock: 1\n",
		"t.connection.yaml": "connection: t\ntype: http\nbase_url: " + refuse.URL + "\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /x, repeat: keyed}\n",
		"in.pipeline.yaml":  "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.n]\ntrace_by: {n: .n}\nsteps:\n  - {send: t.put}\n",
	}
	for _, m := range more {
		maps.Copy(files, m)
	}
	for name, text := range files {
		enginetest.Write(t, dir, name, text)
	}
	o := &office{t: t, dir: dir, log: &bytes.Buffer{}}
	o.engine, _ = enginetest.Start(t, runtime.Options{Dir: dir, Store: "memory:"})
	o.api = admin.New(o.engine, admin.Options{Token: token, Log: slog.New(slog.NewTextHandler(o.log, nil))})
	o.server = httptest.NewServer(o.api)
	t.Cleanup(o.server.Close)
	o.client = &admin.Client{Base: o.server.URL, Token: token}
	return o
}

// letter makes one dead letter and returns its ID.
func (o *office) letter(body string) string {
	o.t.Helper()
	resp, err := http.Post("http://"+o.engine.Addr()+"/in", "application/json", strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	resp.Body.Close()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		var page admin.DeadPage
		if err := o.client.Get(context.Background(), "/v1/dead", nil, &page); err != nil {
			o.t.Fatal(err)
		}
		if len(page.Letters) > 0 {
			return page.Letters[0].ID
		}
		time.Sleep(5 * time.Millisecond) // a real listener and target
	}
	o.t.Fatal("there is no dead letter")
	return ""
}

func (o *office) ask(method, path, bearer, body string) (int, string, http.Header) {
	o.t.Helper()
	req, err := http.NewRequest(method, o.server.URL+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return resp.StatusCode, string(answer), resp.Header
}

func TestAnswersCarryNoInternals(t *testing.T) {
	o := newOffice(t)
	id := o.letter(`{"n":1}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/v1/dead/none", "", 404, "there is no such dead letter"},
		{"POST", "/v1/dead/none/replay", `{"who":"a"}`, 404, "there is no such dead letter"},
		{"POST", "/v1/dead/" + id + "/replay", `{}`, 422, "the name of who does it is needed"},
		{"POST", "/v1/dead/" + id + "/discard", `{"who":"a"}`, 422, "a reason and a name are needed"},
		{"POST", "/v1/dead/" + id + "/edit", `{"who":"a","reason":"b"}`, 422, "the new payload is not JSON"},
		{"POST", "/v1/dead/" + id + "/discard", `{"who":"a","reason":"b","tenant":"x"}`, 400, "the request cannot be read"},
		{"POST", "/v1/dead/" + id + "/discard", `{`, 400, "the request cannot be read"},
		{"POST", "/v1/dead/" + id + "/edit", `{"payload":"` + strings.Repeat("x", 17<<20) + `"}`, 413, "larger than"},
		{"POST", "/v1/pipelines/none/pause", `{}`, 404, "there is no pipeline none"},
	} {
		status, answer, header := o.ask(c.method, c.path, "Bearer "+token, c.body)
		if status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, status, answer, c.status, c.want)
		}
		if header.Get("Content-Type") != "application/json" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: headers %v", c.method, c.path, header)
		}
	}
	// A store that is closed is told in plain words, without a name of Go.
	o.engine.Driver().Close()
	for _, path := range []string{"/v1/status", "/v1/queues", "/v1/dead", "/v1/balance", "/v1/trace?id=x", "/v1/history"} {
		status, answer, _ := o.ask("GET", path, "Bearer "+token, "")
		if status != 503 || !strings.HasPrefix(answer, `{"error":"the store is closed","id":"`) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

func TestLifeOfADeadLetterOverTheAPI(t *testing.T) {
	o := newOffice(t)
	ctx := context.Background()
	id := o.letter(`{"n":12345678901234567890,"price":1.10}`)
	var l deadletter.Letter
	if err := o.client.Get(ctx, "/v1/dead/"+id, nil, &l); err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(l.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if string(payload) != `{"n":12345678901234567890,"price":1.10}` {
		t.Errorf("numbers changed on the way: %s", payload)
	}
	var done map[string]string
	if err := o.client.Post(ctx, "/v1/dead/"+id+"/edit", admin.Change{Who: "anna", Reason: "price", Payload: json.RawMessage(`{"n":12345678901234567890,"price":2.50}`)}, &done); err != nil {
		t.Fatal(err)
	}
	var story []queue.Entry
	if err := o.client.Get(ctx, "/v1/trace", map[string][]string{"ref": {"n"}, "value": {"12345678901234567890"}}, &story); err != nil {
		t.Fatal(err)
	}
	edited := false
	for _, e := range story {
		edited = edited || e.Kind == queue.Edited
		if e.Data != nil {
			t.Errorf("a trace shows a payload: %s", e.Data)
		}
	}
	if !edited {
		t.Errorf("the trace does not know of the edit: %+v", story)
	}
	story = nil
	if err := o.client.Get(ctx, "/v1/trace", map[string][]string{"id": {id}, "reveal": {"true"}}, &story); err != nil {
		t.Fatal(err)
	}
	original := ""
	for _, e := range story {
		if e.Kind == queue.Edited {
			original = string(e.Data)
		}
	}
	if !strings.Contains(original, "1.10") {
		t.Errorf("the original is not kept: %q", original)
	}
	if err := o.client.Post(ctx, "/v1/dead/"+id+"/discard", admin.Change{Who: "anna", Reason: "test"}, &done); err != nil {
		t.Fatal(err)
	}
	var b journal.Balance
	if err := o.client.Get(ctx, "/v1/balance", nil, &b); err != nil {
		t.Fatal(err)
	}
	if b.Unaccounted != 0 || b.Discarded != 1 || b.Dead != 0 {
		t.Errorf("balance %+v", b)
	}
}

func TestMetricsAreAllThere(t *testing.T) {
	o := newOffice(t)
	o.letter(`{"n":1}`)
	o.engine.Reload(context.Background())
	status, text, _ := o.ask("GET", "/metrics", "", "")
	if status != 200 {
		t.Fatal(status)
	}
	for _, want := range []string{
		`crossdock_accepted_total{pipeline="in",result="new",source="http"} 1`,
		`crossdock_ended_total{outcome="dead",pipeline="in",source="http"} 1`,
		`crossdock_reloads_total{result="unchanged"} 1`,
		`crossdock_lane_messages{lane="in/in",state="dead"} 1`,
		`crossdock_ledger_total{kind="accepted",pipeline="in"} 1`,
		`crossdock_delivery_seconds_count{connection="t",operation="put",result="4xx"} 1`,
		"crossdock_store_up 1",
		"crossdock_stale_leases_total 0",
		"crossdock_panics_total 0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	o.engine.Driver().Close()
	resp, err := http.Post("http://"+o.engine.Addr()+"/in", "application/json", strings.NewReader(`{"n":2}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	_, text, _ = o.ask("GET", "/metrics", "", "")
	for _, want := range []string{"crossdock_store_up 0", `crossdock_rejected_total{pipeline="in",status="503"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("the store is gone, and the metrics lack %s", want)
		}
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	o := newOffice(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.api.Serve(ctx, l) }()
	req, err := http.NewRequest("POST", fmt.Sprintf("http://%s/v1/reload", l.Addr()), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Origin", "https://evil.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a request from another site: %d", resp.StatusCode)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8090": true, "localhost:8090": true, "[::1]:8090": true, "127.8.9.1:1": true,
		":8090": false, "0.0.0.0:8090": false, "[::]:8090": false, "10.0.0.1:8090": false, "example.com:80": false,
		"127.0.0.1": false, "": false, "localhost.example.com:80": false, "0x7f.1:80": false,
	} {
		if got := admin.Loopback(addr); got != want {
			t.Errorf("%q: %v", addr, got)
		}
	}
}

func TestTokenIsMadeOnceAndForTheOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := admin.Token(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := admin.Token(dir)
	if err != nil || first != second || len(first) < 32 {
		t.Errorf("%q then %q, %v", first, second, err)
	}
	info, err := os.Stat(filepath.Join(dir, "admin.token"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "admin.token"), []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Token(dir); err == nil || strings.Contains(err.Error(), "short\n") {
		t.Errorf("a short token: %v", err)
	}
}

func TestClientWords(t *testing.T) {
	c := &admin.Client{Base: "http://127.0.0.1:1", Token: token}
	err := c.Get(context.Background(), "/v1/status", nil, nil)
	if !errors.Is(err, admin.ErrUnreachable) || strings.Contains(err.Error(), token) {
		t.Errorf("got %v", err)
	}
}
