package value

import (
	"slices"
	"strings"
)

// Reading is a notation that reads texts, and the numbers they are by it.
type Reading struct {
	Pattern string // for `parse`
	Numbers []Decimal
}

// usual are the notations that are offered, the most usual first.
var usual = scanned([]string{
	"1.234,56", "1,234.56", "1 234,56", "1'234.56", "1 234.56", "1'234,56",
	"1234.56-", "1.234,56-", "1,234.56-", "1 234,56-",
	"(1,234.56)", "(1.234,56)", "(1 234,56)",
})

// usualWhole are those of whole numbers, which come before the others.
var usualWhole = append(scanned([]string{"1.234", "1,234", "1 234", "1'234", "1234-", "1.234-", "1,234-", "(1,234)", "(1.234)"}), usual...)

func scanned(patterns []string) []notation {
	var out []notation
	for _, p := range patterns {
		n, ok := scanNotation(p)
		if !ok {
			panic("notation table: " + p)
		}
		out = append(out, n)
	}
	return out
}

func candidates(t Type) []notation {
	if t.Whole() {
		return usualWhole
	}
	return usual
}

// Notations returns the patterns of numbers of type t that are offered, the most
// usual first.
func Notations(t Type) []string {
	var out []string
	for _, n := range candidates(t) {
		out = append(out, n.text)
	}
	return out
}

// Readings returns the notations by which all texts are numbers of type t, the
// most usual first. Of several that agree on the numbers there is only the first,
// so more than one means that only the sender knows.
func Readings(t Type, texts ...string) []Reading {
	var out []Reading
	for _, n := range candidates(t) {
		numbers, ok := n.all(t, texts)
		if !ok || slices.ContainsFunc(out, func(r Reading) bool {
			return slices.EqualFunc(r.Numbers, numbers, func(a, b Decimal) bool { return a.Cmp(b) == 0 })
		}) {
			continue
		}
		out = append(out, Reading{n.text, numbers})
	}
	return out
}

// all reads all texts.
func (n *notation) all(t Type, texts []string) ([]Decimal, bool) {
	var out []Decimal
	for _, s := range texts {
		d, _, err := n.read(strings.TrimSpace(s))
		if err != nil || t.Base == Integer && !d.IsInteger() {
			return nil, false
		}
		out = append(out, d)
	}
	return out, len(out) > 0
}

// readingHint names the `parse` that reads a text which is no number as JSON
// writes it, and says which number that would be; both where there are two.
func readingHint(t Type, s string) string {
	if len(s) > 60 {
		return "" // nobody's quantity
	}
	var words []string
	for _, r := range Readings(t, s) {
		words = append(words, "`parse: \""+r.Pattern+"\"` reads it as "+r.Numbers[0].String())
	}
	return strings.Join(words, ", ")
}
