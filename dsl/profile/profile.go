// Package profile is what samples tell about documents: for every place how
// often there was a value, of which kinds, and what the texts and numbers have
// in common.
//
// A profile states what was seen and guesses nothing about what was not; what
// follows from it is up to who reads it. It is bounded in everything that a
// document can be large in, so any number of documents of any shape may be
// added.
package profile

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of a profile. What is beyond them is counted at the place above.
const (
	MaxDepth  = 28    // steps from the whole document
	MaxFields = 500   // names at one place
	MaxNodes  = 6_000 // places altogether
	maxValues = 60    // different values that are kept of one place
	maxKept   = 200   // bytes of a value that is kept
)

// Profile is what was seen in a number of documents. It is used by one
// goroutine.
type Profile struct {
	Documents int
	Root      *Node
	Truncated bool // some place was beyond the bounds

	nodes int
}

// Node is what was seen at one place.
type Node struct {
	Name string // the field, "[]" for the items of a list, "" for the whole
	Seen int    // values, null included

	Null, Texts, Numbers, Booleans, Objects, Lists int

	Fields map[string]*Node
	Order  []string // the names of Fields: as they stand in the documents where that is known, else sorted
	Item   *Node
	Deep   bool // something below was beyond the bounds

	Most    int     // items of the longest list
	Empty   int     // texts of nothing but blanks
	Longest int     // characters of the longest text
	Values  []Value // different texts and numbers, the first of them
	More    bool    // there were more different values

	Fractions int // numbers that are not whole
	Scale     int // digits behind the point, at most

	forms    []form // that all texts, or all numbers, have had so far
	anyTexts bool
}

// Value is one text or number and how often it was there.
type Value struct {
	Text  string
	Count int
}

// OnlyTexts is the place as if the numbers among its texts were not there.
func (n *Node) OnlyTexts() *Node {
	out := &Node{Name: n.Name, Seen: n.Texts, Texts: n.Texts, Empty: n.Empty, Longest: n.Longest, More: n.More, anyTexts: n.anyTexts}
	for _, v := range n.Values {
		if _, err := strconv.ParseFloat(v.Text, 64); err != nil {
			out.Values = append(out.Values, v)
		}
	}
	return out
}

// New returns an empty profile.
func New() *Profile { return &Profile{Root: &Node{}, nodes: 1} }

// Add takes in one document, a decoded JSON value.
func (p *Profile) Add(v any) {
	p.Documents++
	p.add(p.Root, v, 0)
}

func (p *Profile) add(n *Node, v any, depth int) {
	n.Seen++
	switch v := v.(type) {
	case nil:
		n.Null++
	case bool:
		n.Booleans++
	case string:
		n.Texts++
		n.text(v)
	case json.Number:
		n.Numbers++
		n.number(string(v))
	case *big.Int:
		n.Numbers++
		n.number(v.String())
	case []any:
		n.Lists++
		n.Most = max(n.Most, len(v))
		if len(v) > 0 && n.Item == nil {
			n.Item = p.node(n, "[]", depth)
		}
		for _, item := range v {
			if n.Item != nil {
				p.add(n.Item, item, depth+1)
			}
		}
	case map[string]any:
		n.Objects++
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if f := p.field(n, name, depth); f != nil {
				p.add(f, v[name], depth+1)
			}
		}
	}
}

func (p *Profile) field(n *Node, name string, depth int) *Node {
	if f := n.Fields[name]; f != nil {
		return f
	}
	if len(n.Order) >= MaxFields {
		n.Deep, p.Truncated = true, true
		return nil
	}
	f := p.node(n, name, depth)
	if f == nil {
		return nil
	}
	if n.Fields == nil {
		n.Fields = map[string]*Node{}
	}
	n.Fields[name] = f
	n.Order = append(n.Order, name)
	return f
}

func (p *Profile) node(above *Node, name string, depth int) *Node {
	if depth >= MaxDepth || p.nodes >= MaxNodes {
		above.Deep, p.Truncated = true, true
		return nil
	}
	p.nodes++
	return &Node{Name: name}
}

