package lint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// paths reports what cells read although it exists neither in the schema nor
// in the samples (XD2101).
func paths(p *pass) {
	for _, c := range p.sortedCells() {
		made := assigned(c)
		for _, r := range p.reads(c) {
			if !r.start.known() && !p.csvFile(c, &r) || r.start.shown && p.mayLack(c, r) {
				continue
			}
			p.follow(c, r, made)
		}
	}
}

// follow goes along what a cell reads, and reports the first step that does not
// exist. made are names that the cell makes itself.
func (p *pass) follow(c *cell.Cell, r read, made map[string]bool) {
	at := r.start
	for i, seg := range r.segments {
		next, v, end := at.next(seg)
		if v == unseen && r.optional || v == ofValue && !at.shape.Known() && (r.optional || minds(c)) || v != exists && made[seg.name] {
			return
		}
		if v != exists {
			p.missing(c, at, r.segments[i:], v)
			return
		}
		if end {
			return
		}
		at = next
	}
}

// mayLack reports whether the answer that a cell reads may not be there at all,
// which is told of the answer.
func (p *pass) mayLack(c *cell.Cell, r read) bool {
	return c.Kind == "pipeline" && r.step != "" && !r.optional && !c.Ran[r.step]
}

// csvFile gives a payload its shape where a pipeline reads csv files and has not
// split them yet.
func (p *pass) csvFile(c *cell.Cell, r *read) bool {
	t := p.filesTrigger()
	if t == nil || t.Format.Value != "csv" || c.Kind != "pipeline" || r.name != "" && r.name != "original" || r.start.written == "" {
		return false
	}
	s := p.unit.Pipeline.Spec
	switch {
	case r.name == "original", c.Node == s.Split.Node, c.Node == s.When.Node:
	case open[c.Role] != "" && !s.Split.Set():
	default:
		return false
	}
	r.start.shape, r.start.label = csvPayload, "the payload of a csv file"
	return true
}

// csvPayload is what a csv file comes as.
var csvPayload = object("name", "rows")

// assignment finds names that a jq cell makes itself.
var assignment = regexp.MustCompile(`\.\s*([A-Za-z_]\w*)\s*(?:=[^=]|[|+*/-]=|//=)`)

func assigned(c *cell.Cell) map[string]bool {
	if c.JQ == nil || !strings.Contains(c.Node.Text, "=") {
		return nil
	}
	made := map[string]bool{}
	for _, m := range assignment.FindAllStringSubmatch(c.Node.Text, -1) {
		made[m[1]] = true
	}
	return made
}

// missing reports the first of the segments, which does not exist at a place.
func (p *pass) missing(c *cell.Cell, at place, segs []segment, v verdict) {
	seg := segs[0]
	d := diag.Diagnostic{Code: codePath}
	if at.shown {
		d.Severity = diag.Warning // the real one may have more
	}
	what := strings.TrimPrefix(at.where(), " at ")
	if what == "" {
		what = "the payload"
		if at.part {
			what = "what `split` gives"
		}
	}
	switch v {
	case ofList:
		d.Message = what + " is a list" + in(at.label) + ", so `" + seg.name + "` must be asked of its items"
		d.Hint = "write `" + schema.Join(append(at.path, value.Items, seg.name)) + "`"
		if slices.Contains(counts, seg.name) {
			d.Message = what + " is a list" + in(at.label) + " and has no field `" + seg.name + "`"
			d.Hint = "write `| length` behind it for how many there are"
			if c.Rule != nil {
				d.Hint = "write `len(" + written(c, at) + ")` for how many there are"
			}
		} else if c.JQ != nil {
			d.Hint = "write `[].` in between for all items, or `[0].` for the first"
		} else {
			d.Hint = "write `any(" + written(c, at) + ", ." + seg.name + " == ...)`"
		}
	case ofValue:
		is := ""
		d.Missing = "result of " + schema.Join(at.path) // one word for all that is read of it
		if at.shape.Known() {
			is = kind(at.shape) + in(at.label)
		} else {
			is = shownAs(at.examples)
			d.Severity = diag.Warning // a sample need not show everything
		}
		d.Message = what + " is " + is + " and has no field `" + seg.name + "`"
		switch joined := joining(c, seg); {
		case seg.name == value.Items:
			d.Message = what + " is " + is + " and has no items"
		case joined:
			d.Message = what + " is " + is + ", and a dot behind it asks for a field of it"
			d.Hint = "texts are joined with `+`: write `" + at.written + schema.Join(at.path) + ` + "` + seg.name + "\"`"
			seg.from += len(c.Node.Text[seg.from:seg.to]) - len(strings.TrimLeft(c.Node.Text[seg.from:seg.to], " \t\n"))
		case apart(c, seg):
			d.Hint = "where two values are meant, a comma is missing in front of `." + seg.name + "`"
		}
	default:
		if v == unseen && borrowed(c) || at.shown { // which need not show all that comes
			if names, _, _ := at.names(); len(diag.Nearest(seg.name, names)) == 0 {
				return
			}
		}
		p.unknown(c, &d, at, segs, v)
		if v == unseen && borrowed(c) {
			d.Severity = diag.Warning
		}
	}
	p.inCell(c, seg.from, seg.to, d)
}

