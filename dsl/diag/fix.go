package diag

import "slices"

// ApplyFixes changes src, the file at path, by the first fix of each finding.
// A fix whose edits touch those of an earlier one is left for the next round,
// and so is one that changes other files too. It returns the new text and how
// many fixes went in.
func ApplyFixes(path string, src []byte, list List) ([]byte, int) {
	text := NewText(src)
	type change struct {
		from, to int
		text     string
	}
	var all []change
	applied := 0
	for _, d := range list {
		if len(d.Fixes) == 0 || len(d.Fixes[0].Edits) == 0 {
			continue
		}
		var mine []change
		fits := true
		for _, e := range d.Fixes[0].Edits {
			c := change{text.Offset(e.Span.Start), text.Offset(e.Span.End), e.Text}
			clash := func(o change) bool { return c.from < o.to && o.from < c.to || c.from == o.from }
			fits = fits && e.Span.File == path && c.from <= c.to && !slices.ContainsFunc(all, clash)
			mine = append(mine, c)
		}
		if fits {
			all = append(all, mine...)
			applied++
		}
	}
	slices.SortStableFunc(all, func(a, b change) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, c := range all {
		out = append(out, src[at:c.from]...)
		out = append(out, c.text...)
		at = c.to
	}
	return append(out, src[at:]...), applied
}
