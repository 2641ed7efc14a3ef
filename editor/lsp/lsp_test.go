package lsp_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"crossdock/dsl/dsltest"
	"crossdock/editor"
	"crossdock/editor/lsp"
	"crossdock/editor/lsp/lsptest"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
)

// session starts a server in a folder with the workspace of dsltest, and other
// files where they are given.
func session(t *testing.T, files map[string]string, capabilities map[string]any) *lsptest.Client {
	t.Helper()
	dir := t.TempDir()
	all := dsltest.Base(t, "../../dsl/testdata")
	for k, v := range files {
		all[k] = v
	}
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, end := connect(t, dir)
	c.Initialize(capabilities, nil)
	t.Cleanup(func() {
		c.Exit()
		if err := end(); err != nil {
			t.Errorf("the session ended with: %v", err)
		}
	})
	return c
}

// connect starts a server that is not initialized yet; end waits for it.
func connect(t *testing.T, dir string) (*lsptest.Client, func() error) {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	s := &lsp.Server{Options: editor.Options{Catalog: catalog.New(), Std: pipelines.Library()}}
	go func() {
		err := s.Serve(context.Background(), inR, outW) // ends with its stream
		outW.Close()
		inR.Close()
		done <- err
	}()
	return lsptest.Connect(t, outR, inW, dir), func() error { inW.Close(); return <-done }
}

const cursor = "‸"

// place takes the cursor out of a text and returns where it was, in UTF-16 units.
func place(t *testing.T, text string) (string, map[string]any) {
	t.Helper()
	before, after, ok := strings.Cut(text, cursor)
	if !ok {
		t.Fatalf("no cursor in %q", text)
	}
	line := strings.Count(before, "\n")
	last := before[strings.LastIndexByte(before, '\n')+1:]
	return before + after, map[string]any{"line": line, "character": len(utf16.Encode([]rune(last)))}
}

// put replaces one line of a file of the base workspace.
func put(t *testing.T, path, old, text string) string {
	t.Helper()
	base := dsltest.Base(t, "../../dsl/testdata")[path]
	if strings.Count(base, old) != 1 {
		t.Fatalf("%s has %q %d times", path, old, strings.Count(base, old))
	}
	return strings.Replace(base, old, text, 1)
}

func labels(t *testing.T, c *lsptest.Client, path, text string) []string {
	t.Helper()
	text, at := place(t, text)
	c.Open(path, text)
	defer c.Close(path)
	var list struct {
		Items []struct {
			Label    string
			TextEdit struct{ NewText string }
		}
	}
	c.Call("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": c.URI(path)}, "position": at}, &list)
	var out []string
	for _, i := range list.Items {
		out = append(out, i.Label)
	}
	return out
}

