package plan_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"crossdock/dsl/compile"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
	"crossdock/runtime/plan"
)

// A version of a template that gives every client what the last one gave is told as
// what it is; so are changes that no message passes.
func TestVersionWithoutEffect(t *testing.T) {
	files := memory(t, "../../examples/03-three-clients")
	next, clients := fstest.MapFS{}, []string{"acme", "bolt", "coldco"}
	for name, f := range files {
		if rest, ok := strings.CutPrefix(name, "templates/client/2/"); ok {
			next["templates/client/9/"+rest] = &fstest.MapFile{Data: []byte(strings.Replace(string(f.Data), "client@2", "client@9", 1))}
		}
		next[name] = f
	}
	quiet := maps.Clone(next)
	for i, code := range clients {
		path := "clients/" + code + ".instance.yaml"
		next[path] = &fstest.MapFile{Data: []byte(strings.Replace(string(files[path].Data), "client@2", "client@9", 1))}
		p := madeOf(t, files, next)
		if !p.Same || p.Blocked || p.Compared.Differ != 0 || len(p.Moves) != i+1 || p.Moves[i] != (plan.Move{Client: code, Before: "client@2", After: "client@9"}) {
			t.Fatalf("%+v", p)
		}
		want := "nothing changes but the version: what client acme does stays as it is"
		if i > 0 {
			want = fmt.Sprintf("nothing changes but the version: what %d clients do stays as it is", i+1)
		}
		if p.Verdict() != want {
			t.Errorf("%s, want %s", p.Verdict(), want)
		}
		var comment strings.Builder
		if err := p.Markdown(&comment); err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"crossdock plan: " + want, "#### Versions\n\n- client acme: client&#64;2 -&gt; client&#64;9"} {
			if !strings.Contains(comment.String(), line) {
				t.Errorf("the comment lacks %s:\n%s", line, comment.String())
			}
		}
	}
	if p := madeOf(t, files, quiet); !p.Same || len(p.Moves) != 0 || p.Verdict() != "nothing changes in what messages come to: what differs are tests, or definitions that are not at work" {
		t.Errorf("a template that nobody is on: %s", p.Verdict())
	}
}

// side loads a workspace in memory.
func side(t *testing.T, files fstest.MapFS) plan.Side {
	t.Helper()
	ws, list, err := compile.Load(files, compile.Options{Catalog: catalog.New(), Std: pipelines.Library()})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	return plan.Side{WS: ws, FS: files, Std: pipelines.Library()}
}

// madeOf compares two workspaces in memory.
func madeOf(t *testing.T, old, next fstest.MapFS) *plan.Plan {
	t.Helper()
	p, err := plan.Make(context.Background(), plan.Input{Old: side(t, old), New: side(t, next), Preview: catalog.New().Preview})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// One field that is changed in a template, an instance, a lookup, a connection or
// an environment is shown as exactly that field of exactly those clients.
func TestOneFieldOfClients(t *testing.T) {
	const template, all = "templates/client/2/", "acme bolt coldco"
	files := memory(t, "../../examples/03-three-clients")
	old := side(t, files)
	for _, c := range []struct{ file, from, to, clients, field string }{
		{template + "order-to-shipment.mapping.yaml", "client: $run.client", `client: $run.client + "x"`, all, "body client"},
		{template + "order-to-shipment.mapping.yaml", "reference: .id", `reference: .id + "x"`, "acme coldco", "body reference"},
		{template + "order-to-shipment.mapping.yaml", "warehouse: .warehouse", "warehouse: {from: .warehouse, note: same}", "", ""},
		{template + "order-to-shipment.mapping.yaml", "cutoff: $params.cutoff", "cutoff: {const: \"17:00\", note: $params}", all, "body cutoff"},
		{template + "order-to-shipment.mapping.yaml", `"HAZMAT" else .text end`, `"HAZMAT" else .text + "!" end`, "acme coldco", "body notes"},
		{template + "service-levels.lookup.yaml", "STD: GROUND", "STD: EXPRESS", all, "body level"},
		{template + "client.template.yaml", `default: "16:00"`, `default: "15:00"`, "acme bolt", "body cutoff"},
		{template + "tms.connection.yaml", "create: {post: /shipments", "create: {post: /v2/shipments", all, "path path"},
		{template + "tms.connection.yaml", "create: {post: /shipments", "create: {put: /shipments", all, "method method"},
		{template + "tms.connection.yaml", "create: {post: /shipments", "create: {query: {v: \"2\"}, post: /shipments", all, "query v"},
		{"clients/bolt.instance.yaml", "reference: .PO_NUMBER", `reference: .PO_NUMBER + "-x"`, "bolt", "body reference"},
		{"clients/bolt.instance.yaml", `// "" | digits`, `// "" | digits | ltrimstr("1")`, "bolt", "body consignee.phone"},
		{"clients/coldco.instance.yaml", `cutoff: "14:30"`, `cutoff: "14:00"`, "coldco", "body cutoff"},
		{"clients/acme.instance.yaml", "params: {code: acme,", `params: {cutoff: "09:00", code: acme,`, "acme", "body cutoff"},
		{"env/test.environment.yaml", "tms.example.com", "tms2.example.com", all, "address address"},
	} {
		changed := fstest.MapFS{}
		for n, f := range files {
			changed[n] = f
		}
		text := string(files[c.file].Data)
		if !strings.Contains(text, c.from) {
			t.Fatalf("%s holds no %s", c.file, c.from)
		}
		changed[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.from, c.to, 1))}
		p, err := plan.Make(context.Background(), plan.Input{Old: old, New: side(t, changed), Preview: catalog.New().Preview})
		if err != nil {
			t.Fatal(err)
		}
		clients := map[string]bool{}
		for _, d := range p.Differences {
			clients[d.Client] = true
			if got := d.Place + " " + d.Field; d.What != plan.InField || got != c.field {
				t.Errorf("%s -> %s: %s %s of %s %s", c.from, c.to, d.What, got, d.Client, d.Target)
			}
		}
		var got []string
		for code := range clients {
			got = append(got, code)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != c.clients {
			t.Errorf("%s -> %s: differs for %v, not for %s", c.from, c.to, got, c.clients)
		}
		for _, one := range p.Clients {
			if (one.Compared.Differ > 0) != clients[one.Code] {
				t.Errorf("%s -> %s: %s counts %+v", c.from, c.to, one.Code, one.Compared)
			}
		}
	}
}
