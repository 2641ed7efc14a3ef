package draft

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// Request is what a mapping is drafted from.
type Request struct {
	Name    string
	From    string         // schema of the input, "" for none
	To      *schema.Schema // what the mapping makes
	Output  string         // the name of To as it is to be written
	Samples []string       // files, relative to the mapping
	Profile *profile.Profile
	Zone    string // of times without one, where one has to be assumed
	Lookups bool   // whether lookups can be written beside it
}

// Guess is one target of a drafted mapping.
type Guess struct {
	Target   string  `json:"target"` // "lines[].sku"
	Source   string  `json:"source,omitempty"`
	Score    float64 `json:"score,omitempty"` // 0 to 1; one below 0.45 is not made
	Reason   string  `json:"reason,omitempty"`
	Required bool    `json:"required,omitempty"`
	Lookup   *Coded  `json:"-"` // the lookup that the row reads, nil for none
}

// least is the score below which nothing is guessed: a wrong row costs more
// than an empty one.
const least = 0.45

// Mapping drafts a mapping: a row per field of the target schema that something
// in the samples seems to be meant for, and a comment per field without one.
// Rows of required fields are marked as required. The guesses come in the order
// of the schema.
func Mapping(r Request) ([]byte, []Guess, error) {
	root := r.Profile.Root
	if root.Objects == 0 || root.Lists+root.Texts+root.Numbers > 0 {
		return nil, nil, fmt.Errorf("a mapping reads one object, but the sample is %s", what(root))
	}
	shape := r.To.Shape()
	if len(shape.Order) == 0 {
		return nil, nil, fmt.Errorf("%s lists no fields", r.To.Name)
	}
	m := &mapper{request: r, keyed: keyed(root, ""), habits: habits{r.Zone, r.Profile.Notation()}}
	m.object(shape, nil, &scope{node: root}, "  ")
	var b strings.Builder
	fmt.Fprintf(&b, "mapping: %s\n", r.Name)
	if r.From != "" {
		fmt.Fprintf(&b, "input: %s\n", r.From)
	}
	fmt.Fprintf(&b, "output: %s\n", r.Output)
	if len(r.Samples) > 0 {
		var files []string
		for _, s := range r.Samples {
			files = append(files, quote(s))
		}
		fmt.Fprintf(&b, "samples: [%s]\n", strings.Join(files, ", "))
	}
	fmt.Fprintf(&b, "# Drafted from %s. Look at every row: a guess says why it was made.\n", plural(r.Profile.Documents, "sample"))
	fmt.Fprintf(&b, "# TODO lines are fields for which nothing was found; lint reports those that are required.\n")
	for _, at := range m.keyed {
		fmt.Fprintf(&b, "# The names below %s are data, so no row reads them. To have each entry by itself, as key and value:\n# crossdock new mapping ... --split '%s | to_entries[]'\n", comment(at), comment(at))
	}
	b.WriteString("fields:\n")
	if !m.any {
		b.WriteString("  # nothing in the samples looks like a field of the target; this row is only a beginning\n")
		fmt.Fprintf(&b, "  %s: {from: empty}\n", shape.Order[0])
	}
	b.WriteString(m.text.String())
	return laid(&b), m.guesses, nil
}

func what(n *profile.Node) string {
	switch {
	case n.Lists > 0:
		return "a list: name its items with --split '.[]'"
	case n.Objects == 0:
		return "no object"
	}
	return "of several kinds"
}

type mapper struct {
	request Request
	habits  habits
	text    strings.Builder
	guesses []Guess
	any     bool // some row was written
	keyed   []string
}

// slot is one field of the target at one level of rows.
type slot struct {
	path     []string // from the rows around it
	whole    []string // from the whole target
	shape    *value.Shape
	required bool
	match    *match
}

// fixed reports whether a field has one possible value: no source is asked for it.
func (s *slot) fixed() bool { return s.required && len(s.shape.Options) == 1 }

