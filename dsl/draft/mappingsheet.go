package draft

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/jq"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// columns are the headers of mapping sheets, as people write them.
var columns = []struct {
	role  string
	words []string
}{
	{"target", []string{"target", "target field", "target path", "to", "to field", "output", "output field", "destination", "destination field", "canonical", "canonical field", "zielfeld", "ziel"}},
	{"source", []string{"source", "source field", "source path", "from", "from field", "input", "input field", "origin", "quellfeld", "quelle", "path"}},
	{"rule", []string{"rule", "rules", "transformation", "transform", "logic", "formula", "expression", "jq", "mapping rule", "conversion", "regel"}},
	{"const", []string{"const", "constant", "fixed", "fixed value", "hardcoded", "hard coded", "konstante"}},
	{"default", []string{"default", "default value", "fallback", "standardwert"}},
	{"required", []string{"required", "mandatory", "mand", "req", "m/o", "m/c/o", "pflicht", "pflichtfeld"}},
	{"type", []string{"type", "data type", "datatype", "format type", "typ", "datentyp"}},
	{"parse", []string{"parse", "pattern", "input format", "source format", "date format", "number format", "eingabeformat", "quellformat", "datumsformat"}},
	{"format", []string{"output format", "target format", "ausgabeformat", "zielformat"}},
	{"zone", []string{"zone", "time zone", "timezone", "tz", "zeitzone"}},
	{"length", []string{"max length", "maxlength", "max_length", "length", "len", "max len", "länge", "laenge"}},
	{"lookup", []string{"lookup", "crosswalk", "code list", "codelist", "value map", "table"}},
	{"note", []string{"note", "notes", "comment", "comments", "remark", "remarks", "description", "bemerkung", "kommentar", "beschreibung"}},
}

// mappingRow is one line of a mapping sheet.
type mappingRow struct {
	target []string
	cells  map[string]string
	place  func(role string) string
}

// MappingSheet writes a mapping from a sheet with a line per target field. It
// returns what was understood, and what was not, in sentences.
func MappingSheet(name string, t *Table) ([]byte, []string, error) {
	roles, said := recognise(t)
	if _, ok := roles["target"]; !ok {
		return nil, said, fmt.Errorf("no column is named target (or to, output, destination); the columns are %s", strings.Join(t.header, ", "))
	}
	if _, ok := roles["source"]; !ok {
		return nil, said, fmt.Errorf("no column is named source (or from, input); the columns are %s", strings.Join(t.header, ", "))
	}
	rows, err := mappingRows(t, roles)
	if err != nil {
		return nil, said, err
	}
	w := &sheetWriter{}
	if err := w.level(rows, nil, "", "  "); err != nil {
		return nil, said, err
	}
	if w.rows == 0 {
		return nil, said, fmt.Errorf("no line has a source, a constant or a rule")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "mapping: %s\n# Imported from %s. Rules that are no jq became notes.\nfields:\n%s", name, comment(named(t.name)), w.text.String())
	said = append(said, t.remarks(slices.Sorted(maps.Values(roles)))...)
	said = append(said, fmt.Sprintf("%s written, %d left as TODO, %s kept as notes", plural(w.rows, "row"), w.todo, plural(w.prose, "rule")))
	out := laid(&b)
	if err := readable(out); err != nil {
		return nil, said, err
	}
	return out, said, nil
}

// recognise finds out which column is what.
func recognise(t *Table) (map[string]int, []string) {
	roles := map[string]int{}
	var said, other []string
	for i, h := range t.header {
		plain := strings.Join(strings.Fields(strings.ToLower(strings.NewReplacer("_", " ", "*", "").Replace(h))), " ")
		found := ""
		for _, c := range columns {
			if slices.Contains(c.words, plain) || slices.Contains(c.words, strings.ReplaceAll(plain, " ", "_")) {
				found = c.role
			}
		}
		if _, taken := roles[found]; found == "" || taken {
			if h != "" {
				other = append(other, h)
			}
			continue
		}
		roles[found] = i
		said = append(said, found+": "+h)
	}
	var out []string
	if len(said) > 0 {
		out = append(out, "understood "+strings.Join(said, ", "))
	}
	if len(other) > 0 {
		out = append(out, "not used: "+strings.Join(other, ", "))
	}
	return roles, out
}