// TestCompletion asks in the middle of half-written definitions.
func TestCompletion(t *testing.T) {
	c := session(t, nil, nil)
	mapping, pipeline := "order-to-shipment.mapping.yaml", "orders.pipeline.yaml"
	row := "  consignee.zip: .shipTo.zip\n"
	step := "  - {call: tms.find, with: {ref: .orderNo}, as: found}\n"
	for _, tt := range []struct {
		name, path, old, text string
		want, not             []string
	}{
		{"fields of the payload", mapping, row, "  consignee.zip: .ship‸\n", []string{"shipTo", "shipping"}, []string{"zip"}},
		{"fields below one", mapping, row, "  consignee.zip: .shipTo.‸\n", []string{"name", "zip"}, []string{"orderNo"}},
		{"behind a pipe, half a call open", mapping, row, "  consignee.zip: first(.items[] | select(.sk‸\n", []string{"sku", "qty"}, []string{"orderNo"}},
		{"inside braces that nothing closes", mapping, row, "  consignee.zip: {from: .shipTo.‸\n", []string{"name", "zip"}, nil},
		{"in quotes, an emoji before", mapping, row, "  consignee.zip: {note: \"😀\", from: \".shipTo.‸\"}\n", []string{"name", "zip"}, nil},
		{"in a block", mapping, row, "  consignee.zip: |\n    # 😀\n    .shipTo.‸\n", []string{"name", "zip"}, nil},
		{"items of each", mapping, "      sku: .sku\n", "      sku: .‸\n", []string{"sku", "qty"}, []string{"orderNo"}},
		{"variables", mapping, row, "  consignee.zip: $‸\n", []string{"heavy", "root", "meta", "vars"}, nil},
		{"functions", mapping, row, "  consignee.zip: .shipTo.zip | di‸\n", []string{"digits", "pad_left", "exact_sum"}, nil},
		{"tables as arguments", mapping, row, "  consignee.zip: .shipping | lookup(\"‸\")\n", []string{"units"}, nil},
		{"columns as arguments", mapping, row, "  consignee.zip: .shipping | lookup(\"codes\"; \"‸\")\n", []string{"service", "days"}, []string{"units", "shipTo"}},
		{"columns, half written", mapping, row, "  consignee.zip: '.shipping | lookup(\"codes\"; ser‸'\n", []string{"service", "days"}, []string{"orderNo"}},
		{"no columns of a table that has none", mapping, row, "  consignee.zip: .shipping | lookup(\"units\"; \"‸\")\n", nil, []string{"service", "units"}},
		{"nothing below a value of a table", mapping, row, "  consignee.zip: .shipping | lookup(\"codes\").‸\n", nil, []string{"orderNo", "shipTo"}},
		{"keys of a row", mapping, row, "  consignee.zip: {from: .shipTo.zip, ‸}\n", []string{"lookup", "default", "required"}, []string{"from"}},
		{"a column of a lookup", mapping, row, "  consignee.zip: {from: .shipping, lookup: co‸}\n", []string{"codes.service", "codes.days", "units"}, nil},
		{"the columns of one lookup", mapping, row, "  consignee.zip: {from: .shipping, lookup: codes.‸}\n", []string{"codes.service", "codes.days"}, nil},
		{"the columns of one lookup, in a block", mapping, row, "  consignee.zip:\n    from: .shipping\n    lookup: codes.se‸\n", []string{"codes.service"}, nil},
		{"a schema", mapping, "output: shipment@1\n", "output: ‸\n", []string{"shipment@1", "shop/order@1"}, nil},
		{"targets of the output schema", mapping, row, "  con‸\n", []string{"consignee.zip"}, []string{"consignee.name", "reference"}},
		{"targets inside a list", mapping, "      qty: {from: .qty, type: decimal(3)}\n", "      ‸\n", []string{"qty"}, []string{"reference"}},
		{"keys of the file", mapping, "let:\n  heavy: .weight > 500\n", "can‸\n", []string{"cannot_provide", "let", "program"}, []string{"input"}},
		{"words", mapping, row, "  consignee.zip: {from: .shipTo.zip, type: ‸}\n", []string{"string", "date", "decimal(2)"}, nil},
		{"patterns of numbers", mapping, row, "  consignee.zip: {from: .shipTo.zip, type: decimal(2), parse: ‸}\n", []string{"1.234,56", "1 234,56", "1234.56-"}, []string{"1.234", "dd.MM.yyyy"}},
		{"patterns of whole numbers", mapping, row, "  consignee.zip: {from: .shipTo.zip, type: integer, format: \"1‸\"}\n", []string{"1.234", "1.234,56"}, []string{"dd.MM.yyyy"}},
		{"patterns of dates", mapping, row, "  consignee.zip:\n    parse: dd‸\n    type: date\n", []string{"dd.MM.yyyy", "yyyyMMdd"}, []string{"1.234,56", "HH:mm"}},
		{"expr: fields", pipeline, "when: data.status == \"RELEASED\"\n", "when: data.st‸\n", []string{"status", "shipTo"}, nil},
		{"expr: items of a list", pipeline, "when: data.status == \"RELEASED\"\n", "when: any(data.items, .‸\n", []string{"sku", "qty"}, []string{"status"}},
		{"expr: names and functions", pipeline, "when: data.status == \"RELEASED\"\n", "when: ‸\n", []string{"data", "meta", "blank", "in_lookup"}, nil},
		{"operations", pipeline, step, "  - {call: tms.‸\n", []string{"tms.find", "tms.create", "journal.note"}, nil},
		{"keys of a step", pipeline, step, "  - ‸\n", []string{"map", "send", "route", "ignore"}, []string{"fetch_file"}},
		{"results of steps", pipeline, "  - {emit: shipment_planned@1, with: {order: .orderNo, depot: $vars.depot}}\n",
			"  - {emit: shipment_planned@1, with: {order: .orderNo, depot: $steps.‸}}\n", []string{"found"}, nil},
		{"policies", pipeline, "policy: urgent\n", "policy: ‸\n", []string{"calm", "urgent"}, nil},
		{"verifications", pipeline, "verify: shop}}\n", "verify: ‸}}\n", []string{"shop", "none"}, nil},
		{"events", "planned.pipeline.yaml", "trigger: {event: shipment_planned}\n", "trigger: {event: ‸}\n", []string{"shipment_planned"}, nil},
		{"keys of a connection by its type", "tms.connection.yaml", "headers: {X-Client: crossdock}\n", "‸\n", []string{"tls", "breaker", "headers"}, []string{"dir"}},
		{"keys of an operation by its type", "drop.connection.yaml", "  doc: {write: \"out/{name}.json\", repeat: safe}\n", "  doc: {‸}\n", []string{"write", "append", "repeat"}, []string{"post"}},
		{"mappings to test", "order-to-shipment.test.yaml", "test: mapping order-to-shipment\n", "test: ‸\n", []string{"mapping order-to-shipment", "pipeline orders"}, nil},
		{"broken elsewhere", mapping, row, "  broken: \"never closed\n  consignee.zip: {from: .shipTo.‸\n", []string{"name", "zip"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := labels(t, c, tt.path, put(t, tt.path, tt.old, tt.text))
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("%s is not offered: %v", w, got)
				}
			}
			for _, w := range tt.not {
				if slices.Contains(got, w) {
					t.Errorf("%s is offered: %v", w, got)
				}
			}
		})
	}
}

