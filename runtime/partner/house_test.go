package partner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"crossdock/runtime/partner"
)

// Connections to one address, as clients of one template have them, are played
// side by side: each call reaches the partner whose path it has.
func TestPartnersAtOneAddress(t *testing.T) {
	connection := func(name, path string) string {
		return fmt.Sprintf("connection: %s\ntype: http\nbase_url: ${var.tms}%s\nallow_private: [127.0.0.0/8]\noperations:\n  create: {post: /shipments, repeat: keyed, stub: {body: {by: %s}}}\n", name, path, name)
	}
	ws := load(t, map[string]string{
		"crossdock.yaml":         "crossdock: 1\n",
		"local.environment.yaml": "environment: local\nvars: {tms: http://127.0.0.1:1}\n",
		"acme.connection.yaml":   connection("acme", "/acme"),
		"acme2.connection.yaml":  connection("acme2", "/acme/2"),
		"bolt.connection.yaml":   connection("bolt", "/bolt"),
	})
	stage, err := partner.Open(ws, true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- stage.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	base := stage.Vars["tms"]
	for path, want := range map[string]string{"/acme/shipments": `"acme"`, "/acme/2/shipments": `"acme2"`, "/bolt/shipments": `"bolt"`} {
		if status, text := ask(t, "POST", base+path, "{}"); status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, text := ask(t, "POST", base+"/nobody/shipments", "{}"); status != 404 {
		t.Errorf("nobody: %d %s", status, text)
	}
	for name, p := range stage.Partners {
		if calls := p.Calls(); len(calls) != 1 || calls[0].Operation != name+".create" {
			t.Errorf("%s has seen %+v", name, calls)
		}
		if stage.Addrs[name] == base {
			t.Errorf("the address of %s is that of all", name)
		}
	}
	// They are looked at together, and made to fail one by one.
	if _, text := ask(t, "GET", base+"/_mock", ""); !strings.Contains(text, "acme2.create") || !strings.Contains(text, "bolt.create") {
		t.Errorf("all calls: %s", text)
	}
	if status, text := ask(t, "POST", base+"/_mock", `{"operation": "create", "answers": ["503"]}`); status != 400 || !strings.Contains(text, "say which of acme.create, acme2.create, bolt.create") {
		t.Errorf("which one: %d %s", status, text)
	}
	for name, path := range map[string]string{"bolt": "/bolt", "acme2": "/acme/2", "acme": "/acme"} {
		if status, text := ask(t, "POST", base+"/_mock", `{"operation": "`+name+`.create", "answers": ["503"]}`); status != 200 {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if status, _ := ask(t, "POST", base+path+"/shipments", "{}"); status != 503 {
			t.Errorf("%s answers %d", name, status)
		}
		if status, _ := ask(t, "POST", base+path+"/shipments", "{}"); status != 200 {
			t.Errorf("%s still fails: %d", name, status)
		}
	}
}