// borrowed reports whether the samples of a pipeline are those of its first
// mapping, which show what that reads and perhaps not all that comes.
func borrowed(c *cell.Cell) bool {
	return c.Kind == "pipeline" && c.Shape.Examples != nil && strings.HasSuffix(c.Shape.Examples.From, ".mapping.yaml")
}

// unknown words a name that does not exist, and what exists instead.
func (p *pass) unknown(c *cell.Cell, d *diag.Diagnostic, at place, segs []segment, v verdict) {
	seg := segs[0]
	names, seen, byList := at.names()
	near := diag.Nearest(seg.name, names)
	d.Message = "`" + seg.name + "` does not exist" + in(at.label) + at.where()
	if v == unseen {
		d.Message = "`" + seg.name + "` is in no sample" + at.where()
		if at.part {
			d.Message = "`" + seg.name + "` is in nothing that `split` makes" + at.where()
		}
		if len(near) == 0 {
			d.Severity = diag.Warning // a sample need not show everything
		}
	}
	d.Hint = "you can use: " + listed(names, 20)
	if len(names) == 0 {
		d.Hint = "nothing is there"
	}
	switch {
	case byList && seen != "":
		d.Hint += "     (schema, and seen in " + seen + ")"
	case seen != "":
		d.Hint += "     (seen in " + seen + ")"
	}
	if c.JQ != nil && len(at.path) == 0 && at.written == "." && slices.Contains(around, seg.name) {
		d.Short = "did you mean `$" + seg.name + "`?"
		return
	}
	if at.shape == csvPayload && len(near) == 0 {
		d.Short, d.Missing = "a csv file comes as {name, rows}", "result csv"
		d.Hint = "add `split: .rows`, and each row is a message of its own; " + d.Hint
		return
	}
	if len(at.path) == 0 && len(near) == 0 {
		if helper := p.helper(c, at, seg.name); helper != "" {
			d.Severity, d.Short = diag.Error, "did you mean `"+helper+"`?"
			if v == unseen {
				d.Severity = diag.Warning
			}
			return
		}
	}
	if whole := dottedName(names, segs); whole != "" && c.JQ != nil {
		d.Short, d.Hint = "the name itself has a dot: `.\""+whole+"\"`", "write `.\""+whole+"\"`; "+d.Hint
		return
	}
	if len(segs) > 1 && slices.Contains(names, segs[1].name) && !slices.Contains(names, seg.name) {
		if next, v, _ := at.next(segment{name: segs[1].name}); v == exists && next.known() {
			d.Short = "`" + segs[1].name + "` is there without it"
			return
		}
	}
	if strings.Contains(seg.name, ".") && at.schema != nil {
		var whole []string // a name with dots may be listed as one inside another
		for _, f := range at.schema.Fields() {
			if !strings.Contains(f.Path, value.Items) {
				whole = append(whole, f.Path)
			}
		}
		if meant := diag.Nearest(seg.name, whole); len(meant) > 0 {
			near = meant
		}
	}
	if len(near) > 0 {
		d.Short = "did you mean `" + near[0] + "`?"
		if fix, ok := respell(c, seg, near[0]); ok {
			d.Fixes = replace(c.Node.Range(seg.from, seg.to), fix)
		}
		return
	}
	if original := p.inOriginal(c, at, segs); original != "" {
		d.Short = "the message as it came has it: `" + original + "`"
		return
	}
	if elsewhere := whereIs(at, segs[0].name); elsewhere != "" {
		d.Short = "it exists at `" + elsewhere + "`"
		if len(at.path) > 0 && at.path[len(at.path)-1] == value.Items && slices.Contains(c.Shape.Path, value.Items) && c.JQ != nil && c.Kind == "mapping" && !strings.Contains(elsewhere, ".") {
			d.Short = "`.` is one of its items here; the whole is `$root." + elsewhere + "`"
		}
		return
	}
	if p.inWhole(c, at, segs) {
		d.Short = "`.` is one of its items here; the whole has `$root." + seg.name + "`"
		return
	}
	if last := segs[len(segs)-1]; len(segs) > 1 && !last.dynamic {
		if elsewhere := whereIs(at, last.name); elsewhere != "" {
			d.Short = "there is `" + elsewhere + "`"
		}
	}
}

