package diag

import "fmt"

// Ignore is a "# crossdock-ignore CODE reason" comment: a request to silence
// one code on the line it stands on, or on the next line when it has its line
// for itself.
type Ignore struct {
	Code   Code
	Reason string
	Line   int  // the line of the comment
	Alone  bool // the comment has the line for itself and so speaks of the next one
	Span   Span
}

// IgnoreCode is the code of findings about ignore comments themselves.
const IgnoreCode Code = "XD1003"

// unreadable is the code of files that YAML does not read as they were meant.
// Ignoring it would make a definition vanish without a word.
const unreadable Code = "XD1002"

// Suppress returns list without the findings that ignore comments silence, and
// with a warning for every comment that gives no reason or silences nothing.
// What makes a file unreadable (XD1002) cannot be silenced.
// Comments that stand one above the other all speak of the line below them.
func Suppress(list List, ignores []Ignore) List {
	type line struct {
		file string
		line int
	}
	alone := map[line]bool{}
	for _, ig := range ignores {
		if ig.Alone {
			alone[line{ig.Span.File, ig.Line}] = true
		}
	}
	type target struct {
		line
		code Code
	}
	wanted := map[target][]int{}
	for i, ig := range ignores {
		at := line{ig.Span.File, ig.Line}
		if ig.Alone {
			for alone[at] {
				at.line++
			}
		}
		key := target{at, ig.Code}
		wanted[key] = append(wanted[key], i)
	}

	used := make([]bool, len(ignores))
	var out List
	for _, d := range list {
		var hits []int
		if d.Code != unreadable {
			hits = wanted[target{line{d.Span.File, d.Span.Start.Line}, d.Code}]
		}
		for _, i := range hits {
			used[i] = true
		}
		if len(hits) == 0 {
			out.Add(d)
		}
	}
	for i, ig := range ignores {
		switch {
		case ig.Code == "":
			d := out.Warnf(IgnoreCode, ig.Span, "this comment does not say which finding to ignore")
			d.Hint = "write `# crossdock-ignore XD1203 why this is fine`"
		case ig.Code == unreadable:
			d := out.Warnf(IgnoreCode, ig.Span, "%s cannot be ignored: the file would not say what it seems to say", ig.Code)
			d.Hint = "quote the cell, or put it below `|`, and remove the comment"
		case !used[i]:
			d := out.Warnf(IgnoreCode, ig.Span, "there is no %s here to ignore", ig.Code)
			d.Hint = "remove the comment"
			d.Fixes = []Fix{{Title: "remove the comment", Edits: []Edit{{Span: ig.Span}}}}
		case ig.Reason == "":
			d := out.Warnf(IgnoreCode, ig.Span, "the comment that ignores %s gives no reason", ig.Code)
			d.Hint = fmt.Sprintf("write `# crossdock-ignore %s why this is fine`", ig.Code)
		}
	}
	return out
}
