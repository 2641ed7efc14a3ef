package editor

import (
	"crossdock/dsl/ast"
	"crossdock/dsl/value"
)

// patterns are what `parse` and `format` are often: of the type that the row
// has, or of any where it has none yet.
func patterns(d *draft) []Item {
	t := value.Type{}
	if said := d.trail[len(d.trail)-1].Get("type"); said != nil {
		t, _ = value.ParseType(said.Text) // a wrong one is like none
		t = t.Innermost()
	}
	var out []Item
	offer := func(base value.Base, list ...string) {
		if t.Base != base && t.Base != value.Any {
			return
		}
		for _, p := range list {
			out = append(out, Item{Label: p, Kind: "value", Detail: base.String()})
		}
	}
	offer(value.Date, "dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "yyyyMMdd")
	offer(value.DateTime, "dd.MM.yyyy HH:mm", "dd/MM/yyyy HH:mm", "MM/dd/yyyy HH:mm", "yyyyMMddHHmmss", "yyyy-MM-dd HH:mm:ss", "epoch", "epoch_ms", "odata")
	offer(value.Time, "HH:mm", "HH:mm:ss", "HHmm", "HHmmss")
	if t.Numeric() || t.Base == value.Any {
		for _, p := range value.Notations(t) {
			i := Item{Label: p, Kind: "value", Detail: "number"}
			if d.node.Style == ast.Plain {
				i.Insert = `"` + p + `"` // a comma ends a text inside { }
			}
			out = append(out, i)
		}
	}
	return out
}
