package lsp

import (
	"encoding/json"
	"testing"
)

// TestCancel cancels requests before their turn: only the one that is meant, and
// only while it waits.
func TestCancel(t *testing.T) {
	q := newQueue()
	ask := func(id, method string) { q.add(incoming{message: message{ID: json.RawMessage(id), Method: method}}) }
	cancel := func(id string) {
		q.add(incoming{message: message{Method: "$/cancelRequest", Params: json.RawMessage(`{"id":` + id + `}`)}})
	}
	busy := func() bool { return true }
	ask("1", "textDocument/hover")
	ask(`"two"`, "textDocument/hover")
	ask("3", "textDocument/hover")
	cancel(`"two"`)
	cancel("9")
	cancel("[]")
	var got []bool
	for {
		m, ok := q.take(busy)
		if !ok {
			break
		}
		if m.Method != "$/cancelRequest" {
			got = append(got, m.cancelled)
		}
	}
	if len(got) != 3 || got[0] || !got[1] || got[2] {
		t.Errorf("cancelled: %v", got)
	}
	cancel("1") // its turn has come long ago
	ask("1", "textDocument/hover")
	q.take(busy)
	if m, ok := q.take(busy); !ok || m.cancelled {
		t.Errorf("a later request with the same id is cancelled: %+v", m)
	}
}
