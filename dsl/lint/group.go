package lint

import (
	"fmt"
	"strings"

	"crossdock/dsl/diag"
)

// Group makes one finding of the required fields that no row of a mapping gives,
// for people who read them below each other: a fresh mapping lacks many. For
// machines each stays one of its own.
func Group(list diag.List) diag.List {
	type place struct {
		span       diag.Span
		kind, name string
	}
	at := map[place][]int{}
	for i, d := range list {
		if d.Code == codeLost && strings.HasSuffix(d.Message, noRow) {
			p := place{d.Span, d.Kind, d.Name}
			at[p] = append(at[p], i)
		}
	}
	out := make(diag.List, 0, len(list))
	for _, d := range list {
		p := place{d.Span, d.Kind, d.Name}
		all := at[p]
		if len(all) < 2 || d.Code != codeLost || !strings.HasSuffix(d.Message, noRow) {
			out = append(out, d)
			continue
		}
		if d.Row != list[all[0]].Row {
			continue // told with the first
		}
		var rows []string
		for _, i := range all {
			rows = append(rows, list[i].Row)
		}
		of, _, _ := strings.Cut(d.Message, " requires ")
		d.Message = fmt.Sprintf("%s requires %d fields that no row gives", of, len(rows))
		d.Hint, d.Row, d.Related = "add rows for "+strings.Join(rows, ", "), "", nil
		out = append(out, d)
	}
	return out
}
