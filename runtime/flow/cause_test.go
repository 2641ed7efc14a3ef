package flow

import (
	"fmt"
	"strings"
	"testing"

	"crossdock/dsl/mapping"
)

// TestMapCauseNamesAllRows: whoever mends a message sees every row that failed.
func TestMapCauseNamesAllRows(t *testing.T) {
	rows := []mapping.RowError{{Field: "service", Code: "lookup", Message: "no such code", Hint: "add it"}, {Field: "to.name", Code: "required", Message: "there is no value"}}
	c := mapCause(fmt.Errorf("step: %w", &mapping.Error{Mapping: "m", Rows: rows}))
	if c.Field != "service" || c.Hint != "add it; also row to.name: there is no value" {
		t.Errorf("%+v", c)
	}
	for range 20 {
		rows = append(rows, mapping.RowError{Field: "x", Message: "y"})
	}
	if c = mapCause(&mapping.Error{Mapping: "m", Rows: rows}); !strings.HasSuffix(c.Hint, "; and 11 more") {
		t.Errorf("%s", c.Hint)
	}
}
