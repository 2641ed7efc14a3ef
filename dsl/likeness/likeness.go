// Package likeness tells how alike the names of two fields are that were given
// by different people: orderNo and SALES_ORDER_NUMBER, zip and postal_code.
//
// Names are taken apart into words, words are read as concepts of the trade
// (words.txt), and concepts are compared. It is a measure for guesses that a
// person looks at, nothing to compute with. All of it is pure.
package likeness

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
)

//go:embed words.txt
var wordsText string

// table is words.txt.
type table struct {
	concepts map[string]string          // word or two_words -> concept
	near     map[string]map[string]bool // concept -> concepts that are near it
	weak     map[string]bool            // concepts that say little
	noise    map[string]bool            // words around the data
	apart    []map[string]bool          // concepts that exclude each other
	contrary map[string]bool            // concepts that turn what stands beside them into its opposite
}

var words = sync.OnceValue(func() *table { return read(wordsText) })

func read(text string) *table {
	t := &table{map[string]string{}, map[string]map[string]bool{}, map[string]bool{}, map[string]bool{}, nil, map[string]bool{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		list := strings.Fields(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '~':
			for _, a := range list[1:] {
				if t.near[a] == nil {
					t.near[a] = map[string]bool{}
				}
				for _, b := range list[1:] {
					t.near[a][b] = true
				}
			}
		case strings.HasPrefix(line, "x "):
			group := map[string]bool{}
			for _, c := range list[1:] {
				group[c] = true
			}
			t.apart = append(t.apart, group)
		case line[0] == '-':
			for _, w := range list[1:] {
				t.weak[w] = true
			}
		case line[0] == '^':
			for _, w := range list[1:] {
				t.contrary[w] = true
			}
		case line[0] == '!':
			for _, w := range list[1:] {
				t.noise[w] = true
			}
		default:
			concept := strings.TrimSuffix(list[0], ":")
			for _, w := range list[1:] {
				t.concepts[w] = concept
			}
		}
	}
	return t
}

// spelt writes the letters of European names as words.txt does.
var spelt = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss",
	"é", "e", "è", "e", "ê", "e", "á", "a", "à", "a", "â", "a", "ã", "a", "å", "a", "í", "i", "ó", "o", "ô", "o", "õ", "o", "ø", "o",
	"ú", "u", "ç", "c", "ñ", "n")

// Words takes a name apart: camel case, underscores, digits and what two known
// words run together.
func Words(name string) []string {
	name = spelt.Replace(name)
	var raw []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			raw = append(raw, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) || i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsLower(runes[i+1])):
			end()
		}
		word = append(word, r)
	}
	end()
	var out []string
	for _, w := range raw {
		// A number belongs to what it counts: Address Line 1.
		if n := len(out); n > 0 && strings.Trim(w, "0123456789") == "" && len(w) == 1 {
			out[n-1] += w
			continue
		}
		out = append(out, apart(w)...)
	}
	return out
}

// apart splits a word that is two known ones, such as shipto or orderno.
func apart(w string) []string {
	t := words()
	if _, known := t.concepts[singular(w)]; known || len(w) < 5 || len(w) > 40 {
		return []string{w}
	}
	for i := len(w) - 2; i >= 2; i-- {
		a, b := w[:i], w[i:]
		_, first := t.concepts[singular(a)]
		_, second := t.concepts[singular(b)]
		_, both := t.concepts[a+"_"+b]
		if both || first && second && len(a) > 2 {
			return []string{a, b}
		}
	}
	return []string{w}
}

func singular(w string) string {
	t := words()
	if _, known := t.concepts[w]; known {
		return w
	}
	switch {
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us"):
		return w[:len(w)-1]
	}
	return w
}

