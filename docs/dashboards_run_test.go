package docs

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/enginetest"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// eventful is a workspace in which everything happens that metrics tell of.
var eventful = map[string]string{
	"crossdock.yaml": "crossdock: 1\ndefaults: {policy: p}\npolicies:\n  p: {sla: 1h, retry: {attempts: 2, wait: 1ms, grow: 1, jitter: 0, on: [5xx]}}\n" +
		"verify:\n  shop: {api_key: {header: X-Key, keys: [\"${secret.key}\"]}}\n",
	"one.environment.yaml": "environment: one\nsecrets: {provider: env, prefix: XD_}\n",
	"in.pipeline.yaml":     "pipeline: in\ntrigger: {http: {path: /in, verify: shop}}\nkey: [.n]\nevent_time: .at\nsteps:\n  - {send: t.put}\n",
	"t.connection.yaml": "connection: t\ntype: http\nbase_url: URL\nallow_private: [\"127.0.0.0/8\"]\nlimits: {rate: 1000/s, quota: 1000/hour}\n" +
		"operations:\n  put: {post: /put, repeat: keyed}\n",
}

// TestDashboardsInARun lets everything happen and looks for each metric of the
// dashboard and of the rules.
func TestDashboardsInARun(t *testing.T) {
	var calls atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(503)
		}
	}))
	t.Cleanup(target.Close)
	dir := t.TempDir()
	for name, text := range eventful {
		enginetest.Write(t, dir, name, strings.ReplaceAll(text, "URL", target.URL))
	}
	e, _ := enginetest.Start(t, runtime.Options{Dir: dir, Store: "memory:", Secret: func(string) (string, error) { return "open sesame", nil }})
	post := func(key, body string, want int) {
		t.Helper()
		r, _ := http.NewRequest("POST", "http://"+e.Addr()+"/in", strings.NewReader(body))
		r.Header.Set("X-Key", key)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Fatalf("%s: %d, want %d", body, resp.StatusCode, want)
		}
	}
	post("stranger", `{"n":"0"}`, 401)
	post("open sesame", `{"m":"0"}`, 422)
	post("open sesame", `{"n":"1","at":"2026-01-01T00:00:00Z"}`, 202)
	await(t, e, func(l queue.LaneStat) bool { return l.Ready+l.Leased+l.Delayed == 0 })
	if err := e.StartMaintenance(context.Background(), "t", policy.Manual{Who: "anna", Reason: "test", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	post("open sesame", `{"n":"2"}`, 202)
	await(t, e, func(l queue.LaneStat) bool { return len(l.Parked) == 1 })
	e.Reload(context.Background())
	families, err := e.Meter().Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range families {
		have = append(have, f.GetName())
	}
	used := regexp.MustCompile(`\b(?:crossdock|go|process)_[a-z_]+`)
	for where, expr := range expressions(t) {
		for _, name := range used.FindAllString(quoted.ReplaceAllString(expr, ""), -1) {
			for _, end := range []string{"_bucket", "_count", "_sum"} {
				if base, ok := strings.CutSuffix(name, end); ok && strings.HasSuffix(base, "_seconds") {
					name = base
				}
			}
			if !slices.Contains(have, name) {
				t.Errorf("%s: nothing was told of %s", where, name)
			}
		}
	}
}

// await waits until the lane of the pipeline is as it should be. There is a real
// listener and a real target.
func await(t *testing.T, e *runtime.Engine, done func(queue.LaneStat) bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(2 * time.Millisecond) {
		page, err := e.Driver().Browse(context.Background(), queue.Query{View: queue.Lanes})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Lanes) > 0 && done(page.Lanes[0]) {
			return
		}
	}
	t.Fatal("it did not come to that")
}
