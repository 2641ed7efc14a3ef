package editor

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/jq"
	"crossdock/dsl/lint"
	"crossdock/dsl/rule"
	"crossdock/dsl/value"
)

// completeCell returns what could stand inside a cell; false where the cursor is
// in no cell after all.
func (s *State) completeCell(path string, d *draft) ([]Item, bool) {
	ws, c := d.compiled(s, path)
	if c == nil {
		return nil, false
	}
	view := lint.NewView(ws, s.folder.files, s.folder.opt.Catalog)
	before, _, _ := strings.Cut(c.Node.Text, marker)
	if table := tableArgument.FindString(before); table != "" {
		return s.visible(path, s.in(ws).tableNames()), true
	}
	if m := columnArgument.FindStringSubmatch(before); m != nil && d.form.Scalar.Lang != "expr" {
		return s.columnsOf(path, m[1], m[2] == ""), true
	}
	if inString(before) {
		return nil, true
	}
	if d.form.Scalar.Lang == "expr" {
		return s.completeExpr(view, c, before), true
	}
	return s.completeJQ(view, c, before), true
}

var (
	tableArgument  = regexp.MustCompile(`(?:in_)?lookup\(\s*"$`)
	columnArgument = regexp.MustCompile(`\blookup\(\s*"([^"\\]*)"\s*;\s*("?)$`)
)

// columnsOf are the columns of a table as the function takes them, quoted where
// no quote stands before the cursor.
func (s *State) columnsOf(path, table string, quoted bool) []Item {
	in, full := s.resolveIn(path, "lookup", table)
	l := in.Workspace.Lookups[full]
	if l == nil || l.Table == nil {
		return nil
	}
	var out []Item
	for _, c := range l.Table.Columns {
		i := Item{Label: c, Kind: "field", Detail: "column of " + table, Doc: in.aboutLookup(full, c)}
		if quoted {
			i.Insert = `"` + c + `"`
		}
		out = append(out, i)
	}
	return out
}

// tableNames are the names of lookups, as functions take them. What has columns
// says so: one of them is named behind it.
func (s *State) tableNames() []Item {
	out := items(s.Workspace.Lookups, "lookup", func(n string) string { return s.aboutLookup(n, "") })
	for i := range out {
		for _, full := range []string{out[i].Label, "std/" + out[i].Label} {
			if l := s.Workspace.Lookups[full]; l != nil && l.Table != nil && len(l.Table.Columns) > 0 && out[i].Detail == "" {
				out[i].Detail = "columns " + strings.Join(l.Table.Columns, ", ")
			}
		}
	}
	return out
}

// inString reports whether a text literal is open, and no interpolation in it.
func inString(before string) bool {
	quote, depth := false, []int{}
	for i := 0; i < len(before); i++ {
		switch c := before[i]; {
		case quote && c == '\\' && i+1 < len(before) && before[i+1] == '(':
			depth = append(depth, 1)
			quote = false
			i++
		case quote && c == '\\':
			i++
		case c == '"':
			quote = !quote
		case !quote && c == '(' && len(depth) > 0:
			depth[len(depth)-1]++
		case !quote && c == ')' && len(depth) > 0:
			if depth[len(depth)-1]--; depth[len(depth)-1] == 0 {
				depth, quote = depth[:len(depth)-1], true
			}
		}
	}
	return quote
}

func (s *State) completeJQ(view *lint.View, c *cell.Cell, before string) []Item {
	switch {
	case strings.HasSuffix(before, "$"):
		return variables(c)
	case strings.HasSuffix(before, ".") && !strings.HasSuffix(before, ".."):
		return jqFields(view, c)
	}
	out := functionsOfJQ()
	return append(out, fields(view, c.Shape, nil, ".")...)
}

// variables are the names behind a dollar sign.
func variables(c *cell.Cell) []Item {
	about := map[string]string{"original": "The payload as it was received, before split and map.", "meta": "Where it came from: source, headers, path, file, event.",
		"run": "id, now, pipeline, attempt, revision, trace_id.", "steps": "Results of earlier steps, by their `as`.", "params": "Parameters of the template.",
		"vars": "Variables of the environment.", "root": "The whole source of the mapping.", "index": "Position of the item, from 0."}
	names := append([]string{"original", "meta", "run", "steps", "params", "vars"}, c.Vars...)
	if c.Kind == "mapping" && !slices.Contains(names, "root") {
		names = append(names, "root", "index")
	}
	var out []Item
	for _, n := range names {
		out = append(out, Item{Label: n, Kind: "variable", Doc: about[n]})
	}
	return out
}