// match is what was found for a slot.
type match struct {
	slot   *slot
	src    source
	conv   conversion
	score  float64
	why    string // what else speaks for it than names
	zone   string // where the zone of a time stands, "" where it does not say
	read   source // what is read, before anything was put around it
	fixed  string // the value of a row that reads nothing, "" for others
	lookup *Coded // nil for none
}

// slots lists the scalar fields and the lists of an object; objects inside it
// are taken apart.
func slots(shape *value.Shape, path, whole []string, required bool, depth int) []*slot {
	var out []*slot
	for _, name := range shape.Order {
		f := shape.Fields[name]
		s := &slot{path: below(path, name), whole: below(whole, name), shape: f, required: required && f.Required}
		if len(f.Fields) > 0 && depth < 8 {
			out = append(out, slots(f, s.path, s.whole, s.required, depth+1)...)
			continue
		}
		out = append(out, s)
	}
	return out
}

// object writes the rows of one level.
func (m *mapper) object(shape *value.Shape, whole []string, at *scope, indent string) {
	list := slots(shape, nil, whole, true, 0)
	m.assign(list, at)
	scalars := at.scalars()
	for _, s := range list {
		if s.match != nil {
			s.match.read = s.match.src
		}
	}
	m.pairs(list, at)
	m.lookups(list, scalars)
	m.zones(list, scalars)
	m.units(list, scalars)
	m.cents(list, scalars)
	m.streets(list)
	m.subject(list, at)
	if at.root == nil {
		m.whoSends(list)
		m.eventID(list, scalars)
	}
	m.follows(list, scalars)
	for _, s := range list {
		switch {
		case s.match == nil && m.oneLine(s, list, at, indent):
		case s.match == nil:
			m.missing(s, at, indent)
		case s.shape.Type.Base == value.List:
			m.list(s, at, indent)
		default:
			m.row(s, indent)
		}
	}
}

