package lsp_test

import (
	"strings"
	"testing"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/dsltest"
	"crossdock/editor/lsp"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
)

// clean lints a workspace in which a name was changed: only samples, which are
// the documents of others, may still have the old one.
func clean(t *testing.T, files map[string]string, what string) {
	t.Helper()
	_, list, err := dsl.Load(dsltest.FS(files), dsl.Options{Catalog: catalog.New(), Std: pipelines.Library()})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		sample := d.Code == "XD2107" && strings.HasPrefix(what, "field") // samples are documents of others
		row := d.Code == "XD2102" && strings.HasPrefix(what, "lookup")   // the case adds a row that the schema has not
		if !sample && !row {
			t.Errorf("%s %s %s (%s)", d.Span, d.Code, d.Message, d.Hint)
		}
	}
}

// TestLifeCycle holds the server to the order of a session, and to its exit.
func TestLifeCycle(t *testing.T) {
	c, end := connect(t, t.TempDir())
	if a := c.Answer(c.Ask("textDocument/hover", map[string]any{})); a.Error == nil || a.Error.Code != -32002 {
		t.Errorf("before initialize: %+v", a)
	}
	c.Initialize(nil, nil)
	if a := c.Answer(c.Ask("initialize", map[string]any{})); a.Error == nil || a.Error.Code != -32600 {
		t.Errorf("initialize twice: %+v", a)
	}
	if a := c.Answer(c.Ask("no/such", map[string]any{})); a.Error == nil || a.Error.Code != -32601 {
		t.Errorf("an unknown method: %+v", a)
	}
	if a := c.Answer(c.Ask("textDocument/hover", []int{1})); a.Error == nil || a.Error.Code != -32602 {
		t.Errorf("parameters of another form: %+v", a)
	}
	c.Raw("Content-Length: 9\r\n\r\nnot json!")
	c.Raw("content-length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n[]")
	c.Notify("$/unknown", nil)
	c.Notify("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": "file:///nowhere/x.mapping.yaml", "version": 2}})
	c.Exit()
	if err := end(); err != nil {
		t.Errorf("shutdown and exit: %v", err)
	}

	c, end = connect(t, t.TempDir())
	c.Initialize(nil, nil)
	c.Notify("exit", nil)
	if err := end(); err == nil {
		t.Error("exit without shutdown is no fault")
	}

	c, end = connect(t, t.TempDir())
	c.Raw("Content-Length: many\r\n\r\n{}")
	if err := end(); err == nil {
		t.Error("a header that nobody can read is no fault")
	}
}

