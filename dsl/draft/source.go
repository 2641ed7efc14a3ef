package draft

import (
	"regexp"
	"slices"
	"strconv"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
)

// source is a place of the samples that a row can read, seen from a scope.
type source struct {
	node *profile.Node
	expr string   // jq, without what stands around it
	path []string // names from the whole document, for comparing
	far  float64  // how natural it is to read it from here: 1 is a field of the scope
	how  string   // what is special about the way it is read
	role string   // the value that tells the item of a list, "" where none does
}

// scope is what rows can read: the whole document, or an item of a list.
type scope struct {
	node *profile.Node
	path []string
	root *scope // nil for the document itself
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// field writes one step of jq.
func field(name string) string {
	if identifier.MatchString(name) {
		return "." + name
	}
	return "." + strconv.Quote(name)
}

// scalars returns what rows of the scope can read: fields, fields of objects,
// the first item of lists, and, inside a list, the fields of the document.
func (s *scope) scalars() []source {
	var out []source
	walkObject(s.node, "", s.path, 1, "", func(src source) { out = append(out, src) }, nil)
	if s.root != nil {
		walkObject(s.root.node, "$root", nil, 0.75, "from the whole document", func(src source) {
			out = append(out, src)
		}, nil)
	}
	return out
}

// lists returns the lists that `each` of the scope can go through.
func (s *scope) lists() []source {
	var out []source
	walkObject(s.node, "", s.path, 1, "", nil, func(src source) { out = append(out, src) })
	return out
}

// walkObject calls scalar and list for what is below an object.
func walkObject(n *profile.Node, expr string, path []string, far float64, how string, scalar, list func(source)) {
	for _, name := range n.Order {
		f := n.Fields[name]
		src := source{node: f, expr: expr + field(name), path: below(path, name), far: far, how: how}
		if f.Texts+f.Numbers+f.Booleans > 0 && f.Objects+f.Lists == 0 && scalar != nil {
			scalar(src)
		}
		if f.Objects > 0 && f.Lists == 0 && !f.Keyed() {
			near := far
			if number, label := labelOf(f); label != "" && scalar != nil {
				scalar(source{node: f.Fields[label], expr: src.expr + field(label), path: src.path, far: far, how: join(how, "what the reference is called")})
				scalar(source{node: f.Fields[number], expr: src.expr + field(number), path: src.path, far: far * 0.95, how: join(how, "the code of the reference")})
				near *= 0.75 // by its own name it is the number of something else
			}
			walkObject(f, src.expr, src.path, near, how, scalar, list)
		}
		if f.Lists > 0 && list != nil {
			list(src)
		}
		switch {
		case f.Lists == 0 || f.Objects > 0 || f.Item == nil || scalar == nil || f.Texts+f.Numbers > 0:
		case far == 1:
			firstOf(f, src, scalar)
		case f.Item.Texts > 0 && f.Item.Objects+f.Item.Numbers == 0:
			lines(f, src, scalar)
		}
	}
}

// firstOf offers the item of a list for targets that want one value: of texts the
// first, of objects that of a role, or the only one where no sample has two.
func firstOf(n *profile.Node, at source, scalar func(source)) {
	item := n.Item
	if item.Texts > 0 && item.Numbers > 0 && item.Objects+item.Lists == 0 {
		// A number and a name: which of them is meant, the type of the target tells.
		if n.Most == 2 {
			scalar(source{node: item.OnlyTexts(), expr: "first(" + at.expr + "[]? | strings)", path: at.path, far: 0.9, how: "the text of a pair"})
		}
		return
	}
	if item.Texts > 0 && item.Objects+item.Numbers == 0 && likeness.Has(lastName(at.path), "street") {
		lines(n, at, scalar)
		return
	}
	if item.Texts+item.Numbers > 0 && item.Objects == 0 {
		scalar(source{node: item, expr: "first(" + at.expr + "[]?)", path: at.path, far: 0.7, how: "the first of a list"})
		return
	}
	if item.Objects == 0 || item.Keyed() {
		return
	}
	calledSo(item, at, scalar)
	if tells := qualifier(item); tells != "" {
		withRole(item, at, tells, scalar)
	}
	if n.Most > 1 {
		return // which of them is meant, their order does not tell
	}
	far, note := 0.9, "the only one of a list"
	walkObject(item, "", at.path, far, note, func(src source) {
		src.expr = "first(" + at.expr + "[]?" + src.expr + ")"
		scalar(src)
	}, nil)
}

// lines offers the lines of a street: the first is the street, the second what there
// is beside it.
func lines(n *profile.Node, at source, scalar func(source)) {
	if !likeness.Has(lastName(at.path), "street") {
		return
	}
	scalar(source{node: n.Item, expr: at.expr + "[0]", path: at.path, far: at.far, how: join(at.how, "its first line")})
	if n.Most > 1 {
		second := append(at.path[:len(at.path)-1:len(at.path)-1], "street2")
		scalar(source{node: n.Item, expr: at.expr + "[1]", path: second, far: at.far, how: join(at.how, "its second line")})
	}
}

// labelOf is the name in an object that only refers to something: a number with what
// it is called, as in {"id": "4", "refName": "EUR"}. Both are "" for all others: what is
// called name alone may be that of a person.
func labelOf(n *profile.Node) (number, label string) {
	others := 0
	for _, name := range n.Order {
		f := n.Fields[name]
		switch concepts := likeness.Concepts(name); {
		case f.Objects > 0 || f.Lists > 0 && likeness.Has(name, "url"), f.Null == f.Seen:
		case f.Texts+f.Numbers > 0 && slices.Equal(concepts, []string{"number"}):
			number = name
		case f.Texts > 0 && f.Numbers == 0 && slices.Contains(concepts, "name") && len(likeness.Words(name)) > 1, f.Texts > 0 && likeness.Has(name, "label"):
			label = name
		default:
			others++
		}
	}
	if number == "" || label == "" || others > 0 {
		return "", ""
	}
	return number, label
}

func join(how, more string) string {
	if how == "" {
		return more
	}
	return how + "; " + more
}

// words lists the values of a place for a comment.
func (s source) values(most int) []string {
	var out []string
	for _, v := range s.node.Values {
		if len(out) == most {
			break
		}
		if len(v.Text) <= 24 && !slices.Contains(out, v.Text) {
			out = append(out, v.Text)
		}
	}
	return out
}