// Concepts reads a name as concepts; words that are unknown stand for
// themselves.
func Concepts(name string) []string {
	t := words()
	list := slices.DeleteFunc(Words(name), func(w string) bool { return w == "or" || w == "and" || w == "of" || w == "the" })
	// The price per unit is a price.
	if i := slices.Index(list, "per"); i > 0 {
		list = list[:i]
	}
	var out []string
	for i := 0; i < len(list); i++ {
		if i+1 < len(list) {
			pair := list[i] + "_" + singular(list[i+1])
			if c, known := t.concepts[pair]; known {
				out, i = append(out, c), i+1
				continue
			}
		}
		w := singular(list[i])
		if c, known := t.concepts[w]; known {
			w = c
		}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// token is one concept of a path with its weight.
type token struct {
	concept string
	weight  float64
	leaf    bool
}

// tokens reads a path, whose last names count most.
func tokens(path []string) []token {
	t := words()
	var out []token
	weight, leaf := 1.0, true
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == "[]" {
			continue
		}
		list := Concepts(path[i])
		if place := slices.Index(list, "status"); leaf && place >= 0 && strings.EqualFold(path[i], "state") && inAddress(path[:i]) {
			list[place] = "region"
		}
		// qty.value is a quantity: what is only around a value does not name it.
		if around := !slices.ContainsFunc(list, func(c string) bool { return !t.noise[c] }); around && (!leaf || i > 0) {
			continue
		}
		if !leaf {
			list = slices.DeleteFunc(list, func(c string) bool { return t.noise[c] })
		}
		for _, c := range list {
			w := weight
			if t.weak[c] {
				w *= 0.6
			}
			if j := slices.IndexFunc(out, func(o token) bool { return o.concept == c }); j < 0 {
				out = append(out, token{c, w, leaf})
			}
		}
		if len(list) > 0 || leaf {
			weight, leaf = weight*0.55, false
		}
	}
	return out
}

// inAddress reports whether the names around a field speak of a place: the state of
// an address is none of an order.
func inAddress(path []string) bool {
	return slices.ContainsFunc(path, func(name string) bool { return Has(name, "address", "receiver", "sender", "billing") })
}

// alike compares two concepts.
func alike(a, b string) float64 {
	switch {
	case a == b:
		return 1
	case words().near[a][b]:
		return 0.5
	case len(a) >= 4 && len(b) >= 4 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)):
		return 0.6
	}
	return 0
}