// TestHover reads what is said about keys, names, functions and values.
func TestHover(t *testing.T) {
	c := session(t, nil, nil)
	mapping := "order-to-shipment.mapping.yaml"
	for _, tt := range []struct{ path, old, text, want string }{
		{mapping, "  reference: {from: .orderNo,", "  refe‸rence: {from: .orderNo,", "on order.json: `\"SO-7\"`"},
		{mapping, "  reference: {from: .orderNo,", "  reference: {fr‸om: .orderNo,", "jq that computes the value"},
		{mapping, "  reference: {from: .orderNo,", "  reference: {from: .ord‸erNo,", "string, required"},
		{mapping, "lookup: codes.service}", "lookup: cod‸es.service}", "| 01 |"},
		{mapping, "consignee.zip: .shipTo.zip", "consignee.zip: .shipTo.zip | dig‸its", "**digits**"},
		{mapping, "consignee.zip: .shipTo.zip", "consignee.zip: .shipTo.zi‸p", "01067"},
		{"orders.pipeline.yaml", "{call: tms.find,", "{call: tms.fi‸nd,", "get: /shipments"},
		{"orders.pipeline.yaml", "policy: urgent", "policy: urg‸ent", "Priority critical, up to 5 attempts"},
		{"tms.connection.yaml", "    repeat: keyed\n", "    rep‸eat: keyed\n", "What happens when it is done twice"},
	} {
		text, at := place(t, put(t, tt.path, tt.old, tt.text))
		c.Open(tt.path, text)
		var h struct{ Contents struct{ Value string } }
		c.Call("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": c.URI(tt.path)}, "position": at}, &h)
		if !strings.Contains(h.Contents.Value, tt.want) {
			t.Errorf("%s: %q is not said:\n%s", tt.text, tt.want, h.Contents.Value)
		}
		c.Close(tt.path)
	}
}

