package runtime_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/admin"
	"crossdock/runtime/audit"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/queue"
)

// TestPersonalDataStaysInside: what a schema marks as personal is in no log, no
// story and no list, whether a row, a partner or the door speaks of it; only
// who may reveal it sees it, in the payload.
func TestPersonalDataStaysInside(t *testing.T) {
	s := newSite(t)
	careless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(400)
		_, _ = w.Write(append([]byte("cannot deliver to "), body...))
	}))
	defer careless.Close()
	s.write("person.schema.yaml", "schema: person@1\nfields:\n  k: {type: string}\n  name: {type: string, pii: true}\n  phone: {type: string, pii: true}\n  age: {type: string, pii: true}\n")
	s.write("target.connection.yaml", "connection: target\ntype: http\nbase_url: "+careless.URL+"\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /in, repeat: keyed}\n")
	s.write("out.mapping.yaml", "mapping: out\nfields:\n  to: .name\n")
	s.write("bad.mapping.yaml", "mapping: bad\nfields:\n  years: {from: .age, type: integer}\n")
	// Lint refuses numbers and keys that are personal data; what is meant all the
	// same is masked like the rest.
	const meant = "# crossdock-ignore XD1203 the masks are tested with it\n"
	head := "key: [.k]\n" + meant + "trace_by: {k: .k, phone: .phone}\naccept: person@1\nsteps:\n"
	s.write("in.pipeline.yaml", "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\n"+head+"  - {send: target.put, map: out}\n")
	s.write("row.pipeline.yaml", "pipeline: row\ntrigger: {http: {path: /row, verify: none}}\n"+head+"  - {send: target.put, map: bad}\n")
	s.write("key.pipeline.yaml", "pipeline: key\ntrigger: {http: {path: /key, verify: none}}\n"+meant+strings.Replace(head, "[.k]", "['.name | tonumber']", 1)+"  - {send: target.put, map: bad}\n")
	spans := collected(t, s)
	s.start()
	const name, phone, age = "Ada-Lovelace", "+44-20-7946", "thirty-six-years"
	body := `{"k":"1","name":"` + name + `","phone":"` + phone + `","age":"` + age + `"}`
	for path, want := range map[string]int{"/in": 202, "/row": 202, "/key": 422} {
		resp, err := http.Post(s.url(path), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, answer)
		}
	}
	if b := s.settled(); b.Dead != 2 {
		t.Fatalf("%+v", b)
	}
	const token = "xd_0123456789abcdef0123456789abcdef"
	path := filepath.Join(t.TempDir(), "audit.log")
	record, err := audit.Open(path, []byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	api := httptest.NewServer(admin.New(s.engine, admin.Options{Token: token, Log: s.opt.Log, Audit: record}))
	defer api.Close()
	client := &admin.Client{Base: api.URL, Token: token}
	var seen strings.Builder
	get := func(path string, q url.Values) {
		t.Helper()
		var v json.RawMessage
		if err := client.Get(context.Background(), path, q, &v); err != nil {
			t.Fatal(err)
		}
		seen.Write(v)
	}
	get("/v1/trace", url.Values{"ref": {"k"}, "value": {"1"}})
	get("/v1/trace", url.Values{"ref": {"phone"}, "value": {phone}})
	get("/v1/history", url.Values{"kind": {"rejected"}})
	get("/v1/history", nil)
	get("/v1/dead", nil)
	get("/v1/status", nil)
	get("/v1/queues", nil)
	get("/v1/top", nil)
	get("/v1/dead/groups", nil)
	get("/v1/dead/boxes", nil)
	for _, what := range []string{"replay", "discard", "fix"} {
		q := url.Values{"what": {what}, "pipeline": {"in"}, "reason": {"a look"}, "who": {"anna"}, "until": {time.Now().UTC().Format(time.RFC3339Nano)}}
		if what == "fix" {
			q["set"] = []string{`.phone=.name + " " + .phone`}
		}
		get("/v1/changes/preview", q)
	}
	box := &deadletter.Box{Driver: s.engine.Driver(), Live: s.engine.Worker().Live}
	list, _, err := box.List(context.Background(), deadletter.Query{})
	if err != nil || len(list) != 2 {
		t.Fatal(err, len(list))
	}
	revealed := ""
	for _, l := range list {
		get("/v1/dead/"+l.ID, nil)
		get("/v1/dead/"+l.ID+"/outlook", nil)
		var v json.RawMessage
		if err := client.Get(context.Background(), "/v1/dead/"+l.ID, url.Values{"reveal": {"true"}}, &v); err != nil {
			t.Fatal(err)
		}
		revealed += string(v)
	}
	metrics, err := http.Get(api.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer metrics.Body.Close()
	if _, err := io.Copy(&seen, metrics.Body); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(written), "reveal") {
		t.Fatalf("the audit log tells of nobody who looked: %v %s", err, written)
	}
	traces := spans()
	if !strings.Contains(traces, "send target.put") {
		t.Fatal("no traces were sent")
	}
	all := seen.String() + s.log.String() + string(written) + traces
	if !strings.Contains(all, "dead letter") || !strings.Contains(all, "[masked]") {
		t.Fatalf("nothing was tried: %s", all)
	}
	for _, secret := range []string{name, phone, age} {
		if i := strings.Index(all, secret); i >= 0 {
			t.Errorf("%s comes out: ...%s...", secret, all[max(0, i-300):min(len(all), i+100)])
		}
		if !strings.Contains(revealed, secret) {
			t.Errorf("%s is not there for who may see it", secret)
		}
	}
	// What waits in the store tells why without telling who.
	page, err := s.engine.Driver().Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.DeadJob, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range page.Jobs {
		if strings.Contains(j.Reason, name) || strings.Contains(j.Reason, age) {
			t.Errorf("the reason of a dead letter: %s", j.Reason)
		}
	}
}
