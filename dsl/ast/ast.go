// Package ast is the small tree every definition file becomes: scalars, maps
// and lists, each knowing its place in the file down to the character inside a
// scalar. It knows nothing of YAML libraries or of the language's kinds.
package ast

import (
	"sort"

	"crossdock/dsl/diag"
)

// Kind tells what a Node is.
type Kind uint8

// The three shapes of a definition. An absent value is a nil *Node; an empty
// one ("key:" with nothing behind it) is a Scalar with Empty set.
const (
	Scalar Kind = iota
	Map
	List
)

// String returns the word shown to people.
func (k Kind) String() string {
	switch k {
	case Map:
		return "a map"
	case List:
		return "a list"
	}
	return "a value"
}

// Style tells how a scalar was written.
type Style uint8

// The five YAML scalar styles.
const (
	Plain Style = iota
	SingleQuoted
	DoubleQuoted
	Literal
	Folded
)

// Node is one value of a definition. Nodes are immutable after parsing.
type Node struct {
	Kind  Kind
	Span  diag.Span // of the value as written, quotes and block indicator included
	Style Style
	Flow  bool   // written with { } or [ ]
	Text  string // Scalar: the text after unfolding and unescaping, never retyped
	Empty bool   // Scalar: nothing was written

	Pairs []Pair  // Map, in source order
	Items []*Node // List

	Comment string  // comment lines above and behind, without "#"; a pair has them on its key
	Offsets Offsets // Scalar: from byte offsets of Text to places in the file
}

// Pair is one entry of a Map.
type Pair struct{ Key, Value *Node }

// Offsets maps byte offsets of a scalar's Text to places in the file. Marks
// are sorted by Off; between two marks one character of Text is one column.
type Offsets []Mark

// Mark says that the byte at Off of the text stands at Point.
type Mark struct {
	Off   int
	Point diag.Point
	File  string // where it is another file than that of the node
}

// Get returns the value under key of a Map, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, p := range n.Pairs {
		if p.Key.Text == key {
			return p.Value
		}
	}
	return nil
}

// Pair returns the entry under key of a Map, or nil.
func (n *Node) Pair(key string) *Pair {
	if n == nil {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Key.Text == key {
			return &n.Pairs[i]
		}
	}
	return nil
}

// Keys returns the keys of a Map in source order.
func (n *Node) Keys() []string {
	if n == nil {
		return nil
	}
	keys := make([]string, 0, len(n.Pairs))
	for _, p := range n.Pairs {
		keys = append(keys, p.Key.Text)
	}
	return keys
}

// At returns the place in the file of byte off of a scalar's Text. Where the
// mapping is not known it returns the start of the value.
func (n *Node) At(off int) diag.Point {
	if len(n.Offsets) == 0 {
		return n.Span.Start
	}
	m := n.mark(off)
	if off < m.Off {
		return m.Point
	}
	end := min(off, len(n.Text))
	cols := 0
	for range n.Text[min(m.Off, end):end] {
		cols++
	}
	return diag.Point{Line: m.Point.Line, Col: m.Point.Col + cols}
}

// mark is the last one at or in front of byte off, or the first.
func (n *Node) mark(off int) Mark {
	i := sort.Search(len(n.Offsets), func(i int) bool { return n.Offsets[i].Off > off }) - 1
	return n.Offsets[max(i, 0)]
}

// Range returns the place in the file of bytes [from, to) of a scalar's Text.
// Where the mapping is not known, or the bytes come from several files, it
// returns the whole value.
func (n *Node) Range(from, to int) diag.Span {
	if len(n.Offsets) == 0 {
		return n.Span
	}
	start, file := n.At(from), n.Span.File
	end := start
	if other := n.mark(from).File; other != "" {
		file = other
	}
	if to > from {
		// The end is one column behind the last byte, which may stand on
		// another line than the byte after it.
		last := to - 1
		for last > from && last < len(n.Text) && n.Text[last]&0xC0 == 0x80 {
			last--
		}
		if a, b := n.mark(from), n.mark(last); a != b && a.File+b.File != "" {
			return n.Span
		}
		end = n.At(last)
		end.Col++
	}
	return diag.Span{File: file, Start: start, End: end}
}

// File is one parsed definition file.
type File struct {
	Path   string // slash-separated, relative to the workspace
	Source []byte // as read
	Digest string // hex SHA-256 of Source
	Root   *Node  // nil where the file could not be parsed

	Ignores []Ignore // "# crossdock-ignore CODE reason" comments
}

// Ignore is a request to silence one code.
type Ignore = diag.Ignore

// Raw returns the source of n as it stands in the file, quotes, brackets and
// block indicator included.
func Raw(file *File, n *Node) string {
	if file == nil || n == nil {
		return ""
	}
	return diag.NewText(file.Source).Slice(n.Span)
}

// Ignores gathers the ignore comments of all files.
func Ignores(files ...*File) []Ignore {
	var all []Ignore
	for _, f := range files {
		all = append(all, f.Ignores...)
	}
	return all
}

// Verbatim returns a scalar whose text is a whole file, so that places in the
// text are places in that file.
func Verbatim(path, text string) *Node {
	n := &Node{Kind: Scalar, Style: Literal, Text: text}
	line := 1
	n.Offsets = append(n.Offsets, Mark{Off: 0, Point: diag.Point{Line: 1, Col: 1}})
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			line++
			n.Offsets = append(n.Offsets, Mark{Off: i + 1, Point: diag.Point{Line: line, Col: 1}})
		}
	}
	n.Span = diag.Span{File: path, Start: diag.Point{Line: 1, Col: 1}, End: diag.Point{Line: line, Col: 1}}
	return n
}