// assign gives each slot its best source. A source is given away once, unless
// nothing else comes near.
func (m *mapper) assign(list []*slot, at *scope) {
	scalars, lists := at.scalars(), at.lists()
	var all []*match
	for _, s := range list {
		if s.fixed() {
			continue
		}
		if s.shape.Type.Base == value.List {
			for _, src := range lists {
				if score := max(m.likeList(s, src, at), likePairs(s, src)); score >= least {
					all = append(all, &match{slot: s, src: src, score: score})
				}
			}
			continue
		}
		for _, src := range scalars {
			conv := convert(s.shape, src, m.habits)
			if conv.fit == 0 || !src.suits(s.whole) || likeness.Has(lastName(s.path), "number") && (oneForAll(src.node) || ofKind(s, src)) {
				continue
			}
			score := min(1, alike(s.whole, src, conv.fit)) * asNumber(s, src) * plainly(src)
			if conv.known && score > 0.2 {
				score = max(score, 0.95) // the values say more than the name
			}
			if score >= least {
				all = append(all, &match{slot: s, src: src, conv: conv, score: score})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *match) int { return cmp.Compare(b.score, a.score) })
	used := map[string]int{}
	for pass := range 2 {
		for _, c := range all {
			// A second use needs a better reason than the first.
			if c.slot.match != nil || used[c.src.expr] > pass || used[c.src.expr] > 0 && c.score < 0.8 {
				continue
			}
			c.slot.match = c
			used[c.src.expr]++
		}
	}
	m.beside(list, scalars, used)
	m.fullName(list, scalars, used)
	m.onlyTime(list, scalars, used)
	m.own(list, scalars, used, at)
	m.onlyName(list, scalars, used, at)
}

// fullName puts the name of a person together where only its parts are there.
func (m *mapper) fullName(list []*slot, scalars []source, used map[string]int) {
	for _, s := range list {
		if s.match != nil || s.shape.Type.Base != value.String || len(s.path) < 2 || !slices.Equal(likeness.Concepts(lastName(s.path)), []string{"name"}) {
			continue
		}
		var given, family *source
		for _, src := range scalars {
			if used[src.expr] > 0 || s.neighbour(list, src) == nil {
				continue
			}
			switch concepts := likeness.Concepts(lastName(src.path)); {
			case slices.Equal(concepts, []string{"given"}):
				given = &src
			case slices.Equal(concepts, []string{"family"}):
				family = &src
			}
		}
		if given == nil || family == nil {
			continue
		}
		src := *family
		src.expr = "[" + given.expr + ", " + family.expr + `] | map(values) | join(" ")`
		s.match = &match{slot: s, src: src, conv: conversion{fit: 1}, score: 0.7,
			why: "put together of " + lastName(given.path) + " and " + lastName(family.path)}
		used[given.expr]++
		used[family.expr]++
	}
}

// beside gives a field without a source what stands beside the source of its
// neighbour under its own name: where the city of an address was found, its region
// is not looked for elsewhere.
func (m *mapper) beside(list []*slot, scalars []source, used map[string]int) {
	for _, s := range list {
		if s.match != nil || s.fixed() || s.shape.Type.Base == value.List || len(s.path) < 2 {
			continue
		}
		var best *match
		for _, src := range scalars {
			around := s.neighbour(list, src)
			if around == nil || used[src.expr] > 0 {
				continue
			}
			conv := convert(s.shape, src, m.habits)
			name := likeness.Compare(s.path[len(s.path)-1:], src.path[len(src.path)-1:])
			if conv.fit < 0.7 || name < 0.7 || !likeness.Within(lastName(src.path), lastName(s.path)) || best != nil && name <= best.score {
				continue
			}
			best = &match{slot: s, src: src, conv: conv, score: name,
				why: lastName(src.path) + " stands beside " + lastName(around.match.src.path)}
		}
		if best != nil {
			best.score = max(least, best.score*0.6)
			s.match = best
			used[best.src.expr]++
		}
	}
}

// neighbour is a field of the same object whose source is of the object that src
// is of, nil for none. Fields of the whole document are no neighbours: there all
// things stand beside each other.
func (s *slot) neighbour(list []*slot, src source) *slot {
	object := func(expr string) string { return expr[:max(0, strings.LastIndex(expr, "."))] }
	for _, o := range list {
		if o == s || o.match == nil || o.shape.Type.Base == value.List || !slices.Equal(o.path[:len(o.path)-1], s.path[:len(s.path)-1]) {
			continue
		}
		if base := object(o.match.src.expr); base != "" && base == object(src.expr) {
			return o
		}
	}
	return nil
}

// oneForAll reports whether all samples have the same text and no digit is in it:
// that is a word and no number of anything. Of one sample, it is one where it is
// written as the words of programs are: status_changed.
func oneForAll(n *profile.Node) bool {
	if n.Texts == 1 && len(n.Values) == 1 && programWord.MatchString(n.Values[0].Text) {
		return true
	}
	return n.Texts > 1 && len(n.Values) == 1 && !n.More && !strings.ContainsAny(n.Values[0].Text, "0123456789")
}

var programWord = regexp.MustCompile(`^[a-z]+([._-][a-z]+)+$`)

// onlyTime gives a required time the only one that the samples have, whatever it
// is called.
func (m *mapper) onlyTime(list []*slot, scalars []source, used map[string]int) {
	var open *slot
	for _, s := range list {
		if s.match != nil || !s.required || s.shape.Type.Base != value.DateTime {
			continue
		}
		if open != nil {
			return
		}
		open = s
	}
	var found []*match
	for _, src := range scalars {
		switch form, _ := src.node.Form(); form {
		case profile.DateTime, profile.Local, profile.PatternTime:
		default:
			continue
		}
		if used[src.expr] > 0 || src.far < 1 || open == nil {
			return
		}
		if conv := convert(open.shape, src, m.habits); conv.fit > 0 {
			found = append(found, &match{slot: open, src: src, conv: conv, score: least, why: "the only time there is"})
		}
	}
	if len(found) == 1 {
		open.match = found[0]
	}
}

// likeList compares lists: by their names, and by what their items could give.
func (m *mapper) likeList(s *slot, src source, at *scope) float64 {
	name := likeness.Compare(s.whole, src.path)
	items := src.node.Items()
	switch {
	case items == nil:
		return 0
	case s.shape.Item == nil || len(s.shape.Item.Fields) == 0:
		if items.Objects > 0 {
			return 0
		}
		return name
	case items.Objects == 0:
		return 0
	}
	inner := &scope{node: items, path: below(src.path, value.Items)}
	fields := slots(s.shape.Item, nil, below(s.whole, value.Items), true, 0)
	(&mapper{request: m.request}).assign(fields, inner)
	found, need := 0.0, 0.0
	for _, f := range fields {
		weight := 0.3
		if f.required {
			weight = 1
		}
		need += weight
		if f.match != nil {
			found += weight * f.match.score
		}
	}
	if found == 0 {
		return 0
	}
	return min(1, 0.6*name+0.7*found/max(need, 0.1))
}

func (m *mapper) list(s *slot, at *scope, indent string) {
	c := s.match
	why := m.note(s)
	name := key(strings.Join(s.path, "."))
	if s.shape.Item == nil || len(s.shape.Item.Fields) == 0 {
		fmt.Fprintf(&m.text, "%s%s: {each: %s}%s\n", indent, name, cell(c.src.expr), why)
		return
	}
	fmt.Fprintf(&m.text, "%s%s:%s\n%s  each: %s\n", indent, name, why, indent, cell(c.src.expr))
	if s.required {
		fmt.Fprintf(&m.text, "%s  required: true\n", indent)
	}
	fmt.Fprintf(&m.text, "%s  fields:\n", indent)
	if part := partsOf(c.src.node.Items()); part != "" {
		fmt.Fprintf(&m.text, "%s  # some items are part of another, which %s names; without them: each: '%s[] | select(%s == null)'\n", indent, comment(part), comment(c.src.expr), comment(field(part)))
	}
	root := at
	if at.root != nil {
		root = at.root
	}
	inner := &scope{node: c.src.node.Items(), path: below(c.src.path, value.Items), root: root}
	m.object(s.shape.Item, below(s.whole, value.Items), inner, indent+"    ")
}

// row writes one row, short where nothing is said about it.
func (m *mapper) row(s *slot, indent string) {
	c := s.match
	if c.fixed != "" {
		fmt.Fprintf(&m.text, "%s%s: {const: %s}%s\n", indent, key(strings.Join(s.path, ".")), quote(c.fixed), m.note(s))
		return
	}
	from := c.src.expr + c.conv.pipe
	keys := c.conv.keys
	if s.required {
		keys = append(keys[:len(keys):len(keys)], "required: true")
	}
	body := cell(from)
	if len(keys) > 0 {
		body = "{from: " + cell(from) + ", " + strings.Join(keys, ", ") + "}"
	}
	fmt.Fprintf(&m.text, "%s%s: %s%s\n", indent, key(strings.Join(s.path, ".")), body, m.note(s))
}

// note is the comment of a guess, and puts it on record.
func (m *mapper) note(s *slot) string {
	c := s.match
	m.any = true
	reason, from := c.why, c.src.expr
	switch {
	case c.fixed != "":
		from = "const " + c.fixed
	case c.why != "":
	case slices.Equal(likeness.Words(lastName(s.path)), likeness.Words(lastName(c.src.path))):
		reason = "the same name"
	default:
		reason = lastName(c.src.path) + " is like " + lastName(s.path)
	}
	if c.src.how != "" {
		reason += "; " + c.src.how
	}
	for _, n := range c.conv.notes {
		reason += "; " + n
	}
	if s.shape.Type.Base == value.Choice && c.conv.fit < 1 && c.fixed == "" {
		reason += "; seen: " + list(c.src.values(5), 5)
	}
	m.guesses = append(m.guesses, Guess{schema.Join(s.whole), from, c.score, reason, s.required, c.lookup})
	return fmt.Sprintf("   # guess %.0f%%: %s", 100*c.score, comment(reason))
}

// missing writes what is not mapped yet. A field with one possible value has
// that one.
func (m *mapper) missing(s *slot, at *scope, indent string) {
	name := strings.Join(s.path, ".")
	if s.fixed() {
		m.any = true
		reason := "the only value it can have"
		m.guesses = append(m.guesses, Guess{schema.Join(s.whole), "const " + s.shape.Options[0], 1, reason, true, nil})
		fmt.Fprintf(&m.text, "%s%s: {const: %s}   # guess: %s\n", indent, key(name), quote(s.shape.Options[0]), reason)
		return
	}
	m.guesses = append(m.guesses, Guess{Target: schema.Join(s.whole), Required: s.required})
	about := s.shape.Type.String()
	if len(s.shape.Options) > 0 {
		about += " of " + list(s.shape.Options, 5)
	}
	if s.required {
		about = "required, " + about
	}
	if s.shape.Note != "" {
		about += ": " + comment(s.shape.Note)
	}
	if hint := m.hint(s, at); hint != "" {
		about += "; " + hint
	}
	fmt.Fprintf(&m.text, "%s# TODO %s: %s\n", indent, key(name), about)
}

// asNumber lowers the key that a system has for a thing where its number is asked for,
// which people know: orderId beside orderNumber.
func asNumber(s *slot, src source) float64 {
	form, _ := src.node.Form()
	switch ours := likeness.Words(lastName(s.path)); {
	case !likeness.Has(lastName(s.path), "number") || slices.ContainsFunc(ours, isKey):
		return 1
	case form == profile.UUID:
		return 0.9
	case src.node.Numbers > 0 && slices.Equal(likeness.Words(lastName(src.path)), []string{"order"}):
		return 0.5 // a place in a list is called so, too
	case slices.ContainsFunc(likeness.Words(lastName(src.path)), isKey):
		return 0.97
	}
	return 1
}

// plainly lowers a quantity that says of which kind it is, beside one that does not:
// quantityShipped beside quantity.
func plainly(src source) float64 {
	if list := likeness.Concepts(lastName(src.path)); len(list) > 1 && list[0] == "quantity" {
		return 0.98
	}
	return 1
}

func isKey(word string) bool {
	return slices.Contains([]string{"id", "uuid", "guid", "uid", "identifier", "key"}, word)
}

// ofKind reports whether a source numbers a status, a type or a reason, which many
// have in common, where the target numbers one thing.
func ofKind(s *slot, src source) bool {
	return slices.ContainsFunc([]string{"status", "type", "reason"}, func(kind string) bool {
		return likeness.Has(lastName(src.path), kind) && !of([]string{kind}, s.path)
	})
}

// coded reports whether a place seems to hold codes of what a message is about.
func coded(src source) bool {
	if src.node.Texts > 0 {
		return likeness.Has(lastName(src.path), "status", "type", "event", "code")
	}
	return src.node.Numbers > 0 && src.node.Fractions == 0 && !temporalName(lastName(src.path)) &&
		(likeness.Has(lastName(src.path), "status", "code") || entry(src.path, nil) && likeness.Has(src.path[len(src.path)-2], "status", "type"))
}

// hint says how a field without a row is often filled: a choice from codes of the
// other side, the name of a partner with a fixed value.
func (m *mapper) hint(s *slot, at *scope) string {
	switch {
	case s.shape.Type.Base == value.Choice && len(s.shape.Options) > 1 && of([]string{"event", "status", "type", "reason", "code"}, s.path):
		for _, src := range at.scalars() {
			if seen := src.values(4); (len(seen) > 1 || len(seen) == 1 && m.request.Profile.Documents == 1 && likeness.Has(lastName(src.path), "status")) && src.far == 1 && coded(src) {
				return "perhaps " + src.expr + " through a lookup: " + list(seen, 4)
			}
		}
	case s.required && s.shape.Type.Base == value.String && (likeness.Has(lastName(s.path), "carrier") || lastName(s.path) == "source" || lastName(s.path) == "partner"):
		if who := partnerOf(m.request.From); who != "" {
			return "perhaps {const: " + quote(who) + "}"
		}
	}
	return ""
}
