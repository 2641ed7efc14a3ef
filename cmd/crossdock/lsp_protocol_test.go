package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"crossdock/dsl/dsltest"
	"crossdock/editor/lsp"
)

// TestEditorProtocol holds `crossdock lsp` over its pipes to what the protocol
// says of requests that are cancelled or unknown, of versions, and of the end.
func TestEditorProtocol(t *testing.T) {
	base := dsltest.Base(t, "../../dsl/testdata")
	path := "order-to-shipment.mapping.yaml"
	c, end := editorSession(t, base)
	if a := c.Answer(c.Ask("shutdown", nil)); a.Error == nil || a.Error.Code != -32002 {
		t.Errorf("shutdown before initialize: %+v", a)
	}
	c.Initialize(nil, nil)
	c.Open(path, base[path])
	for _, method := range []string{"textDocument/nosuch", "$/nosuch", "workspace/executeCommand"} {
		if a := c.Answer(c.Ask(method, map[string]any{})); a.Error == nil || a.Error.Code != -32601 {
			t.Errorf("%s: %+v", method, a)
		}
	}
	c.Notify("$/nosuch", map[string]any{})

	// Each of many requests has one answer, and those that were cancelled in time
	// say so.
	at := map[string]any{"textDocument": map[string]any{"uri": c.URI(path)}, "position": map[string]any{"line": 7, "character": 4}}
	var ids []int
	for range 50 {
		ids = append(ids, c.Ask("textDocument/hover", at))
	}
	for _, id := range ids {
		c.Notify("$/cancelRequest", map[string]any{"id": id})
	}
	for _, id := range ids {
		if a := c.Answer(id); a.Error != nil && a.Error.Code != -32800 {
			t.Errorf("request %d: %+v", id, a.Error)
		}
	}

	// A version that goes backwards is that of the text all the same: messages come
	// in order.
	for _, version := range []int{40, 7} {
		text := strings.Replace(base[path], ".shipTo.zip", fmt.Sprintf(".shipTo.zip%d", version), 1)
		c.Notify("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": c.URI(path), "version": version},
			"contentChanges": []any{map[string]any{"text": text}}})
		c.Answer(c.Ask("textDocument/hover", at))
		var outline []struct{ Name string }
		c.Call("textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": c.URI(path)}}, &outline)
		var actions []struct{ Diagnostics []lsp.Diagnostic }
		c.Call("textDocument/codeAction", map[string]any{"textDocument": map[string]any{"uri": c.URI(path)}, "context": map[string]any{},
			"range": map[string]any{"start": map[string]any{"line": 0, "character": 0}, "end": map[string]any{"line": 99, "character": 0}}}, &actions)
		raw, _ := json.Marshal(actions)
		if !strings.Contains(string(raw), fmt.Sprintf("zip%d", version)) {
			t.Errorf("version %d: the text is another one: %s", version, raw)
		}
	}

	c.Call("shutdown", nil, nil)
	if a := c.Answer(c.Ask("textDocument/hover", at)); a.Error == nil || a.Error.Code != -32600 {
		t.Errorf("a request behind shutdown: %+v", a)
	}
	c.Notify("exit", nil)
	if err := end(); err != nil {
		t.Errorf("exit behind shutdown: %v", err)
	}
}
