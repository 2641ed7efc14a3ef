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

// TestGroupsByStatus: who replays a group after an outage does not send again
// what was refused for good.
func TestGroupsByStatus(t *testing.T) {
	group := func(status int) string {
		return (&Cause{Code: "status", Step: "send:t.put", Target: "t.put", Status: status}).Group("p")
	}
	for _, c := range []struct {
		a, b int
		same bool
	}{{422, 422, true}, {422, 400, false}, {422, 503, false}, {502, 503, true}} {
		if got := group(c.a) == group(c.b); got != c.same {
			t.Errorf("%d and %d in one group: %v", c.a, c.b, got)
		}
	}
}
