package runtime_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestAlertsReachARealTarget: dead letters and a refused reload are told over
// HTTP, through lanes as any message, again when the receiver was down, and it
// is told when they are over.
func TestAlertsReachARealTarget(t *testing.T) {
	s := newSite(t)
	s.opt.AlertEvery = 10 * time.Millisecond
	s.write("crossdock.yaml", baseSettings+"alerts: {ops: {send: slack.post, policy: quick, wait: 10ms, with: {text: .summary, status: .status}}}\n")
	s.write("slack.connection.yaml", "connection: slack\ntype: http\nbase_url: "+s.target.URL+"\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  post: {post: /slack, repeat: keyed}\n")
	var asked atomic.Int32
	s.target.answers = func(_ int, r *http.Request, body string) (int, string) {
		if r.URL.Path == "/in" {
			return 400, "no"
		}
		if asked.Add(1) <= 3 {
			return 503, ""
		}
		return 200, "{}"
	}
	s.start()
	told := func(want string) func() bool {
		return func() bool {
			s.target.mu.Lock()
			defer s.target.mu.Unlock()
			return slices.ContainsFunc(s.target.bodies, func(body string) bool { return strings.Contains(body, want) })
		}
	}
	s.until("the lanes are looked at", func() bool { return s.status().Pipelines["alerts/ops"].Trigger == "alert" })
	s.until("a first look", s.looked)
	s.send("a", 1)
	s.until("the dead letter is told", told(`{"status":"firing","text":"1 dead letter in the box general, the last one: in: target.put answered 400: no"}`))
	s.write("in.pipeline.yaml", strings.Replace(basePipeline, "target.put", "target.nothing", 1))
	s.reload("failed")
	s.until("the refused reload is told", told(`no operation`))
	s.write("in.pipeline.yaml", basePipeline)
	s.reload("unchanged")
	s.until("the end is told", told(`"status":"resolved","text":"over: the definitions are refused`))
	b := s.settled()
	if b.Dead != 1 {
		t.Errorf("balance %+v", b)
	}
}

// looked reports whether the watch for alerts has looked at what there is.
func (s *site) looked() bool {
	values, err := s.engine.Driver().Get(s.t.Context(), "alerts/state")
	return err == nil && values[0].Version > 0
}
