package admin_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/enginetest"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

func (o *office) connection(name string) policy.Shown {
	o.t.Helper()
	var all []policy.Shown
	if err := o.client.Get(context.Background(), "/v1/connections", nil, &all); err != nil {
		o.t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	o.t.Fatalf("no connection %s: %+v", name, all)
	return policy.Shown{}
}

func TestMaintenanceByHand(t *testing.T) {
	o := newOffice(t)
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/v1/connections/none/maintenance", `{"who":"ann","seconds":60}`, 404, "there is no connection none"},
		{"/v1/connections/t/maintenance", `{"who":"ann"}`, 422, "lasts from a second to 14 days"},
		{"/v1/connections/t/maintenance", `{"who":"ann","seconds":9223372036854775807}`, 422, "lasts from a second to 14 days"},
		{"/v1/connections/t/maintenance", `{"seconds":60}`, 422, "say who does it"},
		{"/v1/connections/t/maintenance", `{"who":"ann","seconds":60,"let":["urgent"]}`, 422, "there is no priority urgent"},
		{"/v1/connections/t/maintenance/stop", `{"who":"ann"}`, 409, "t has no maintenance"},
		{"/v1/connections/t/maintenance", `{"who":"ann","seconds":3600,"reason":"patch"}`, 200, `"who":"ann"`},
	} {
		if status, answer, _ := o.ask("POST", c.path, "Bearer "+token, c.body); status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, answer)
		}
	}
	resp, err := http.Post("http://"+o.engine.Addr()+"/in", "application/json", strings.NewReader(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var held policy.Shown
	for range 1000 {
		if held = o.connection("t"); held.Held > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond) // a real listener
	}
	if held.Held != 1 || held.Manual == nil || len(held.Notes) == 0 || !strings.Contains(held.Notes[0], "(maintenance by ann, patch)") {
		t.Fatalf("%+v", held)
	}
	if status, answer, _ := o.ask("POST", "/v1/connections/t/maintenance/stop", "Bearer "+token, `{"who":"ann"}`); status != 200 {
		t.Fatalf("stop: %d %s", status, answer)
	}
	o.dies()
}

// TestMaintenanceThatAnotherReplicaEnds: this one hears of it from the store, and
// calls what it parked.
func TestMaintenanceThatAnotherReplicaEnds(t *testing.T) {
	o := newOffice(t)
	now := time.Now()
	m := policy.Manual{From: now, Until: now.Add(time.Hour), Who: "ann"}
	if err := o.engine.StartMaintenance(t.Context(), "t", m); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post("http://"+o.engine.Addr()+"/in", "application/json", strings.NewReader(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for o.connection("t").Held == 0 {
		time.Sleep(5 * time.Millisecond) // a real listener
	}
	m.Until = time.Now()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.engine.Driver().Apply(t.Context(), queue.Commit{Put: []queue.Put{
		{Key: "maintenance/t", Version: queue.AnyVersion, Value: data}, {Key: "pauses", Version: queue.AnyVersion, Value: []byte("t")}}})
	if err != nil {
		t.Fatal(err)
	}
	o.dies()
}

// dies waits until the only message is a dead letter: the target refuses
// everything.
func (o *office) dies() {
	t := o.t
	t.Helper()
	for range 1000 {
		page, err := o.engine.Driver().Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.DeadJob})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Jobs) == 1 {
			return
		}
		time.Sleep(5 * time.Millisecond) // a real listener
	}
	t.Fatal("the message did not go out when the maintenance had ended")
}

func TestMaintenanceSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"crossdock.yaml":    "crossdock: 1\n",
		"t.connection.yaml": "connection: t\ntype: log\noperations:\n  put: {repeat: keyed}\n",
		"in.pipeline.yaml":  "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.n]\nsteps:\n  - {send: t.put}\n",
	} {
		enginetest.Write(t, dir, name, text)
	}
	open := func() *runtime.Engine {
		e, err := runtime.New(t.Context(), runtime.Options{Dir: dir, HTTP: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := open()
	now := time.Now()
	if err := first.StartMaintenance(t.Context(), "t", policy.Manual{From: now, Until: now.Add(time.Hour), Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	if err := first.Driver().Close(); err != nil {
		t.Fatal(err)
	}
	second := open()
	defer second.Driver().Close()
	if c := second.Connections(nil); len(c) != 1 || c[0].Manual == nil || c[0].Manual.Who != "ann" || !c[0].Closed.Equal(now.Add(time.Hour)) {
		t.Fatalf("%+v", c)
	}
}