// helper is a value of `let`, or the answer of a step, that has the name of what
// the payload has not.
func (p *pass) helper(c *cell.Cell, at place, name string) string {
	if at.written != "." && at.written != "data" {
		return ""
	}
	dollar := "$"
	if c.Rule != nil {
		dollar = ""
	}
	if _, ok := c.VarShapes["steps."+name]; ok {
		return dollar + "steps." + name
	}
	if c.JQ != nil && slices.Contains(c.Vars, name) && !slices.Contains(around, name) {
		return "$" + name
	}
	return ""
}

// counts are what other languages have on a list.
var counts = []string{"length", "size", "count"}

// dottedName finds the name of which a path without quotes makes several: .a.b where
// the field is called a.b.
func dottedName(names []string, segs []segment) string {
	whole := ""
	for i, s := range segs {
		if s.dynamic || s.name == value.Items {
			return ""
		}
		if whole += s.name; i > 0 && slices.Contains(names, whole) {
			return whole
		}
		whole += "."
	}
	return ""
}

// inWhole looks for a field that an item has not in the document around the list.
// Only samples are asked: what a schema lists is found by whereIs.
func (p *pass) inWhole(c *cell.Cell, at place, segs []segment) bool {
	if c.JQ == nil || c.Kind != "mapping" || at.written != "." || !slices.Contains(c.Shape.Path, value.Items) || segs[0].dynamic {
		return false
	}
	whole := p.start(cell.Shape{Schema: at.schema, Examples: c.Shape.Examples}, "$root")
	if _, v, _ := whole.next(segs[0]); v != exists || !whole.known() {
		return false
	}
	return true
}

// inOriginal looks for a field that is not there behind a mapping in the message
// as it came.
func (p *pass) inOriginal(c *cell.Cell, at place, segs []segment) string {
	original := c.VarShapes["original"]
	if c.Kind != "pipeline" || len(at.path) > 0 || at.written != "." && at.written != "data" || !original.Set() || original.Same(c.Shape) || original.Schema != nil && original.Schema == at.schema {
		return ""
	}
	from := p.start(original, "original")
	name := "$original"
	if c.Rule != nil {
		name = "original"
	}
	for _, seg := range segs {
		next, v, _ := from.next(seg)
		if v != exists || seg.dynamic || next.shape == nil && len(next.examples) == 0 {
			return ""
		}
		from, name = next, name+"."+seg.name
	}
	return strings.ReplaceAll(name, "."+value.Items, value.Items)
}