// TestDefinitionAndReferences follows names to where they are defined and used.
func TestDefinitionAndReferences(t *testing.T) {
	c := session(t, nil, nil)
	for _, tt := range []struct {
		path, old, text, want string
		line                  int // from 0
		uses                  int // without the definition; -1: not counted
	}{
		{"orders.pipeline.yaml", "otherwise: {send: tms.create, map: order-to-shipment}", "otherwise: {send: tms.create, map: order-to-ship‸ment}", "order-to-shipment.mapping.yaml", 0, 3},
		{"orders.pipeline.yaml", "{call: tms.find,", "{call: tms.fi‸nd,", "tms.connection.yaml", 18, 2},
		{"orders.pipeline.yaml", "{call: tms.find,", "{call: tm‸s.find,", "tms.connection.yaml", 0, -1},
		{"orders.pipeline.yaml", "$steps.created.shipmentId", "$steps.crea‸ted.shipmentId", "orders.pipeline.yaml", 17, 1},
		{"order-to-shipment.mapping.yaml", "lookup: codes.service}", "lookup: co‸des.service}", "codes.lookup.yaml", 0, 1},
		{"order-to-shipment.mapping.yaml", "from: .shipTo.name,", "from: .shipTo.na‸me,", "order.schema.yaml", 10, 1},
		{"order-to-shipment.mapping.yaml", "samples: [order.json]", "samples: [ord‸er.json]", "order.json", 0, -1},
		{"planned.pipeline.yaml", "{event: shipment_planned}", "{event: shipment_pl‸anned}", "planned.schema.yaml", 0, 3},
		{"orders.pipeline.yaml", "policy: urgent", "policy: urg‸ent", "crossdock.yaml", 10, 1},
	} {
		text, at := place(t, put(t, tt.path, tt.old, tt.text))
		c.Open(tt.path, text)
		here := map[string]any{"textDocument": map[string]any{"uri": c.URI(tt.path)}, "position": at, "context": map[string]any{"includeDeclaration": false}}
		var found []lsp.Location
		c.Call("textDocument/definition", here, &found)
		if len(found) != 1 || found[0].URI != c.URI(tt.want) || found[0].Range.Start.Line != tt.line {
			t.Errorf("%s: defined at %+v, want %s line %d", tt.text, found, tt.want, tt.line)
		}
		var uses []lsp.Location
		c.Call("textDocument/references", here, &uses)
		if tt.uses >= 0 && len(uses) != tt.uses {
			t.Errorf("%s: used %d times, want %d: %+v", tt.text, len(uses), tt.uses, uses)
		}
		c.Close(tt.path)
	}
}

// renamed asks for a new name and makes the changes, files included.
func renamed(t *testing.T, c *lsptest.Client, path, text, name string) map[string]string {
	t.Helper()
	text, at := place(t, text)
	c.Open(path, text)
	defer c.Close(path)
	var edit struct {
		DocumentChanges []struct {
			TextDocument struct{ URI string }
			Edits        []struct {
				Range   lsp.Range
				NewText string
			}
			Kind, OldURI, NewURI string
		}
	}
	a := c.Answer(c.Ask("textDocument/rename", map[string]any{"textDocument": map[string]any{"uri": c.URI(path)}, "position": at, "newName": name}))
	if a.Error != nil {
		return map[string]string{"error": a.Error.Message}
	}
	if err := json.Unmarshal(a.Result, &edit); err != nil {
		t.Fatal(err)
	}
	files := dsltest.Base(t, "../../dsl/testdata")
	files[path] = text
	for _, ch := range edit.DocumentChanges {
		if ch.Kind == "rename" {
			from, to := strings.TrimPrefix(ch.OldURI, c.URI("")+"/"), strings.TrimPrefix(ch.NewURI, c.URI("")+"/")
			files[to] = files[from]
			delete(files, from)
			continue
		}
		file := strings.TrimPrefix(ch.TextDocument.URI, c.URI("")+"/")
		slices.SortFunc(ch.Edits, func(a, b struct {
			Range   lsp.Range
			NewText string
		}) int {
			return (b.Range.Start.Line-a.Range.Start.Line)*10000 + b.Range.Start.Character - a.Range.Start.Character
		})
		lines := strings.Split(files[file], "\n")
		for _, e := range ch.Edits {
			if e.Range.Start.Line != e.Range.End.Line {
				t.Fatalf("an edit over lines: %+v", e)
			}
			units := utf16.Encode([]rune(lines[e.Range.Start.Line]))
			lines[e.Range.Start.Line] = string(utf16.Decode(units[:e.Range.Start.Character])) + e.NewText + string(utf16.Decode(units[e.Range.End.Character:]))
		}
		files[file] = strings.Join(lines, "\n")
	}
	return files
}