// Compare returns how alike two paths are, from 0 to 1. The segment "[]" does
// not count.
func Compare(a, b []string) float64 {
	x, y := tokens(a), tokens(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	forth, leafForth := covered(x, y)
	back, leafBack := covered(y, x)
	// A last name that says little may be missing: signer.name and signed_by.
	if leafForth == 0 && leafBack == 0 || leafForth == 0 && telling(x) || leafBack == 0 && telling(y) {
		return 0
	}
	same := 1.0
	if slices.Equal(leaves(x), leaves(y)) {
		same = 1.1
	}
	return min(1, same*2*forth*back/(forth+back)) * min(1, 0.5+0.5*max(leafForth, leafBack)) * strength(x, y) * apartness(x, y) * opposed(x, y) * numbered(a, b)
}

// leaves are the concepts of the last name.
func leaves(list []token) (out []string) {
	for _, t := range list {
		if t.leaf {
			out = append(out, t.concept)
		}
	}
	return out
}

// opposed lowers the canceled quantity where a quantity is asked for, and the
// other way round.
func opposed(x, y []token) float64 {
	contrary := words().contrary
	out := 1.0
	for _, lists := range [][2][]token{{x, y}, {y, x}} {
		for _, t := range lists[0] {
			if contrary[t.concept] && !slices.ContainsFunc(lists[1], func(o token) bool { return o.concept == t.concept }) {
				out = 0.4
			}
		}
	}
	return out
}

// numbered lowers numbers of different things: shipment_status_id is the number of
// a status and of no shipment.
func numbered(a, b []string) float64 {
	x, y := numberOf(a), numberOf(b)
	if x == "" || y == "" || alike(x, y) > 0 {
		return 1
	}
	return 0.5
}

// numberOf is what the last name of a path numbers, "" where it is no number or
// does not say of what.
func numberOf(path []string) string {
	if len(path) == 0 {
		return ""
	}
	list := Concepts(path[len(path)-1])
	if i := slices.IndexFunc(list, func(c string) bool { return c == "number" || c == "code" }); i > 0 {
		return list[i-1]
	}
	return ""
}

// Suits is Compare from the side of a target: what it says of itself has to be in
// the source, while a source may say more.
func Suits(target, source []string) float64 {
	score := Compare(target, source)
	if score == 0 {
		return 0
	}
	found := func(concept string) bool {
		return slices.ContainsFunc(tokens(source), func(t token) bool { return alike(t.concept, concept) >= 0.5 })
	}
	weak := words().weak
	// tz_source is a source, and a zone is none.
	if list := Concepts(target[len(target)-1]); len(list) > 1 && !weak[list[len(list)-1]] && !found(list[len(list)-1]) {
		score *= 0.6
	}
	// The id of a driver says whose id it is.
	strong := slices.DeleteFunc(tokens(target), func(t token) bool { return weak[t.concept] })
	if len(strong) > 0 && !slices.ContainsFunc(strong, func(t token) bool { return found(t.concept) }) {
		score *= 0.7
	}
	return score
}

// strength lowers what two paths have in common by weak words alone: the number
// of an order is not that of a shipment.
func strength(x, y []token) float64 {
	weak := words().weak
	strong := func(list []token) (out []token) {
		for _, t := range list {
			if !weak[t.concept] {
				out = append(out, t)
			}
		}
		return out
	}
	a, b := strong(x), strong(y)
	for _, t := range a {
		for _, o := range b {
			if alike(t.concept, o.concept) >= 0.5 {
				return 1
			}
		}
	}
	switch {
	case len(a) > 0 && len(b) > 0:
		return 0.4
	case len(a)+len(b) > 0:
		return 0.7
	}
	return 1
}

// telling reports whether the last name of a path says more than that it is one.
func telling(list []token) bool {
	return slices.ContainsFunc(list, func(t token) bool { return t.leaf && !words().weak[t.concept] })
}

// apartness lowers what speaks of things that exclude each other.
func apartness(x, y []token) float64 {
	out := 1.0
	for _, group := range words().apart {
		in := func(list []token) (out []string) {
			for _, t := range list {
				if group[t.concept] {
					out = append(out, t.concept)
				}
			}
			return out
		}
		a, b := in(x), in(y)
		if len(a) > 0 && len(b) > 0 && !slices.ContainsFunc(a, func(c string) bool { return slices.Contains(b, c) }) {
			out *= 0.4
		}
	}
	return out
}

// covered is how much of x is found in y, and how much of its last name.
func covered(x, y []token) (all, leaf float64) {
	var total, found, leafTotal, leafFound float64
	for _, a := range x {
		best := 0.0
		for _, b := range y {
			s := alike(a.concept, b.concept)
			if a.leaf != b.leaf {
				s *= 0.8
			}
			best = max(best, s)
		}
		total, found = total+a.weight, found+a.weight*best
		if a.leaf {
			leafTotal, leafFound = leafTotal+a.weight, leafFound+a.weight*best
		}
	}
	return found / total, leafFound / leafTotal
}

// Unknown reports whether a word stands for nothing of the trade.
func Unknown(concept string) bool {
	t := words()
	_, word := t.concepts[concept]
	return !word && !slices.Contains(slices.Collect(maps.Values(t.concepts)), concept)
}

// Has reports whether a name contains one of the concepts.
func Has(name string, concepts ...string) bool {
	return slices.ContainsFunc(Concepts(name), func(c string) bool { return slices.Contains(concepts, c) })
}

// Within reports whether a name says nothing that another does not say, too: the
// name of a postal service is no postal code.
func Within(name, other string) bool {
	list := Concepts(other)
	return !slices.ContainsFunc(Concepts(name), func(c string) bool {
		return !words().weak[c] && !slices.ContainsFunc(list, func(o string) bool { return alike(c, o) >= 0.5 })
	})
}

// Shared returns the concepts that two paths have in common, in the order of
// the first.
func Shared(a, b []string) []string {
	y := tokens(b)
	var out []string
	for _, t := range slices.Backward(tokens(a)) {
		if slices.ContainsFunc(y, func(o token) bool { return o.concept == t.concept }) {
			out = append(out, t.concept)
		}
	}
	return out
}
