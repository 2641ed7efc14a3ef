package file_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"crossdock/connectors"
)

// TestTogether: lines that are delivered together stand in their order, each in
// its file, and one that cannot be written keeps no other back.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, `
  event: {append: "{client}.ndjson"}
  row:   {append: rows.csv, body: csv, columns: [n]}
  text:  {append: notes.txt, body: text}
  whole: {write: "{client}.json"}
`).(connectors.Gatherer)
	for op, want := range map[string]bool{"event": true, "row": true, "text": true, "whole": false, "none": false} {
		if s.Gathers(op) != want {
			t.Errorf("Gathers(%s) is %t", op, !want)
		}
		if got, want := s.(connectors.Forwarder).Forwards(op), op == "event" || op == "whole"; got != want {
			t.Errorf("Forwards(%s) is %t", op, got)
		}
	}
	var rs []connectors.Request
	for i := range 6 {
		rs = append(rs, connectors.Request{Operation: "event", With: map[string]any{"client": fmt.Sprintf("c%d", i%2)},
			Body: map[string]any{"n": json.Number(fmt.Sprint(i)), "t": "two\nlines"}})
	}
	rs = append(rs,
		connectors.Request{Operation: "event", With: map[string]any{"client": "../x"}, Body: "away"},
		connectors.Request{Operation: "event", With: map[string]any{"client": "c0"}, Encoded: []byte("{\n \"n\": 6\n}")},
		connectors.Request{Operation: "row", Body: map[string]any{"n": "7"}},
		connectors.Request{Operation: "row", Body: "no object"},
		connectors.Request{Operation: "row", Body: map[string]any{"n": "8"}},
		connectors.Request{Operation: "text", Body: "two\nlines"},
		connectors.Request{Operation: "whole", With: map[string]any{"client": "c0"}, Body: "w"},
		connectors.Request{Operation: "none"},
	)
	for i, a := range s.DeliverAll(t.Context(), rs) {
		wrong := i == 6 || i == 9 || i == 11 || i == 13
		if class, _ := connectors.ClassOf(a.Err); (a.Err != nil) != wrong || wrong && class != connectors.ClassPermanent || !wrong && a.Response.Status != 200 {
			t.Errorf("request %d: %+v", i, a)
		}
	}
	for name, want := range map[string]string{
		"c0.ndjson": `{"n":0,"t":"two\nlines"}` + "\n" + `{"n":2,"t":"two\nlines"}` + "\n" + `{"n":4,"t":"two\nlines"}` + "\n" + `{"n":6}` + "\n",
		"c1.ndjson": `{"n":1,"t":"two\nlines"}` + "\n" + `{"n":3,"t":"two\nlines"}` + "\n" + `{"n":5,"t":"two\nlines"}` + "\n",
		"rows.csv":  "n\n7\n8\n",
		"c0.json":   `"w"`,
	} {
		if got := read(t, dir, "data", name); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	s.Close()
	for _, a := range s.DeliverAll(t.Context(), rs[:2]) {
		if class, _ := connectors.ClassOf(a.Err); class != connectors.ClassNotSent || !strings.Contains(a.Err.Error(), "closed") {
			t.Errorf("after Close: %v", a.Err)
		}
	}
}