func (n *Node) text(s string) {
	n.Longest = max(n.Longest, utf8.RuneCountInString(s))
	if strings.TrimSpace(s) == "" {
		n.Empty++
		return
	}
	n.keep(s)
	n.recognise(s)
}

func (n *Node) number(s string) {
	whole, scale := digitsOf(s)
	if !whole {
		n.Fractions++
	}
	n.Scale = max(n.Scale, scale)
	n.keep(s)
	n.recognise(s)
}

// digitsOf tells whether a number as it is written has no fraction, and how
// many digits stand behind its point.
func digitsOf(s string) (whole bool, scale int) {
	if strings.ContainsAny(s, "eE") {
		return false, 0 // rare, and nobody's quantity
	}
	_, fraction, found := strings.Cut(s, ".")
	return !found || strings.Trim(fraction, "0") == "", len(fraction)
}

// keep counts a value among those of the place.
func (n *Node) keep(s string) {
	if len(s) > maxKept {
		n.More = true
		return
	}
	for i := range n.Values {
		if n.Values[i].Text == s {
			n.Values[i].Count++
			return
		}
	}
	if len(n.Values) >= maxValues {
		n.More = true
		return
	}
	n.Values = append(n.Values, Value{s, 1})
}

// Present returns how often there was a value that is neither null nor an
// empty text.
func (n *Node) Present() int { return n.Seen - n.Null - n.Empty }

// Kinds returns the words for the kinds of values that were there, without
// null: text, number, boolean, object, list.
func (n *Node) Kinds() []string {
	var out []string
	for _, k := range []struct {
		word  string
		count int
	}{{"text", n.Texts}, {"number", n.Numbers}, {"boolean", n.Booleans}, {"object", n.Objects}, {"list", n.Lists}} {
		if k.count > 0 {
			out = append(out, k.word)
		}
	}
	return out
}

// OneOrMany reports whether the place held a list in some documents and a
// single object in others.
func (n *Node) OneOrMany() bool { return n.Lists > 0 && n.Objects > 0 }

// Items returns the objects that `each` would give: those of the list, and the
// single ones. It is nil where there are none.
func (n *Node) Items() *Node {
	if n.Lists == 0 || n.Item == nil {
		return nil
	}
	if n.Objects == 0 {
		return n.Item
	}
	out := *n.Item
	out.Fields, out.Order = map[string]*Node{}, nil
	for _, from := range []*Node{n.Item, n} {
		for _, name := range from.Order {
			if out.Fields[name] == nil {
				out.Fields[name] = from.Fields[name]
				out.Order = append(out.Order, name)
			}
		}
	}
	out.Seen, out.Objects = n.Item.Seen+n.Objects, n.Item.Objects+n.Objects
	return &out
}

// Follow brings the fields into the order in which they stand in a document
// that was added. Names seen before keep their order.
func (p *Profile) Follow(raw []byte) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	ranks := map[*Node]map[string]int{}
	follow(d, p.Root, ranks)
	for n, rank := range ranks {
		known := len(rank)
		for i, name := range n.Order {
			if _, there := rank[name]; !there {
				rank[name] = known + i
			}
		}
		slices.SortStableFunc(n.Order, func(a, b string) int { return rank[a] - rank[b] })
	}
}

// follow walks one value. It ends early on anything unexpected: only the order
// of names is at stake.
func follow(d *json.Decoder, n *Node, ranks map[*Node]map[string]int) bool {
	t, err := d.Token()
	if err == io.EOF || err != nil {
		return false
	}
	switch t {
	case json.Delim('['):
		var item *Node
		if n != nil {
			item = n.Item
		}
		for d.More() {
			if !follow(d, item, ranks) {
				return false
			}
		}
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			name, ok := key.(string)
			if err != nil || !ok {
				return false
			}
			var field *Node
			if n != nil {
				if field = n.Fields[name]; field != nil {
					if ranks[n] == nil {
						ranks[n] = map[string]int{}
					}
					if _, seen := ranks[n][name]; !seen {
						ranks[n][name] = len(ranks[n])
					}
				}
			}
			if !follow(d, field, ranks) {
				return false
			}
		}
	default:
		return true
	}
	_, err = d.Token() // the closing bracket
	return err == nil
}
