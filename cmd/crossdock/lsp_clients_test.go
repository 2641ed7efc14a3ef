package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"crossdock/dsl/dsltest"
	"crossdock/editor/lsp"
	"crossdock/editor/lsp/lsptest"
)

// clientsExample are the files of the example with a template, in which nothing
// is to be found.
func clientsExample(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	root := "../../examples/03-three-clients"
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(rel)] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// spot is a place in a text that is typed: ‸ is the cursor.
type spot struct{ path, old, typed string }

// ask opens the text with the cursor and asks about the place.
func (s spot) ask(t *testing.T, c *lsptest.Client, files map[string]string, method string, more map[string]any, result any) lsptest.Answer {
	t.Helper()
	if strings.Count(files[s.path], s.old) != 1 {
		t.Fatalf("%s has %q %d times", s.path, s.old, strings.Count(files[s.path], s.old))
	}
	before, after, ok := strings.Cut(strings.Replace(files[s.path], s.old, s.typed, 1), "‸")
	if !ok {
		t.Fatalf("no cursor in %q", s.typed)
	}
	last := before[strings.LastIndexByte(before, '\n')+1:]
	c.Open(s.path, files[s.path]) // as editors do: whole first, then typed into
	c.Change(s.path, before+after)
	params := map[string]any{"textDocument": map[string]any{"uri": c.URI(s.path)},
		"position": map[string]any{"line": strings.Count(before, "\n"), "character": len(utf16.Encode([]rune(last)))}}
	for k, v := range more {
		params[k] = v
	}
	a := c.Answer(c.Ask(method, params))
	if a.Error == nil && result != nil {
		if err := json.Unmarshal(a.Result, result); err != nil {
			t.Fatalf("%s: %v: %s", method, err, a.Result)
		}
	}
	c.Close(s.path)
	return a
}

const (
	bolt    = "clients/bolt.instance.yaml"
	mapped  = "templates/client/2/order-to-shipment.mapping.yaml"
	hooked  = "templates/client/2/orders-webhook.pipeline.yaml"
	theirs  = "templates/client/2/client.template.yaml"
	nobodys = "templates/client/3/order-to-shipment.mapping.yaml"
)