func mappingRows(t *Table, roles map[string]int) ([]mappingRow, error) {
	var out []mappingRow
	seen := map[string]string{}
	for i := range t.rows {
		if t.blank(i) {
			continue
		}
		if len(out) == maxRows {
			return nil, fmt.Errorf("there are more than %d lines", maxRows)
		}
		r := mappingRow{cells: map[string]string{}, place: func(role string) string { return t.place(i, roles[role]) }}
		for role, col := range roles {
			r.cells[role] = t.text(i, col)
			if why := t.spoiled(i, col); why != "" {
				return nil, fmt.Errorf("%s %s", t.place(i, col), why)
			}
		}
		target := strings.Trim(strings.NewReplacer("/", ".", "[*]", "[]", "[0]", "[]", "[n]", "[]").Replace(r.cells["target"]), ". ")
		switch at := r.place("target"); {
		case target == "" && r.cells["source"]+r.cells["rule"]+r.cells["const"] == "":
			continue // a line between sections
		case target == "":
			return nil, fmt.Errorf("%s is empty, but its line has a source", at)
		case !targetName.MatchString(target):
			return nil, fmt.Errorf("%s: `%s` cannot be a target: names joined by dots, [] behind a list, such as lines[].sku", at, r.cells["target"])
		case seen[target] != "":
			return nil, fmt.Errorf("%s: the target %s is in %s already%s", at, target, seen[target], t.merged(i, roles["target"]))
		default:
			seen[target] = at
		}
		r.target = schema.Split(target)
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no line with a target", named(t.name))
	}
	return out, nil
}