// TestPositions changes a text with emoji, CRLF and a block by ranges, in each
// encoding, and compares where a mistake is found.
func TestPositions(t *testing.T) {
	text := "mapping: m\r\nfields:\r\n  a: {note: \"😀é\", from: .x}\r\n  b: |\r\n    # 😀\r\n    .y\r\n"
	for _, tt := range []struct {
		encoding string
		from     int // of `.x` in its line
	}{{"utf-8", 28}, {"utf-16", 25}, {"utf-32", 24}} {
		t.Run(tt.encoding, func(t *testing.T) {
			c, end := connect(t, t.TempDir())
			var got struct {
				Capabilities struct{ PositionEncoding string }
			}
			c.Initialize(map[string]any{"general": map[string]any{"positionEncodings": []string{tt.encoding}}}, &got)
			if got.Capabilities.PositionEncoding != tt.encoding {
				t.Errorf("the encoding is %s", got.Capabilities.PositionEncoding)
			}
			c.Open("m.mapping.yaml", text)
			pos := func(line, character int) map[string]any { return map[string]any{"line": line, "character": character} }
			// .x becomes nope(.x), and .y a function that does not exist either.
			c.Edit("m.mapping.yaml",
				map[string]any{"range": map[string]any{"start": pos(2, tt.from), "end": pos(2, tt.from+2)}, "text": "nope(.x)"},
				map[string]any{"range": map[string]any{"start": pos(5, 4), "end": pos(5, 6)}, "text": "😀"},
				map[string]any{"range": map[string]any{"start": pos(5, 4), "end": pos(5, 4+map[string]int{"utf-8": 4, "utf-16": 2, "utf-32": 1}[tt.encoding])}, "text": "gone"})
			var list []lsp.Diagnostic
			c.Diagnostics("m.mapping.yaml", &list)
			if len(list) != 2 {
				t.Fatalf("found %+v", list)
			}
			if r := list[0].Range; r.Start != (lsp.Position{Line: 2, Character: tt.from}) || r.End.Character != tt.from+4 {
				t.Errorf("the first stands at %+v, want %d", r, tt.from)
			}
			if r := list[1].Range; r.Start != (lsp.Position{Line: 5, Character: 4}) || r.End.Character != 8 {
				t.Errorf("the second stands at %+v", r)
			}
			c.Exit()
			if err := end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestActions takes quick fixes, formats, and looks at outlines and searches.
func TestActions(t *testing.T) {
	c := session(t, nil, nil)
	path := "order-to-shipment.mapping.yaml"
	text := put(t, path, "consignee.zip: .shipTo.zip", "consignee.zip:   .shipTo.zpi")
	c.Open(path, text)
	line := strings.Count(text[:strings.Index(text, ".zpi")], "\n")
	at := map[string]any{"line": line, "character": 28}
	var actions []struct {
		Title string
		Kind  string
		Edit  struct {
			Changes map[string][]struct{ NewText string }
		}
	}
	doc := map[string]any{"uri": c.URI(path)}
	c.Call("textDocument/codeAction", map[string]any{"textDocument": doc, "range": map[string]any{"start": at, "end": at}, "context": map[string]any{}}, &actions)
	if len(actions) != 1 || actions[0].Edit.Changes[c.URI(path)][0].NewText != "zip" {
		t.Errorf("offered: %+v", actions)
	}
	c.Call("textDocument/codeAction", map[string]any{"textDocument": doc, "range": map[string]any{"start": at, "end": at}, "context": map[string]any{"only": []string{"source.fixAll"}}}, &actions)
	if len(actions) != 1 || !strings.Contains(actions[0].Edit.Changes[c.URI(path)][0].NewText, ".shipTo.zip") {
		t.Errorf("all at once: %+v", actions)
	}
	var edits []struct{ NewText string }
	c.Call("textDocument/formatting", map[string]any{"textDocument": doc, "options": map[string]any{}}, &edits)
	if len(edits) != 1 || !strings.Contains(edits[0].NewText, "mapping: order-to-shipment") {
		t.Errorf("formatted: %+v", edits)
	}
	var outline []struct {
		Name     string
		Children []struct{ Name string }
	}
	c.Call("textDocument/documentSymbol", map[string]any{"textDocument": doc}, &outline)
	if len(outline) != 1 || outline[0].Name != "order-to-shipment" || len(outline[0].Children) != 5 {
		t.Errorf("the outline is %+v", outline)
	}
	var symbols []struct{ Name, ContainerName string }
	c.Call("workspace/symbol", map[string]any{"query": "order1zip"}, &symbols)
	if len(symbols) != 1 || symbols[0].Name != "shipTo.zip" || symbols[0].ContainerName != "shop/order@1" {
		t.Errorf("found %+v", symbols)
	}
}

// TestUnsaved makes a mistake in one open file that shows in another, and takes
// it back by closing the file.
func TestUnsaved(t *testing.T) {
	c := session(t, nil, nil)
	c.Open("orders.pipeline.yaml", dsltest.Base(t, "../../dsl/testdata")["orders.pipeline.yaml"])
	var list []lsp.Diagnostic
	c.Diagnostics("orders.pipeline.yaml", &list)
	if len(list) != 0 {
		t.Fatalf("found %+v", list)
	}
	c.Open("tms.connection.yaml", put(t, "tms.connection.yaml", "  find: {get", "  seek: {get"))
	var other []lsp.Diagnostic
	c.Diagnostics("tms.connection.yaml", &other)
	shown := func() bool {
		return strings.Contains(string(c.Published("orders.pipeline.yaml").Diagnostics), "no operation `find`")
	}
	for end := time.Now().Add(10 * time.Second); !shown() && time.Now().Before(end); {
		<-time.After(5 * time.Millisecond) // it is told after the file that was opened, unasked
	}
	if !shown() {
		t.Errorf("what another unsaved file breaks is not shown: %s", c.Published("orders.pipeline.yaml").Diagnostics)
	}
	c.Close("tms.connection.yaml")
	c.Edit("orders.pipeline.yaml", map[string]any{"text": dsltest.Base(t, "../../dsl/testdata")["orders.pipeline.yaml"]})
	c.Diagnostics("orders.pipeline.yaml", &list)
	if len(list) != 0 {
		t.Errorf("a closed file still counts: %+v", list)
	}
}
