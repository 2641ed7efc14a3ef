package testrun

import (
	"strings"
	"testing"

	"crossdock/dsl/ast"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/runtime/flow"
)

// TestErrorOfAnItem finds the error of an item under the name of its field, as
// schemas and mappings write it, and says which error came instead.
func TestErrorOfAnItem(t *testing.T) {
	r := &Rehearsal{Dead: []*flow.Cause{{Step: "send:tms.create", Field: "lines[1].sku", Code: "required"}}, Outcomes: []string{"dead"}}
	text := func(s string) spec.Text { return spec.Text{Value: s, Node: ast.Verbatim("", s)} }
	for field, fits := range map[string]bool{"lines[].sku": true, "lines[1].sku": true, "lines[0].sku": false, "lines.sku": false, "sku": false} {
		got := r.expectError(&spec.ExpectError{Field: text(field)})
		if (len(got) == 0) != fits {
			t.Errorf("%s: %v", field, got)
		}
		if !fits && !strings.Contains(got[0], "but a dead letter at send:tms.create, field=lines[1].sku code=required") {
			t.Errorf("what came is not said: %s", got[0])
		}
	}
	if fieldFits("a.b", "a[0].b") || !fieldFits("a[].b[]", "a[0].b[12]") {
		t.Error("only [] stands for any item")
	}
}

func TestRowErrorOfAnyItem(t *testing.T) {
	err := &mapping.Error{Mapping: "m", Rows: []mapping.RowError{{Field: "lines[1].sku", Row: "lines.sku", Code: "required"}}}
	for field, fits := range map[string]bool{"lines[].sku": true, "lines[1].sku": true, "lines.sku": true, "lines[0].sku": false} {
		want := &spec.ExpectError{Field: spec.Text{Value: field, Node: &ast.Node{}}}
		if failures := expectRowError(want, nil, err); (failures == nil) != fits {
			t.Errorf("%s: %v", field, failures)
		}
	}
}
