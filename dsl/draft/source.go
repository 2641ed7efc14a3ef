package draft

import (
	"regexp"
	"slices"
	"strconv"

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
			walkObject(f, src.expr, src.path, far, how, scalar, list)
		}
		if f.Lists > 0 && list != nil {
			list(src)
		}
		if f.Lists > 0 && f.Objects == 0 && f.Item != nil && scalar != nil && far == 1 && f.Texts+f.Numbers == 0 {
			firstOf(f, src, scalar)
		}
	}
}

// firstOf offers the item of a list for targets that want one value: of texts the
// first, of objects that of a role, or the only one where no sample has two.
func firstOf(n *profile.Node, at source, scalar func(source)) {
	item := n.Item
	if item.Texts+item.Numbers > 0 && item.Objects == 0 {
		scalar(source{node: item, expr: "first(" + at.expr + "[]?)", path: at.path, far: 0.7, how: "the first of a list"})
		return
	}
	if item.Objects == 0 || item.Keyed() {
		return
	}
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
