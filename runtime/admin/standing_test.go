package admin_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/admin"
	"crossdock/runtime/queue"
)

// TestWhereMessagesStandNow asks for messages in every state that is not done.
func TestWhereMessagesStandNow(t *testing.T) {
	o := newOffice(t)
	ctx := context.Background()
	d := o.engine.Driver()
	// A lane that nobody works on.
	const lane = "in/elsewhere"
	put := func(id, key string) {
		t.Helper()
		e := queue.Entry{Message: id, At: time.Now(), Kind: queue.Accepted, Pipeline: "elsewhere", Refs: []queue.Ref{{Type: "n", Value: "7"}}}
		if _, err := d.Apply(ctx, queue.Commit{Jobs: []queue.Job{{ID: id, Lane: lane, Key: key, Body: []byte("{}"), Fresh: []queue.Entry{e}}}}); err != nil {
			t.Fatal(err)
		}
	}
	take := func() queue.Lease {
		t.Helper()
		ls, err := d.Lease(ctx, queue.Want{Lane: lane, Max: 1, TTL: time.Hour})
		if err != nil || len(ls) != 1 {
			t.Fatal(ls, err)
		}
		return ls[0]
	}
	end := func(f queue.Finish) {
		t.Helper()
		if _, err := d.Apply(ctx, queue.Commit{Finish: []queue.Finish{f}}); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(time.Hour).Truncate(time.Second)
	put("retried", "k")
	put("second", "k")
	end(queue.Finish{Lease: take(), Outcome: queue.Retry, At: later, Attempts: 2})
	put("parked", "")
	end(queue.Finish{Lease: take(), Outcome: queue.Park, At: later, Reason: "t is closed"})
	put("dead", "")
	end(queue.Finish{Lease: take(), Outcome: queue.Dead, Box: "general", Reason: "answered 400", Attempts: 1})
	put("done", "")
	end(queue.Finish{Lease: take(), Outcome: queue.Done})
	put("held", "")
	take()
	put("waits", "")

	ask := func(q map[string][]string) map[string]admin.Standing {
		t.Helper()
		var list []admin.Standing
		if err := o.client.Get(ctx, "/v1/trace/now", q, &list); err != nil {
			t.Fatal(err)
		}
		out := map[string]admin.Standing{}
		for _, s := range list {
			out[s.Message] = s
		}
		return out
	}
	got := ask(map[string][]string{"ref": {"n"}, "value": {"7"}})
	for id, want := range map[string]admin.Standing{
		"retried": {State: queue.Delayed, Due: later, Attempts: 2},
		"second":  {State: queue.Ready, Behind: "retried"},
		"parked":  {State: queue.Parked, Due: later, Reason: "t is closed"},
		"dead":    {State: queue.DeadJob, Reason: "answered 400", Box: "general", Attempts: 1},
		"held":    {State: queue.Leased},
		"waits":   {State: queue.Ready},
	} {
		s := got[id]
		if s.State != want.State || !s.Due.Equal(want.Due) || s.Attempts != want.Attempts || s.Reason != want.Reason ||
			s.Box != want.Box || s.Behind != want.Behind || s.Paused || s.Since.IsZero() || s.Pipeline != "elsewhere" {
			t.Errorf("%s stands %+v, want %+v", id, s, want)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d stand: %+v", len(got), got)
	}

	var done map[string]string
	if err := o.client.Post(ctx, "/v1/pipelines/in/pause", nil, &done); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post("http://"+o.engine.Addr()+"/in", "application/json", strings.NewReader(`{"n":8}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	paused := ask(map[string][]string{"value": {"8"}})
	if len(paused) != 1 {
		t.Fatalf("%+v", paused)
	}
	for id, s := range paused {
		if !s.Paused || s.State != queue.Ready {
			t.Errorf("%s stands %+v", id, s)
		}
		if one := ask(map[string][]string{"id": {id}}); len(one) != 1 {
			t.Errorf("by its ID: %+v", one)
		}
	}
}