// minds reports whether a cell looks at what type a value has, and so expects
// others than those of the samples.
func minds(c *cell.Cell) bool { return typeWords.MatchString(c.Node.Text) }

var typeWords = regexp.MustCompile(`\b(type|objects|iterables|arrays|scalars|strings|values|try)\b`)

// shownAs words what a value is in all examples of it.
func shownAs(list []example) string {
	is := ""
	for _, e := range list {
		word := "text"
		switch e.value.(type) {
		case nil:
			continue
		case bool:
			word = "true or false"
		case string:
		default:
			word = "a number"
		}
		if is == "" {
			is = word
		} else if is != word {
			is = "a plain value"
		}
	}
	return is + " in every sample"
}

// joining reports whether a step is a fixed text behind a dot of its own, as
// languages write it in which a dot joins texts.
func joining(c *cell.Cell, seg segment) bool {
	if c.JQ == nil || seg.from < 1 || seg.to > len(c.Node.Text) || !strings.HasPrefix(strings.TrimSpace(c.Node.Text[seg.from:seg.to]), `"`) {
		return false
	}
	before := strings.TrimRight(c.Node.Text[:seg.from], " \t\n")
	return strings.HasSuffix(before, ".") && strings.TrimRight(before[:len(before)-1], " \t\n") != before[:len(before)-1]
}

// apart reports whether white space stands in front of a step, as where a comma
// was forgotten.
func apart(c *cell.Cell, seg segment) bool {
	before := c.Node.Text[:min(max(seg.from, 0), len(c.Node.Text))]
	before = strings.TrimSuffix(before, ".")
	return strings.TrimRight(before, " \t\n") != before && strings.TrimSpace(before) != ""
}

// around are the names that stand beside the payload.
var around = []string{"steps", "meta", "run", "vars", "params", "original", "root", "index"}

// whereIs looks for a field of that name in another place of the document.
func whereIs(at place, last string) string {
	if at.schema == nil {
		return ""
	}
	for _, f := range at.schema.Fields() {
		path := schema.Split(f.Path)
		if path[len(path)-1] == last {
			return f.Path
		}
	}
	return ""
}

// respell returns the text that puts another name in the place of a segment,
// where that is certain to mean what it says.
func respell(c *cell.Cell, seg segment, name string) (string, bool) {
	if c.Node.Style != ast.Plain && c.Node.Style != ast.Literal || seg.to <= seg.from || seg.to > len(c.Node.Text) {
		return "", false
	}
	old := c.Node.Text[seg.from:seg.to]
	switch {
	case old == seg.name && identifier.MatchString(name):
		return name, true
	case old == strconv.Quote(seg.name):
		return strconv.Quote(name), true
	}
	return "", false
}

var identifier = regexp.MustCompile(`^[A-Za-z_]\w*$`)

func in(label string) string {
	if label == "" {
		return ""
	}
	return " in " + label
}

// written is how an expr cell writes a place of its payload.
func written(c *cell.Cell, at place) string {
	if strings.HasPrefix(at.written, "steps.") {
		return strings.TrimSuffix(at.written+"."+schema.Join(at.path), ".")
	}
	for _, path := range c.Rule.Paths() {
		if keys := path.Keys(); len(keys) >= len(at.path) && slices.Equal(keys[:len(at.path)], at.path) {
			return path.Root + strings.TrimSuffix("."+schema.Join(at.path), ".")
		}
	}
	return schema.Join(at.path)
}

// kind words what a value is.
func kind(s *value.Shape) string {
	switch b := s.Type.Base; b {
	case value.Any:
		return "a value"
	case value.Integer:
		return "an integer"
	case value.URL:
		return "a URL"
	case value.Object:
		return "an object"
	case value.String:
		return "text"
	default:
		return "a " + b.String()
	}
}
