package plan_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"crossdock/dsl/compile"
	"crossdock/runtime/catalog"
	"crossdock/runtime/plan"
)

func load(t *testing.T, files map[string]string) plan.Side {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	ws, list, err := compile.Load(fsys, compile.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	return plan.Side{Name: "test", WS: ws, FS: fsys}
}

var small = map[string]string{
	"crossdock.yaml": "crossdock: 1\nname: small\n",
	"tms.connection.yaml": `connection: tms
type: http
base_url: https://tms.example.com/api
operations:
  create:
    post: /shipments/{order}
    query: {source: "{source}"}
    repeat: keyed
    stub: {body: {shipmentId: S-1}}
`,
	"orders.pipeline.yaml": `pipeline: orders
trigger: {http: {path: /orders, verify: {none: true}}}
key: [.no]
order_by: .no
trace_by: {order: .no}
samples: [one.json]
steps:
  - route:
      pick: first
      rules:
        - {name: heavy, when: data.weight > 100, to: [{dead_letter: too heavy}]}
      otherwise: {to: [{send: tms.create, map: to-tms, with: {order: .no, source: '"erp"'}}]}
`,
	"to-tms.mapping.yaml": `mapping: to-tms
samples: [one.json]
fields:
  weight: {from: .weight, type: decimal(2)}
  name: .name
  lines:
    each: .lines
    fields:
      sku: .sku
      qty: .qty
`,
	"one.json": `{"no":"SO-1","weight":12.5,"name":"Ada","lines":[{"sku":"A","qty":2},{"sku":"B","qty":3}]}`,
}

func edited(name, old, next string) map[string]string {
	out := map[string]string{}
	for k, v := range small {
		out[k] = v
	}
	if !strings.Contains(out[name], old) {
		panic("no " + old + " in " + name)
	}
	out[name] = strings.Replace(out[name], old, next, 1)
	return out
}

func made(t *testing.T, a, b plan.Side, waivers ...plan.Waiver) *plan.Plan {
	t.Helper()
	p, err := plan.Make(context.Background(), plan.Input{Old: a, New: b, Preview: catalog.New().Preview, Waivers: waivers})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A plan names exactly what an edit changes in what is sent.
func TestEdits(t *testing.T) {
	for name, c := range map[string]struct {
		file, old, next string
		want            []string // "what target place field" of the differences of the pipeline
		blocked         bool
	}{
		"a number is written otherwise": {"to-tms.mapping.yaml", "type: decimal(2)", "type: decimal(1)", []string{"field tms.create body weight"}, true},
		"a text":                        {"to-tms.mapping.yaml", "name: .name", "name: .name + \"!\"", []string{"field tms.create body name"}, false},
		"in lines":                      {"to-tms.mapping.yaml", "sku: .sku", "sku: .sku | ascii_downcase", []string{"field tms.create body lines[].sku"}, false},
		"a row is gone":                 {"to-tms.mapping.yaml", "  name: .name\n", "", []string{"field tms.create body name"}, false},
		"the path":                      {"tms.connection.yaml", "/shipments/{order}", "/loads/{order}", []string{"field tms.create path path"}, false},
		"the query":                     {"orders.pipeline.yaml", `'"erp"'`, `'"sap"'`, []string{"field tms.create query source"}, false},
		"the host":                      {"tms.connection.yaml", "tms.example.com", "tms2.example.com", []string{"field tms.create address address"}, false},
		"the key":                       {"orders.pipeline.yaml", "key: [.no]", "key: [.no, .name]", []string{"key   "}, true},
		"the order":                     {"orders.pipeline.yaml", "order_by: .no", "order_by: .name", []string{"order   "}, false},
		"the route":                     {"orders.pipeline.yaml", "> 100", "> 10", []string{"outcome   ", "route   ", "gone tms.create  "}, false},
		"a comment":                     {"orders.pipeline.yaml", "key: [.no]", "key: [.no] # why", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := made(t, load(t, small), load(t, edited(c.file, c.old, c.next)))
			var got []string
			for _, d := range p.Differences {
				if d.Pipeline == "orders" {
					got = append(got, strings.Join([]string{string(d.What), d.Target, d.Place, d.Field}, " "))
				}
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") || p.Blocked != c.blocked {
				var b strings.Builder
				_ = p.Text(&b)
				t.Errorf("got %q, blocked %v; want %q, %v\n%s", got, p.Blocked, c.want, c.blocked, b.String())
			}
			if (len(p.Definitions) == 0) != (len(c.want) == 0) {
				t.Errorf("definitions %+v", p.Definitions)
			}
		})
	}
}

func TestAgainstItself(t *testing.T) {
	p := made(t, load(t, small), load(t, small))
	if !p.Same || p.Blocked || p.Compared.Differ != 0 || p.Compared.All() == 0 || len(p.Facts) > 0 {
		t.Errorf("%+v", p)
	}
}

// A contract that keeps its name and breaks somebody blocks.
func TestContract(t *testing.T) {
	with := func(fields string) plan.Side {
		files := edited("orders.pipeline.yaml", "key: [.no]", "accept: order@1\nkey: [.no]")
		files["order.schema.yaml"] = "schema: order@1\nfields:\n  no: {type: string, required: true}\n" + fields
		return load(t, files)
	}
	old := with("  name: {type: string}\n")
	if p := made(t, old, with("  name: {type: string}\n  note: {type: string}\n")); p.Blocked || len(p.Facts) == 0 {
		t.Errorf("an optional field: %+v, %+v", p.Blockers, p.Facts)
	}
	p := made(t, old, with("  name: {type: string, required: true}\n"))
	if !p.Blocked || p.Blockers[0].Waive != "schema order@1" || !strings.Contains(p.Blockers[0].Text, "name is required now") {
		t.Errorf("a field is required: %+v", p.Blockers)
	}
	if p := made(t, old, with("  name: {type: string, required: true}\n"), plan.Waiver{Field: "schema order@1", Reason: "agreed"}); p.Blocked {
		t.Errorf("waived: %+v", p.Blockers)
	}
}

// Who may not see payloads learns which fields differ, not what is in them.
func TestHidden(t *testing.T) {
	a, b := load(t, small), load(t, edited("to-tms.mapping.yaml", "name: .name", "name: .name + \"!\"\n  more: {from: '{(.name): 1}'}"))
	real := plan.Message{ID: "M1", Origin: plan.Real, Pipeline: "orders"}
	real.In.Raw = []byte(`{"no":"SO-1","weight":12.5,"name":"Grace","lines":[]}`)
	for _, reveal := range []plan.Reveal{plan.Hidden, plan.Masked} {
		p, err := plan.Make(context.Background(), plan.Input{Old: a, New: b, Messages: []plan.Message{real}, Preview: catalog.New().Preview, Reveal: reveal})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := p.Text(&text); err != nil {
			t.Fatal(err)
		}
		if shown := strings.Contains(text.String(), "Grace"); shown != (reveal == plan.Masked) {
			t.Errorf("reveal %v shows the name: %v\n%s", reveal, shown, text.String())
		}
		if !strings.Contains(text.String(), "name") || p.Compared.Real != 1 {
			t.Errorf("reveal %v: %s", reveal, text.String())
		}
	}
}

// What the real message was answered answers again, on both sides.
func TestAnswers(t *testing.T) {
	files := edited("orders.pipeline.yaml", "steps:\n", "steps:\n  - {send: tms.create, with: {order: .no, source: '\"x\"'}, as: made}\n")
	a := load(t, files)
	files["orders.pipeline.yaml"] = strings.Replace(files["orders.pipeline.yaml"], `'"erp"'`, "$steps.made.shipmentId", 1)
	b := load(t, files)
	real := plan.Message{ID: "M1", Origin: plan.Real, Pipeline: "orders", Recall: func(string) (any, bool) {
		return map[string]any{"shipmentId": "S-77"}, true
	}}
	real.In.Raw = []byte(`{"no":"SO-1","weight":12.5,"name":"Grace","lines":[]}`)
	p, err := plan.Make(context.Background(), plan.Input{Old: a, New: b, Messages: []plan.Message{real}, Preview: catalog.New().Preview})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.Differences {
		for _, x := range d.Examples {
			if x.Origin == plan.Real && x.After == "S-77" && x.Before == "erp" {
				return
			}
		}
	}
	t.Errorf("%+v", p.Differences)
}

// The hash is of what was found, not of how many messages showed it.
func TestMoved(t *testing.T) {
	a, b := load(t, small), load(t, edited("to-tms.mapping.yaml", "name: .name", "name: .name + \"!\""))
	p := made(t, a, b)
	if why := p.Moved(made(t, a, b)); why != "" {
		t.Errorf("nothing moved: %s", why)
	}
	for want, now := range map[string]*plan.Plan{
		"what runs is revision":              made(t, b, b),
		"the definitions were changed after": made(t, a, load(t, edited("to-tms.mapping.yaml", "name: .name", "name: .name + \"?\""))),
	} {
		if why := p.Moved(now); !strings.Contains(why, want) {
			t.Errorf("%q, want %q", why, want)
		}
	}
	forged := *p
	forged.Waivers = []plan.Waiver{{Field: "weight", Reason: "x"}}
	if why := forged.Moved(made(t, a, b)); !strings.Contains(why, "changed after it was made") {
		t.Errorf("forged: %q", why)
	}
	fewer := *p
	fewer.Differences = nil
	fewer.Hash = fewer.Fingerprint()
	if why := fewer.Moved(p); !strings.Contains(why, "differences that the plan does not show") {
		t.Errorf("a new difference: %q", why)
	}
}
