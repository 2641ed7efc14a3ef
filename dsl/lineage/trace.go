package lineage

import "slices"

// Node is one place on the ways of a field.
type Node struct {
	Place    Place
	Via      *Edge // the way that led here; nil for the place that was asked for
	Children []*Node
	Again    bool // its children are shown where the place appears first

	also    []Place // places that look the same: one mapping in several steps
	shallow bool    // only the list itself matters, not what is in its items
}

// Direction tells where Follow goes.
type Direction bool

// The directions.
const (
	Forward  Direction = true  // what depends on the place
	Backward Direction = false // what the place depends on
)

// Follow returns the ways from a place, in the order in which cells are
// written. Every place is followed once.
func (g *Graph) Follow(from Place, d Direction) *Node {
	f := &follower{g: g, d: d, seen: map[string]bool{}}
	root := &Node{Place: from}
	f.follow(root)
	return root
}

// key is equal for nodes that look the same to people.
func (n *Node) key() string {
	key := n.Place.String()
	if n.shallow {
		key += " shallow"
	}
	if s := n.Place.Stage; s != nil {
		key = string(s.Kind) + " " + s.Name + " " + key
	}
	return key
}

// like reports whether a way looks the same as that of another node.
func (n *Node) like(o *Node) bool {
	a, b := n.Via, o.Via
	if n.key() != o.key() || a.Link != b.Link || a.Mode != b.Mode || (a.Use == nil) != (b.Use == nil) {
		return false
	}
	return a.Use == nil || a.Use.Span == b.Use.Span && a.Use.Role == b.Use.Role && a.Use.Row == b.Use.Row
}

type follower struct {
	g    *Graph
	d    Direction
	seen map[string]bool
}

func (f *follower) follow(n *Node) {
	if n.Place.Stage == nil {
		return
	}
	if key := n.key(); f.seen[key] {
		n.Again = true
		return
	} else {
		f.seen[key] = true
	}
	for _, p := range append([]Place{n.Place}, n.also...) {
		f.step(n, p)
	}
	for _, c := range n.Children {
		f.follow(c)
	}
}

// step adds the ways from one place of a node.
func (f *follower) step(n *Node, p Place) {
	edges := p.Stage.in
	if f.d == Forward {
		edges = p.Stage.out
	}
	for _, e := range edges {
		at := e.To.Path
		to, ok := e.backward(p.Path)
		if f.d == Forward {
			at = e.From.Path
			to, ok = e.forward(p.Path)
		}
		if _, covers := under(at, p.Path); !ok || n.shallow && !covers || f.elsewhere(p.Stage, e) {
			continue
		}
		c := &Node{Place: to, Via: e, shallow: e.Mode == Counts || n.shallow && e.Mode == Copies}
		if i := slices.IndexFunc(n.Children, c.like); i < 0 {
			n.Children = append(n.Children, c)
		} else if to.Stage != nil && to.Stage != n.Children[i].Place.Stage {
			n.Children[i].also = append(n.Children[i].also, to)
		}
	}
}

// elsewhere reports whether an edge belongs to a mapping by itself, which is
// followed where it runs.
func (f *follower) elsewhere(at *Stage, e *Edge) bool {
	return (at.Kind == Lookup || at.Kind == Around) && e.Use != nil && e.Use.Kind == "mapping" && e.Use.Pipeline == "" && f.g.running[e.Use.Name]
}

// forward is where the value at path goes along the edge; a To without a stage
// is the end of its way.
func (e *Edge) forward(path []string) (Place, bool) {
	rest, below := under(e.From.Path, path)
	if !below {
		if _, above := under(path, e.From.Path); !above {
			return Place{}, false
		}
	}
	switch {
	case e.Mode == Counts && len(rest) > 0:
		return Place{}, false // another field of the items
	case e.Mode != Copies || !below || e.To.Stage == nil:
		return e.To, !e.covered(e.To.Path)
	}
	to := e.To.At(rest...)
	return to, !e.covered(to.Path)
}

// backward is where the value at path comes from along the edge.
func (e *Edge) backward(path []string) (Place, bool) {
	rest, below := under(e.To.Path, path)
	if !below {
		if _, above := under(path, e.To.Path); !above {
			return Place{}, false
		}
	}
	if e.covered(path) {
		return Place{}, false
	}
	if e.Mode == Copies && below {
		return e.From.At(rest...), true
	}
	return e.From, true
}

// covered reports whether something else writes what the edge would write.
func (e *Edge) covered(path []string) bool {
	return slices.ContainsFunc(e.except, func(x []string) bool { _, ok := under(x, path); return ok })
}

// Readers returns the uses that read a field of documents of a schema, or
// something above or below it: rows through their helper values too, but not
// what other mappings do with what they write. Each is named once, however
// many pipelines share it.
func (g *Graph) Readers(schema string, path []string) []*Use {
	var out []*Use
	seen := map[string]bool{}
	var from func(p Place)
	from = func(p Place) {
		for _, e := range p.Stage.out {
			to, ok := e.forward(p.Path)
			if !ok || e.Use == nil {
				continue
			}
			if key := e.Use.Span.String() + e.Use.Role; !seen[key] {
				seen[key] = true
				out = append(out, e.Use)
			}
			if s := to.Stage; s != nil && (s.Kind == Let || s.Kind == Items) && s != p.Stage {
				from(to)
			}
		}
	}
	for _, p := range g.schemas[schema] {
		from(p.At(path...))
	}
	return out
}