// TestEditorInTemplates asks `crossdock lsp` over its pipes in the files of a
// template and of its clients.
func TestEditorInTemplates(t *testing.T) {
	dsltest.Unraced(t, "asks one question after the other")
	files := clientsExample(t)
	c, end := editorSession(t, files)
	c.Initialize(nil, nil)
	for _, tt := range []struct {
		name string
		spot
		want, not []string
	}{
		{"the template", spot{bolt, "of: client@2", "of: ‸"}, []string{"client@2", "client@3"}, nil},
		{"parameters that are not said yet", spot{bolt, "  returns: true\n", "  ‸\n"}, []string{"returns", "cutoff", "lead_days"}, []string{"code", "feed"}},
		{"a parameter, half written", spot{bolt, "  returns: true\n", "  ret‸\n"}, []string{"returns", "cutoff"}, []string{"code"}},
		{"options of a parameter", spot{bolt, "feed: files", "feed: ‸"}, []string{"webhook", "poll", "files"}, nil},
		{"yes or no", spot{bolt, "returns: true", "returns: ‸"}, []string{"true", "false"}, nil},
		{"what is open", spot{bolt, "  lookup/service-levels:\n    rows: {2DAY: EXPRESS}\n", "  ‸\n"}, []string{"lookup/service-levels", "pipeline/orders", "connection/tms"}, []string{"mapping/order-to-shipment", "connection/erp"}},
		{"a path that is open", spot{bolt, "  lookup/service-levels:\n    rows: {2DAY: EXPRESS}\n", "  pipeline/orders:\n    ‸\n"}, []string{"policy", "route.rules", "until"}, []string{"key", "steps"}},
		{"where a new rule goes", spot{bolt, "  lookup/service-levels:\n    rows: {2DAY: EXPRESS}\n", "  pipeline/orders:\n    route.rules:\n      cold: {‸}\n"}, []string{"before", "after", "when", "to"}, nil},
		{"operations in an override", spot{bolt, "  lookup/service-levels:\n    rows: {2DAY: EXPRESS}\n", "  pipeline/orders:\n    route.rules:\n      cold: {before: standard, when: data.level == \"COLD\", to: [{send: ‸}]}\n"}, []string{"tms.create", "tms.hazmat"}, []string{"bolt/tms.create", "acme/tms.create"}},
		{"what can be dropped", spot{bolt, "drop: [notes]", "drop: [‸]"}, []string{"notes", "cutoff"}, nil},
		{"targets of an override", spot{bolt, "      reference: .PO_NUMBER\n", "      ‸\n"}, []string{"reference", "max_temp"}, []string{"consignee.phone"}},
		{"fields that the client added, an emoji before", spot{bolt, "      reference: .PO_NUMBER", "      reference: {note: \"größer 😀\", from: .‸}"}, []string{"PO_NUMBER", "SHIP_PHONE", "id"}, nil},
		{"types", spot{bolt, "SHIP_PHONE: {type: string}", "SHIP_PHONE: {type: ‸}"}, []string{"string", "decimal(2)"}, nil},
		{"fields of the payload in a template", spot{mapped, "reference: .id", "reference: .‸"}, []string{"id", "warehouse"}, nil},
		{"parameters in jq", spot{mapped, "cutoff: $params.cutoff", "cutoff: $params.‸"}, []string{"cutoff", "lead_days"}, []string{"id"}},
		{"tables in a template", spot{mapped, "lookup: service-levels", "lookup: ‸"}, []string{"service-levels"}, []string{"acme/service-levels"}},
		{"parameters in expr", spot{hooked, "data.warehouse in params.warehouses", "data.warehouse in params.‸"}, []string{"warehouses"}, []string{"warehouse"}},
		{"parameters in a text", spot{hooked, "/hooks/${param.code}/orders", "/hooks/${param.‸}/orders"}, []string{"code", "folder"}, nil},
		{"operations in a template", spot{hooked, "{send: tms.hazmat}", "{send: ‸}"}, []string{"tms.create"}, []string{"acme/tms.create"}},
		{"mappings in a template", spot{hooked, "{map: order-to-shipment}", "{map: ‸}"}, []string{"order-to-shipment"}, []string{"acme/order-to-shipment"}},
		{"parameters where a file is chosen", spot{theirs, `{when: params.feed == "poll"}`, `{when: params.‸ == "poll"}`}, []string{"feed", "returns"}, nil},
		{"files that are not named yet", spot{theirs, "  returns.pipeline.yaml:          {when: params.returns and len(params.warehouses) > 0}\n", "  ret‸\n"}, []string{"returns.pipeline.yaml", "returns.test.yaml"}, []string{"tms.connection.yaml"}},
		{"what can be opened", spot{theirs, "  - pipeline/orders.policy", "  - pipe‸"}, []string{"pipeline/orders", "pipeline/orders.steps", "lookup/service-levels.rows"}, nil},
		{"in a version that nobody has", spot{nobodys, "warehouse: .warehouse", "warehouse: .‸"}, []string{"id", "level"}, nil},
	} {
		t.Run("complete "+tt.name, func(t *testing.T) {
			var list struct{ Items []struct{ Label string } }
			tt.ask(t, c, files, "textDocument/completion", nil, &list)
			var got []string
			for _, i := range list.Items {
				got = append(got, i.Label)
			}
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
	for _, tt := range []struct {
		spot
		want string
	}{
		{spot{bolt, "feed: files", "fe‸ed: files"}, "choice: webhook, poll, files"},
		{spot{bolt, "of: client@2", "of: cli‸ent@2"}, "7 parameters"},
		{spot{bolt, "mapping/order-to-shipment", "mapping/order-to‸-shipment"}, "templates/client/2/order-to-shipment.mapping.yaml"},
		{spot{bolt, "      reference: .PO_NUMBER", "      refe‸rence: .PO_NUMBER"}, "on clients/bolt/order.json: `\"PO-77\"`"},
		{spot{bolt, "reference: .PO_NUMBER", "reference: .PO_N‸UMBER"}, "string, required"},
		{spot{mapped, "  reference: .id", "  ref‸erence: .id"}, "on clients/acme/order.json: `\"a-1001\"`"},
		{spot{mapped, "client: $run.client", "cli‸ent: $run.client"}, "`\"acme\"`"},
		{spot{mapped, "lookup: service-levels", "lookup: serv‸ice-levels"}, "| STD |"},
		{spot{mapped, "cutoff: $params.cutoff", "cutoff: $params.cut‸off"}, "Unless it is said: `\"16:00\"`"},
		{spot{hooked, "{send: tms.hazmat}", "{send: tms.haz‸mat}"}, "post: /hazmat"},
		{spot{nobodys, "  reference:", "  refe‸rence:"}, "on clients/acme/order.json: "},
	} {
		var h struct{ Contents struct{ Value string } }
		tt.ask(t, c, files, "textDocument/hover", nil, &h)
		if !strings.Contains(h.Contents.Value, tt.want) {
			t.Errorf("hover %s: %q is not said:\n%s", tt.typed, tt.want, h.Contents.Value)
		}
		if strings.Contains(h.Contents.Value, "client@2 o") {
			t.Errorf("hover %s: a name of ours is shown:\n%s", tt.typed, h.Contents.Value)
		}
	}
	for _, tt := range []struct {
		spot
		want string
		line int // from 0
		uses int // without the definition
	}{
		{spot{bolt, "feed: files", "fe‸ed: files"}, theirs, 4, 5},
		{spot{bolt, "mapping/order-to-shipment", "mapping/order-to‸-shipment"}, mapped, 0, 10},
		{spot{bolt, "reference: .PO_NUMBER", "reference: .PO_N‸UMBER"}, bolt, 11, 1},
		{spot{mapped, "lookup: service-levels", "lookup: serv‸ice-levels"}, "templates/client/2/service-levels.lookup.yaml", 0, 4},
		{spot{hooked, "{send: tms.hazmat}", "{send: tms.haz‸mat}"}, "templates/client/2/tms.connection.yaml", -1, 3},
		{spot{hooked, "/hooks/${param.code}/orders", "/hooks/${param.co‸de}/orders"}, theirs, 3, -1},
		{spot{mapped, "output: canonical/shipment@1", "output: canonical/ship‸ment@1"}, "schemas/shipment.schema.yaml", 0, -1},
	} {
		var found, uses []lsp.Location
		tt.ask(t, c, files, "textDocument/definition", nil, &found)
		if len(found) != 1 || found[0].URI != c.URI(tt.want) || tt.line >= 0 && found[0].Range.Start.Line != tt.line {
			t.Errorf("%s: defined at %+v, want %s line %d", tt.typed, found, tt.want, tt.line)
		}
		tt.ask(t, c, files, "textDocument/references", map[string]any{"context": map[string]any{"includeDeclaration": false}}, &uses)
		if tt.uses >= 0 && len(uses) != tt.uses {
			t.Errorf("%s: used %d times, want %d: %+v", tt.typed, len(uses), tt.uses, uses)
		}
	}
	c.Exit()
	if err := end(); err != nil {
		t.Errorf("after shutdown and exit: %v", err)
	}
}

// TestEditorRenamesInTemplates gives things of a template and of its clients
// another name, makes the changes and lints the result.
func TestEditorRenamesInTemplates(t *testing.T) {
	dsltest.Unraced(t, "asks one question after the other")
	files := clientsExample(t)
	c, _ := editorSession(t, files)
	c.Initialize(map[string]any{"workspace": map[string]any{"workspaceEdit": map[string]any{"documentChanges": true, "resourceOperations": []string{"rename"}}}}, nil)
	for _, tt := range []struct {
		name string
		spot
		to      string
		want    map[string]string
		refused string
	}{
		{"a mapping, where it is overridden", spot{bolt, "mapping/order-to-shipment", "mapping/order-to‸-shipment"}, "ship",
			map[string]string{"templates/client/2/ship.mapping.yaml": "mapping: ship\n", theirs: "  ship.mapping.yaml:", hooked: "{map: ship}", bolt: "mapping/ship:", nobodys: "mapping: order-to-shipment\n"}, ""},
		{"a lookup, behind an umlaut and an emoji", spot{mapped, "{from: .level, lookup: service-levels}", "{note: \"größer 😀\", from: .level, lookup: serv‸ice-levels}"}, "levels",
			map[string]string{"templates/client/2/levels.lookup.yaml": "lookup: levels\n", bolt: "lookup/levels:", "clients/coldco.instance.yaml": "lookup/levels:", mapped: "😀\", from: .level, lookup: levels}"}, ""},
		{"a schema", spot{mapped, "input: client-order@1", "input: client-‸order@1"}, "order@1",
			map[string]string{bolt: "schema/order:", hooked: "accept: order@1", theirs: "  - schema/order\n"}, ""},
		{"a field of a client", spot{bolt, "PO_NUMBER: {type", "PO_NUM‸BER: {type"}, "PO", map[string]string{bolt: "reference: .PO\n"}, ""},
		{"a field of all versions", spot{"schemas/shipment.schema.yaml", "  reference:", "  refe‸rence:"}, "ref", map[string]string{mapped: "  ref: .id", nobodys: "  ref:", bolt: "      ref: .PO_NUMBER"}, ""},
		{"an operation", spot{hooked, "{send: tms.hazmat}", "{send: tms.haz‸mat}"}, "danger", map[string]string{"templates/client/2/tms.connection.yaml": "danger: {post"}, ""},
		{"a connection", spot{hooked, "{send: tms.hazmat}", "{send: t‸ms.hazmat}"}, "planner", map[string]string{"templates/client/2/planner.connection.yaml": "connection: planner", "clients/coldco.instance.yaml": "send: planner.reefer"}, ""},
		{"a parameter", spot{theirs, "  cutoff: ", "  cut‸off: "}, "closes", map[string]string{mapped: "$params.closes", "clients/coldco.instance.yaml": "closes: \"14:30\""}, ""},
		{"a parameter in the name of a file", spot{theirs, "  feed: ", "  fe‸ed: "}, "way", map[string]string{theirs: "orders-{way}.pipeline.yaml", bolt: "  way: files"}, ""},
		{"a helper value", spot{mapped, "  hazard: ", "  haz‸ard: "}, "danger", map[string]string{mapped: "if $danger then"}, ""},
		{"a pipeline", spot{hooked, "pipeline: orders\n", "pipeline: ord‸ers\n"}, "intake", map[string]string{"templates/client/2/orders-poll.pipeline.yaml": "pipeline: intake\n", "clients/coldco.instance.yaml": "pipeline/intake:"}, ""},
		{"the code", spot{theirs, "  code: ", "  co‸de: "}, "kuerzel", nil, "the code of the client"},
		{"taken", spot{theirs, "  cutoff: ", "  cut‸off: "}, "folder", nil, "already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var edit workspaceEdit
			a := tt.ask(t, c, files, "textDocument/rename", map[string]any{"newName": tt.to}, &edit)
			if tt.refused != "" {
				if a.Error == nil || !strings.Contains(a.Error.Message, tt.refused) {
					t.Errorf("refused with %+v, want %q", a.Error, tt.refused)
				}
				return
			}
			if a.Error != nil {
				t.Fatal(a.Error.Message)
			}
			now := map[string]string{}
			for k, v := range files {
				now[k] = v
			}
			now[tt.path] = strings.Replace(strings.Replace(files[tt.path], tt.old, tt.typed, 1), "‸", "", 1)
			edit.apply(t, c, now)
			for file, text := range tt.want {
				if !strings.Contains(now[file], text) {
					t.Errorf("%s does not hold %q:\n%s", file, text, now[file])
				}
			}
			dir := t.TempDir()
			writeFiles(t, dir, now)
			var out strings.Builder
			code := (&app{Stdout: &out, Stderr: os.Stderr, Getenv: func(string) string { return "" }}).main(t.Context(), []string{"lint", dir})
			text := out.String()
			if tt.name == "a field of a client" { // its sample is a document of the client, and keeps the old name
				text = strings.Replace(text, "warning XD2107: the sample does not fit", "", 1)
				code = 0
			}
			if code != 0 || strings.Contains(text, "error XD") || strings.Contains(text, "warning XD") {
				t.Errorf("what was forgotten:\n%s", out.String())
			}
		})
	}
	c.Exit()
}

// workspaceEdit is what a rename answers.
type workspaceEdit struct {
	DocumentChanges []struct {
		TextDocument struct{ URI string }
		Edits        []struct {
			Range   lsp.Range
			NewText string
		}
		Kind, OldURI, NewURI string
	}
}

// apply makes the changes as an editor does, places in UTF-16 units.
func (w workspaceEdit) apply(t *testing.T, c *lsptest.Client, files map[string]string) {
	t.Helper()
	for _, ch := range w.DocumentChanges {
		if ch.Kind == "rename" {
			from, to := strings.TrimPrefix(ch.OldURI, c.URI("")+"/"), strings.TrimPrefix(ch.NewURI, c.URI("")+"/")
			files[to] = files[from]
			delete(files, from)
			continue
		}
		file := strings.TrimPrefix(ch.TextDocument.URI, c.URI("")+"/")
		lines := strings.Split(files[file], "\n")
		slices.SortFunc(ch.Edits, func(a, b struct {
			Range   lsp.Range
			NewText string
		}) int {
			return (b.Range.Start.Line-a.Range.Start.Line)*10000 + b.Range.Start.Character - a.Range.Start.Character
		})
		for _, e := range ch.Edits {
			units := utf16.Encode([]rune(lines[e.Range.Start.Line]))
			lines[e.Range.Start.Line] = string(utf16.Decode(units[:e.Range.Start.Character])) + e.NewText + string(utf16.Decode(units[e.Range.End.Character:]))
		}
		files[file] = strings.Join(lines, "\n")
	}
}