// TestRename gives things another name, makes the changes and lints the result:
// whatever was forgotten is found there.
func TestRename(t *testing.T) {
	can := map[string]any{"workspace": map[string]any{"workspaceEdit": map[string]any{"documentChanges": true, "resourceOperations": []string{"rename"}}}}
	c := session(t, nil, can)
	mapping := "order-to-shipment.mapping.yaml"
	for _, tt := range []struct {
		name, path, old, text, to string
		want                      map[string]string // what some file holds then
		gone                      string            // a file that is no longer there
		refused                   string
	}{
		{name: "mapping", path: "orders.pipeline.yaml", old: "otherwise: {send: tms.create, map: order-to-shipment}", text: "otherwise: {send: tms.create, map: order-‸to-shipment}", to: "ship",
			want: map[string]string{"ship.mapping.yaml": "mapping: ship\n", "ship.test.yaml": "test: mapping ship\n", "orders.pipeline.yaml": "otherwise: {send: tms.create, map: ship}"}, gone: mapping},
		{name: "lookup", path: mapping, old: "  consignee.zip: .shipTo.zip", text: "  consignee.zip: .shipTo.zip # 😀 \n  note: {const: \"😀\", when: 'in_lookup(\"uni‸ts\", data.shipping)'}", to: "measures",
			want: map[string]string{"measures.lookup.yaml": "lookup: measures\n", mapping: `in_lookup("measures", data.shipping)`}, gone: "units.lookup.yaml"},
		{name: "schema", path: mapping, old: "output: shipment@1", text: "output: ship‸ment@1", to: "load@1",
			want: map[string]string{"tms.connection.yaml": "request: load@1", mapping: "output: load@1"}},
		{name: "event", path: "planned.schema.yaml", old: "schema: shipment_planned@1", text: "schema: shipment_pl‸anned@1", to: "planned_load@1",
			want: map[string]string{"planned.pipeline.yaml": "{event: planned_load}", "orders.pipeline.yaml": "emit: planned_load@1"}},
		{name: "field in jq, expr, tests and the schema", path: mapping, old: "from: .weight,", text: "from: .we‸ight,", to: "mass",
			want: map[string]string{"order.schema.yaml": "  mass: {type: decimal(2)", mapping: "heavy: .mass > 500", "orders.pipeline.yaml": "when: data.mass > 500"}},
		{name: "field inside an object", path: mapping, old: "      sku: .sku\n", text: "      sku: .s‸ku\n", to: "article", want: map[string]string{"order.schema.yaml": "  items[].article: {type"}},
		{name: "target", path: mapping, old: "  reference: {from", text: "  refer‸ence: {from", to: "ref", want: map[string]string{"shipment.schema.yaml": "  ref: {type", "order-to-shipment.test.yaml": "expect: {ref: SO-7"}},
		{name: "operation", path: "tms.connection.yaml", old: "  find: {get", text: "  fi‸nd: {get", to: "search", want: map[string]string{"orders.pipeline.yaml": "call: tms.search", "tms.connection.yaml": "check: {call: tms.search"}},
		{name: "connection", path: "orders.pipeline.yaml", old: "{call: tms.find,", text: "{call: t‸ms.find,", to: "planner", want: map[string]string{"planner.connection.yaml": "connection: planner", "orders.pipeline.yaml": "send: planner.create", "changes.pipeline.yaml": "call: planner.changes"}},
		{name: "helper value", path: mapping, old: "  consignee.zip: .shipTo.zip", text: "  consignee.zip: if $hea‸vy then .shipTo.zip else null end", to: "big", want: map[string]string{mapping: "if $big then"}},
		{name: "result of a step", path: "orders.pipeline.yaml", old: "as: created}", text: "as: crea‸ted}", to: "made", want: map[string]string{"orders.pipeline.yaml": "$steps.made.shipmentId"}},
		{name: "policy", path: "crossdock.yaml", old: "  calm:\n", text: "  ca‸lm:\n", to: "patient", want: map[string]string{"crossdock.yaml": "extends: patient"}},
		{name: "taken", path: mapping, old: "lookup: codes.service}", text: "lookup: co‸des.service}", to: "units", refused: "already"},
		{name: "no name", path: mapping, old: "lookup: codes.service}", text: "lookup: co‸des.service}", to: "two words", refused: "cannot be the name"},
		{name: "nothing there", path: mapping, old: "trim: true", text: "tr‸im: true", to: "x", refused: "no name here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := renamed(t, c, tt.path, put(t, tt.path, tt.old, tt.text), tt.to)
			if tt.refused != "" {
				if !strings.Contains(files["error"], tt.refused) {
					t.Errorf("refused with %q, want %q", files["error"], tt.refused)
				}
				return
			}
			if files["error"] != "" {
				t.Fatal(files["error"])
			}
			for file, text := range tt.want {
				if !strings.Contains(files[file], text) {
					t.Errorf("%s does not hold %q:\n%s", file, text, files[file])
				}
			}
			if _, there := files[tt.gone]; tt.gone != "" && there {
				t.Errorf("%s is still there", tt.gone)
			}
			clean(t, files, tt.name)
		})
	}
}