// jqFields are the fields that exist where the marker stands. The cell is
// followed by the tracer of jq itself; what is half written is closed first.
func jqFields(view *lint.View, c *cell.Cell) []Item {
	before, after, _ := strings.Cut(c.Node.Text, marker)
	for _, src := range []string{before + marker + after, before + marker + closing(before), before + marker + " " + closing(before)} {
		p, _ := jq.Compile(src, jq.Options{Vars: varsOf(c), Lookup: anyTable})
		if p == nil {
			continue
		}
		for _, path := range p.Paths() {
			n := len(path.Segments)
			for i := range n {
				if path.Segments[i].Name != marker {
					continue
				}
				path.Segments = path.Segments[:i]
				return fieldsAt(view, c, path)
			}
		}
	}
	// Not even closed it makes sense: the path right before the cursor is what is left.
	// What a call gives is no field of the payload: lookup("codes") gives a value.
	if m := chain.FindStringSubmatch(before); m != nil && !strings.HasSuffix(strings.TrimSuffix(before, m[0]), ")") {
		path := jq.Path{Var: strings.TrimPrefix(m[1], "$")}
		for _, part := range chainPart.FindAllString(m[2], -1) {
			if strings.HasPrefix(part, "[") {
				path.Segments = append(path.Segments, jq.Segment{Step: jq.Each})
			} else {
				path.Segments = append(path.Segments, jq.Segment{Step: jq.Field, Name: strings.Trim(part, ".?")})
			}
		}
		return fieldsAt(view, c, path)
	}
	return nil
}

func varsOf(c *cell.Cell) []string {
	names := []string{"original", "meta", "run", "steps", "params", "vars"}
	for _, v := range append([]string{"root", "index"}, c.Vars...) {
		if !slices.Contains(names, v) {
			names = append(names, v)
		}
	}
	return names
}

func anyTable(string) (jq.Table, bool) { return noTable{}, true }

type noTable struct{}

func (noTable) Find(string, string) (any, error) { return nil, nil }

var (
	chain     = regexp.MustCompile(`(\$[A-Za-z_]\w*)?((?:\.?\[[^\]\[]*\]\??|\.[A-Za-z_]\w*\??)*)\.$`)
	chainPart = regexp.MustCompile(`\[[^\]]*\]|\.[A-Za-z_]\w*`)
)

// fieldsAt are the fields at the end of a path.
func fieldsAt(view *lint.View, c *cell.Cell, path jq.Path) []Item {
	if path.Var == "steps" && len(path.Segments) == 0 {
		return stepNames(c)
	}
	if names := surroundings[path.Var]; names != nil && len(path.Segments) == 0 {
		return words(names...)
	}
	from, rest := c.Start(path)
	names, ok := cell.Names(rest)
	if !ok {
		return nil
	}
	return fields(view, from, names, "")
}

// surroundings are the fields of what is always there.
var surroundings = map[string][]string{
	"meta": {"source", "received_at", "headers", "path", "query", "consumer", "content_type", "file", "event"},
	"run":  {"id", "now", "pipeline", "attempt", "revision", "trace_id"},
}

func stepNames(c *cell.Cell) []Item {
	var out []Item
	for _, n := range slices.Sorted(maps.Keys(c.VarShapes)) {
		if step, ok := strings.CutPrefix(n, "steps."); ok {
			out = append(out, Item{Label: step, Kind: "step"})
		}
	}
	return out
}

// fields are those that exist at a place, with what is known of each.
func fields(view *lint.View, from cell.Shape, path []string, prefix string) []Item {
	var out []Item
	for _, f := range view.Fields(from, path) {
		label := f.Name
		if !identifier.MatchString(label) {
			label = `"` + strings.ReplaceAll(label, `"`, `\"`) + `"`
		}
		i := Item{Label: prefix + label, Kind: "field", Detail: typeWords(f.Shape)}
		if f.Shape != nil {
			i.Doc = f.Shape.Note
		}
		if f.Seen != "" {
			if i.Doc != "" {
				i.Doc += "\n\n"
			}
			i.Doc += "`" + preview(f.Sample, 80) + "` in " + f.Seen
		}
		out = append(out, i)
	}
	return out
}

func preview(v any, most int) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return oneLine(strings.ReplaceAll(string(raw), "`", "'"), most)
}

// closing closes what is open in a cell of jq: brackets, strings and conditions.
func closing(src string) string {
	var open []string
	words := jqWord.FindAllString(src, -1)
	for _, w := range words {
		switch w {
		case "(", `\(`:
			open = append(open, ")")
		case "[":
			open = append(open, "]")
		case "{":
			open = append(open, "}")
		case "if":
			open = append(open, " then . else . end")
		case "then":
			if n := len(open); n > 0 && open[n-1] == " then . else . end" {
				open[n-1] = " else . end"
			}
		case "else":
			if n := len(open); n > 0 {
				open[n-1] = " end"
			}
		case ")", "]", "}", "end":
			if n := len(open); n > 0 {
				open = open[:n-1]
			}
		}
	}
	slices.Reverse(open)
	return strings.Join(open, "")
}

