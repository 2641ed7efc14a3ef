package lint

import (
	"time"

	"crossdock/dsl/diag"
)

// codeOverride is the code of overrides.
const codeOverride diag.Code = "XD1101"

// overrides reports those of clients that were meant to be gone by now (XD1101).
func overrides(p *pass) {
	for _, code := range sortedKeys(p.ws.Clients) {
		c := p.ws.Clients[code]
		for _, o := range c.Overrides {
			if o.Until.IsZero() || !p.Now.After(o.Until.AddDate(0, 0, 1)) {
				continue
			}
			d := diag.Diagnostic{Code: codeOverride, Severity: diag.Warning, Span: o.UntilAt, Kind: "instance", Name: c.Definition.Name,
				Message: "this override of " + o.Def + " was meant until " + o.Until.Format(time.DateOnly),
				Hint:    "remove the override, or move the date"}
			if o.Note != "" {
				d.Hint += "; it says: " + o.Note
			}
			p.about(d)
		}
	}
}