var targetName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*(\[\])*(\.[A-Za-z_][A-Za-z0-9_-]*(\[\])*)*$`)

type sheetWriter struct {
	text              strings.Builder
	rows, todo, prose int
}

// level writes the rows below a target; lists become rows with each. around is
// the source of the list that the rows are in.
func (w *sheetWriter) level(rows []mappingRow, above []string, around, indent string) error {
	done := map[string]bool{}
	for _, r := range rows {
		rest := r.target[len(above):]
		list := slices.Index(rest, value.Items)
		if list <= 0 {
			if err := w.row(r, schema.Join(rest), around, indent); err != nil {
				return err
			}
			continue
		}
		head := r.target[:len(above)+list+1]
		name := schema.Join(rest[:list])
		if done[name] {
			continue
		}
		done[name] = true
		var group []mappingRow
		for _, o := range rows {
			if len(o.target) >= len(head) && slices.Equal(o.target[:len(head)], head) {
				group = append(group, o)
			}
		}
		if err := w.list(group, head, name, around, indent); err != nil {
			return err
		}
	}
	return nil
}

func (w *sheetWriter) list(group []mappingRow, head []string, name, around, indent string) error {
	source := ""
	for _, r := range group {
		s, ok := listOf(relative(path(r.cells["source"]), around))
		switch {
		case !ok:
		case source == "":
			source = s
		case s != source:
			return fmt.Errorf("%s: the list %s is read from %s here and from %s above; one list has one source", r.place("source"), name, s, source)
		}
	}
	if source == "" {
		w.todo += len(group)
		fmt.Fprintf(&w.text, "%s# TODO %s: no source of its lines names a list, such as items[].sku\n", indent, name)
		return nil
	}
	if len(group) == 1 && len(group[0].target) == len(head) {
		w.rows++
		fmt.Fprintf(&w.text, "%s%s: {each: %s}\n", indent, name, cell(source))
		return nil
	}
	fmt.Fprintf(&w.text, "%s%s:\n%s  each: %s\n%s  fields:\n", indent, name, indent, source, indent)
	return w.level(group, head, around+source+value.Items, indent+"    ")
}

// path makes jq of a source as sheets write it.
func path(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasPrefix(s, ".") || strings.HasPrefix(s, "$") {
		return s
	}
	var b strings.Builder
	for _, name := range schema.Split(strings.NewReplacer("/", ".", "[*]", "[]", "[n]", "[]").Replace(s)) {
		if name == value.Items {
			b.WriteString(value.Items)
		} else {
			b.WriteString(field(strings.TrimSpace(name)))
		}
	}
	return b.String()
}

// listOf returns what is before the first [] of a path.
func listOf(s string) (string, bool) {
	before, _, ok := strings.Cut(s, value.Items)
	return before, ok && before != ""
}

// relative is a path seen from the items of a list around it.
func relative(s, around string) string {
	if around == "" {
		return s
	}
	if rest, ok := strings.CutPrefix(s, around); ok {
		return rest
	}
	if strings.HasPrefix(s, ".") {
		return "$root" + s
	}
	return s
}

func (w *sheetWriter) row(r mappingRow, name, around, indent string) error {
	var keys []string
	from := relative(path(r.cells["source"]), around)
	rule, note := r.cells["rule"], r.cells["note"]
	switch {
	case r.cells["const"] != "":
		keys, from = append(keys, "const: "+quote(r.cells["const"])), ""
	case rule != "" && isJQ(rule):
		from = rule
	case rule != "":
		w.prose++
		note = sentences(rule, note)
	}
	typed, unread := r.typed()
	note = sentences(append(unread, note)...)
	if from == "" && len(keys) == 0 {
		w.todo++
		fmt.Fprintf(&w.text, "%s# TODO %s: %s\n", indent, name, comment(strings.TrimSpace("no source. "+note)))
		return nil
	}
	if from != "" {
		if !isJQ(from) {
			return fmt.Errorf("%s: `%s` cannot be read as a field; write names joined by dots, such as shipTo.zip", r.place("source"), r.cells["source"])
		}
		keys = append(keys, "from: "+cell(from))
	}
	more, err := r.options(typed)
	if err != nil {
		return err
	}
	if keys = append(keys, more...); note != "" {
		keys = append(keys, "note: "+quote(note))
	}
	w.rows++
	if len(keys) == 1 && from != "" {
		fmt.Fprintf(&w.text, "%s%s: %s\n", indent, name, cell(from))
		return nil
	}
	fmt.Fprintf(&w.text, "%s%s: {%s}\n", indent, name, strings.Join(keys, ", "))
	return nil
}

// sentences joins what there is of them.
func sentences(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), ". ")
}

// options are what a line says beside its source; typed is what it says of its type.
func (r mappingRow) options(typed []string) ([]string, error) {
	var keys []string
	if s := r.cells["lookup"]; s != "" {
		keys = append(keys, "lookup: "+quote(s))
	}
	if s := r.cells["default"]; s != "" {
		keys = append(keys, "default: "+quote(s))
	}
	keys = append(keys, typed...)
	if s := r.cells["length"]; s != "" {
		if strings.Trim(s, "0123456789") != "" || len(s) > 6 || strings.Trim(s, "0") == "" {
			return nil, fmt.Errorf("%s: `%s` is no number of characters", r.place("length"), s)
		}
		keys = append(keys, "max_length: "+s)
	}
	switch s := strings.ToLower(r.cells["required"]); s {
	case "m", "y", "yes", "x", "true", "1", "required", "mandatory", "ja", "j":
		keys = append(keys, "required: true")
	case "", "o", "c", "n", "no", "false", "0", "optional", "conditional", "nein":
	default:
		return nil, fmt.Errorf("%s: `%s` says neither yes nor no; write M or O", r.place("required"), r.cells["required"])
	}
	return keys, nil
}

// isJQ reports whether a text is a cell that could have been meant: it compiles
// and reads something.
func isJQ(s string) bool {
	if !strings.ContainsAny(s, ".$") {
		return false
	}
	p, problems := jq.Compile(s, jq.Options{Vars: []string{"root", "index", "original", "meta", "run", "vars", "steps", "params"}})
	return len(problems) == 0 && p != nil && len(p.Paths()) > 0
}
