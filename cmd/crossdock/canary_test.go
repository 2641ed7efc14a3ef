package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"crossdock/runtime/queue/redis/redistest"
)

// TestSecretsStayInsideAProcess looks through what a real process leaves behind
// for the values of its secrets: its log, the traces it sends to a collector
// that sends everything back, what each command for people prints, the files of
// its state folder, its profiles, and the stacks of all goroutines when it
// crashes, after its store and its targets have failed.
func TestSecretsStayInsideAProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a real process")
	}
	secrets := map[string]string{"bearer": "canary-bearer-9f3c/+&", "store": "canary-store-71ab", "collector": "canary-collector-55de"}
	c := lively(t)
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	if err := server.Client().Do(t.Context(), "acl", "setuser", "app", "on", ">"+secrets["store"], "~*", "&*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	c.store = "redis://app:" + secrets["store"] + "@" + server.Addr
	var mu sync.Mutex
	var out strings.Builder
	see := func(what string) { mu.Lock(); out.WriteString(what + "\n"); mu.Unlock() }
	traces := 0
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body) // what came before a break counts, too
		see(string(raw))
		mu.Lock()
		defer mu.Unlock()
		if traces++; traces%2 == 1 {
			http.Error(w, fmt.Sprintf("not allowed: %v", r.Header), http.StatusUnauthorized)
		}
	}))
	defer collector.Close()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "not allowed: %v", r.Header)
	}))
	defer echo.Close()
	for name, value := range map[string]string{"XD_BEARER": secrets["bearer"], "GOTRACEBACK": "system", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL,
		"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer " + secrets["collector"], "OTEL_BSP_SCHEDULE_DELAY": "50"} {
		t.Setenv(name, value)
	}
	c.save("connections/target.connection.yaml", "connection: target\ntype: http\nbase_url: "+echo.URL+"\nauth: {bearer: \"${secret.bearer}\"}\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /in, repeat: keyed}\n")
	c.start()
	for i := range 5 {
		if status := c.ask(t, "/in", fmt.Sprintf(`{"k":"s","seq":%d}`, i+1), ""); status != 202 {
			t.Fatalf("answered %d", status)
		}
	}
	if b := c.settle(); b.Dead != 5 {
		t.Fatalf("%+v, want 5 dead letters", b)
	}
	c.until("the log tells of the collector", func() bool { return strings.Contains(c.logTail(), "traces cannot be sent") })

	command := func(args ...string) string {
		t.Helper()
		raw, err := exec.Command(c.binary, args...).CombinedOutput()
		see(string(raw))
		if _, ended := err.(*exec.ExitError); err != nil && !ended {
			t.Fatal(err)
		}
		return string(raw)
	}
	command("dlq", "list", "--dir", c.dir)
	if text := command("dlq", "list", "--dir", c.dir, "--json"); !strings.Contains(text, "not allowed") {
		t.Fatalf("no dead letter tells what the target said: %s", text)
	}
	for _, args := range [][]string{
		{"status", "--dir", c.dir}, {"status", "--json", "--dir", c.dir}, {"queues", "--dir", c.dir}, {"top", "--once", "--dir", c.dir}, {"trace", "k", "s", "--reveal", "--json", "--dir", c.dir},
		{"doctor", c.dir, "--store", c.store}, {"doctor", c.dir, "--store", "redis://app:" + secrets["store"] + "@127.0.0.1:1"},
		{"run", c.dir, "--state", t.TempDir(), "--store", "redis://app:" + secrets["store"] + "x@" + server.Addr, "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"},
		{"run", c.dir, "--state", t.TempDir(), "--store", "redis://app:" + secrets["store"] + "@nowhere.invalid:1?timeout=x", "--http", "127.0.0.1:0"},
		{"dlq", "replay", "--dir", c.dir, "--pipeline", "in", "--yes", "--reason", "again"}, {"audit", "verify", c.dir},
		{"lint", c.dir}, {"plan", c.dir}, {"render", c.dir}, {"docs", c.dir}, {"explain", c.dir},
	} {
		command(args...)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/debug/pprof/heap"} {
		req, err := http.NewRequest(http.MethodGet, "http://"+c.admin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.client(t).Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		see(string(raw))
	}
	// The store goes away, and the process is made to crash in the middle of it.
	server.Kill()
	c.until("it cannot take anything in", func() bool { return c.ask(t, "/in", `{"k":"late","seq":1}`, "") == http.StatusServiceUnavailable })
	if err := c.process.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it did not crash")
	}
	log, err := os.ReadFile(c.log.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SIGQUIT", "goroutine 1 ", "dead letter", "not allowed"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the log of the crash holds no %q: nothing was tried", want)
		}
	}
	see(string(log))
	err = filepath.WalkDir(filepath.Join(c.dir, ".crossdock"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		see(path + "\n" + string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := out.String()
	if !strings.Contains(all, "dead.replay.many") || !strings.Contains(all, "send target.put") || len(all) < 50_000 {
		t.Fatalf("the audit log, the traces or the stacks were not looked at (%d bytes)", len(all))
	}
	for name, value := range secrets {
		for _, text := range []string{value, url.QueryEscape(value), base64.StdEncoding.EncodeToString([]byte(value)), value[:len("canary-")+len(name)+3]} {
			if i := strings.Index(all, text); i >= 0 {
				t.Errorf("the secret of the %s comes out: ...%s...", name, all[max(0, i-300):min(len(all), i+100)])
				break
			}
		}
	}
}