var jqWord = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\\?[()\[\]{}]|[A-Za-z_]\w*`)

func functionsOfJQ() []Item {
	var out []Item
	for _, f := range jq.Functions() {
		i := Item{Label: f.Name, Kind: "function", Doc: f.Doc}
		if len(f.Params) > 0 {
			i.Detail = f.Name + "(" + strings.Join(f.Params, "; ") + ")"
			i.Insert, i.Snippet = f.Name+"($1)", true
		}
		if len(f.Examples) > 0 {
			e := f.Examples[0]
			i.Doc += "\n\n`" + e.Cell + "` on `" + e.In + "` gives `" + e.Out + "`"
		}
		out = append(out, i)
	}
	for _, b := range builtins {
		out = append(out, Item{Label: b.name, Kind: "function", Doc: b.doc})
	}
	return out
}

// builtins are the functions of jq that mappings use most.
var builtins = []struct{ name, doc string }{
	{"map", "map(f): each item of a list through f."}, {"select", "select(f): the input where f holds, nothing otherwise."},
	{"first", "first(f): the first value only."}, {"last", "last(f): the last value only."}, {"length", "How many items, fields or characters."},
	{"keys", "The names of the fields."}, {"has", "has(name): whether the field is there."}, {"join", "join(text): the items as one text."},
	{"split", "split(text): a text cut into a list."}, {"tostring", "As text."}, {"tonumber", "A text as a number."},
	{"ltrimstr", "ltrimstr(text): without that beginning."}, {"rtrimstr", "rtrimstr(text): without that end."},
	{"ascii_upcase", "In capital letters."}, {"ascii_downcase", "In small letters."}, {"test", "test(regex): whether it matches."},
	{"sub", "sub(regex; text): the first match replaced."}, {"gsub", "gsub(regex; text): every match replaced."},
	{"unique", "Without repeats, sorted."}, {"sort_by", "sort_by(f): sorted."}, {"group_by", "group_by(f): lists of equal items."},
	{"add", "The sum, or all joined."}, {"any", "any(f): whether one holds."}, {"all", "all(f): whether all hold."},
	{"to_entries", "An object as a list of {key, value}."}, {"from_entries", "A list of {key, value} as an object."}, {"empty", "Nothing."}, {"not", "The opposite."},
}

// exprChain is the path before the cursor in a rule.
var exprChain = regexp.MustCompile(`([A-Za-z_#]\w*)?((?:\?{0,1}\.[A-Za-z_]\w*|\[[^\]\[]*\])*)\??\.$`)

func (s *State) completeExpr(view *lint.View, c *cell.Cell, before string) []Item {
	m := exprChain.FindStringSubmatch(before)
	if m == nil {
		out := words("data", "original", "meta", "run", "steps", "params", "vars")
		for i := range out {
			out[i].Kind = "variable"
		}
		if c.Response {
			out = append(out, Item{Label: "response", Kind: "variable", Doc: "status, headers and body of the answer."})
		}
		for _, f := range rule.Functions {
			out = append(out, Item{Label: f.Name, Kind: "function", Detail: f.Signature, Doc: f.Doc, Insert: f.Name + "($1)", Snippet: true})
		}
		for _, b := range []string{"len", "any", "all", "none", "filter", "map", "count", "contains", "startsWith", "endsWith", "matches", "in", "not", "and", "or", "lower", "upper", "trim"} {
			out = append(out, Item{Label: b, Kind: "function"})
		}
		return out
	}
	return s.exprFields(view, c, before, m[1], m[2])
}

func (s *State) exprFields(view *lint.View, c *cell.Cell, before, root, rest string) []Item {
	if root == "" || root == "#" { // an item of the list that is walked over
		list := innermost.FindStringSubmatch(before)
		if list == nil {
			return nil
		}
		root, rest = list[1], list[2]+"[0]"+rest
	}
	path := rule.Path{Root: root}
	for _, part := range chainPart.FindAllString(rest, -1) {
		if strings.HasPrefix(part, "[") {
			path.Segments = append(path.Segments, rule.Segment{Name: value.Items})
		} else {
			path.Segments = append(path.Segments, rule.Segment{Name: strings.Trim(part, ".?")})
		}
	}
	switch {
	case root == "steps" && len(path.Segments) == 0:
		return stepNames(c)
	case surroundings[root] != nil && len(path.Segments) == 0:
		return words(surroundings[root]...)
	case root == "response" && len(path.Segments) == 0:
		return words("status", "headers", "body")
	case root == "vars" && len(path.Segments) == 0 && s.Workspace.Environment != nil:
		return words(slices.Sorted(maps.Keys(s.Workspace.Environment.Vars))...)
	}
	from, segments := ruleStart(c, path)
	var names []string
	for _, seg := range segments {
		names = append(names, seg.Name)
	}
	return fields(view, from, names, "")
}

var innermost = regexp.MustCompile(`(?:any|all|none|one|filter|map|count|find|sortBy|groupBy|sum)\(\s*([A-Za-z_]\w*)((?:\??\.[A-Za-z_]\w*)*)(?:\s*\?\?\s*\[\])?\s*,[^()]*$`)
