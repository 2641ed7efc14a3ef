package runtime_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

// TestRateOutlivesAReload: a reload gives nobody a fresh allowance, and other
// limits go live with one.
func TestRateOutlivesAReload(t *testing.T) {
	s := newSite(t)
	trigger := "trigger: {http: {path: /in, verify: none, limits: {rate: 1/h, concurrent: 5}}}"
	s.write("in.pipeline.yaml", strings.Replace(basePipeline, "trigger: {http: {path: /in, verify: none}}", trigger, 1))
	s.start()
	post := func() (int, string) {
		t.Helper()
		resp, err := http.Post(s.url("/in"), "application/json", strings.NewReader(`{"k":"a","seq":1}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	for i := range 10 {
		if status, _ := post(); status != 202 {
			t.Fatalf("message %d: %d", i, status)
		}
	}
	if status, after := post(); status != 429 || after == "" {
		t.Fatalf("beyond the rate: %d %q", status, after)
	}
	s.write("out.mapping.yaml", baseMapping+"  more: .k\n")
	if r := s.engine.Reload(context.Background()); r.Result != "ok" {
		t.Fatal(r.Error)
	}
	if status, _ := post(); status != 429 {
		t.Errorf("after a reload: %d", status)
	}
	s.write("in.pipeline.yaml", strings.Replace(basePipeline, "trigger: {http: {path: /in, verify: none}}", strings.Replace(trigger, "1/h", "1000/s", 1), 1))
	if r := s.engine.Reload(context.Background()); r.Result != "ok" {
		t.Fatal(r.Error)
	}
	if status, _ := post(); status != 202 {
		t.Errorf("with another rate: %d", status)
	}
}
