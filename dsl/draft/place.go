package draft

import (
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/unit"
	"crossdock/dsl/value"
)

// Beside what a row reads often stands how it is to be read: the zone of a time, the
// unit of a weight, the currency of an amount. A row that does not ask them gives
// another time or weight without a word.

// objectOf is the object that an expression reads a field of.
func objectOf(expr string) string { return expr[:max(0, strings.LastIndex(expr, "."))] }

// besideOf returns the sources in the same object as src whose last name speaks of a
// concept. Where there are none, the only one of the document is it.
func besideOf(src source, scalars []source, concept string) []source {
	var near, far []source
	for _, o := range scalars {
		if o.expr == src.expr || o.role != src.role || !speaks(lastName(o.path), concept) {
			continue
		}
		far = append(far, o)
		if objectOf(o.expr) == objectOf(src.expr) {
			near = append(near, o)
		}
	}
	if len(near) == 0 && len(far) == 1 {
		return far
	}
	return near
}

// speaks reports whether a name is that of a concept. Units are a quantity, too.
func speaks(name, concept string) bool {
	return likeness.Has(name, concept) || concept == "unit" && slices.Contains(likeness.Words(name), "units")
}

// localTimes are the patterns of ISO times without an offset.
var localTimes = []string{"yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm", "yyyy-MM-dd'T'HH:mm:ss.SSS"}

// zones reads a time with the zone that stands beside it, instead of assuming one.
func (m *mapper) zones(all []*slot, scalars []source) {
	for _, s := range all {
		if s.match == nil || !s.shape.Type.Temporal() || !slices.ContainsFunc(s.match.conv.keys, func(k string) bool { return strings.HasPrefix(k, "zone: ") }) {
			continue
		}
		src, form := s.match.src, profile.NoForm
		patterns := localTimes
		f, pattern := src.node.Form()
		if form = f; pattern != "" {
			patterns = []string{pattern}
		}
		if form != profile.Local || src.node.Numbers > 0 || s.shape.Type.Base != value.DateTime {
			continue
		}
		zone := besideOf(src, scalars, "zone")
		if len(zone) != 1 || zone[0].node.Texts != zone[0].node.Seen || zone[0].node.More {
			continue
		}
		parse := withZone(src.node, zone[0].node, patterns)
		if parse == "" {
			continue
		}
		s.match.src.expr = src.expr + ` + " " + ` + zone[0].expr
		s.match.conv.keys = []string{"type: " + s.shape.Type.String(), "parse: " + yamlPattern(parse)}
		s.match.conv.notes = []string{"its zone stands in " + lastName(zone[0].path)}
		s.match.zone = zone[0].expr
	}
}

// withZone is the pattern that reads all times with all zones behind them, "" for none.
func withZone(times, zones *profile.Node, patterns []string) string {
	for _, p := range patterns {
		for _, letters := range []string{" VV", " XXX", " Z"} {
			conv, err := value.NewConverter(value.Type{Base: value.DateTime}, value.Options{Parse: p + letters})
			if err != nil {
				continue
			}
			fails := slices.ContainsFunc(times.Values, func(t profile.Value) bool {
				return slices.ContainsFunc(zones.Values, func(z profile.Value) bool { return conv.Check(t.Text+" "+z.Text) != nil })
			})
			if !fails && len(times.Values) > 0 && len(zones.Values) > 0 {
				return p + letters
			}
		}
	}
	return ""
}

// units converts a measure whose target says its unit, as weight_kg does, from the
// unit that the other side names: in the name of the field, or beside it.
func (m *mapper) units(all []*slot, scalars []source) {
	for _, s := range all {
		if s.match == nil || s.match.src.node.Texts+s.match.src.node.Numbers == 0 || !slices.Contains([]value.Base{value.Fixed, value.Number}, s.shape.Type.Base) {
			continue
		}
		to, named := unitIn(lastName(s.path))
		if !named {
			continue
		}
		src := s.match.src
		if from, named := unitIn(lastName(src.path)); named {
			s.match.inUnit(from, to, lastName(src.path)+" says so")
			continue
		}
		beside := besideOf(src, scalars, "unit")
		if len(beside) != 1 || beside[0].node.More || len(beside[0].node.Values) == 0 || objectOf(beside[0].expr) != objectOf(src.expr) {
			continue
		}
		told := beside[0].node.Values
		if slices.ContainsFunc(told, func(v profile.Value) bool { return unitOf(v.Text) == "" || value.CheckUnits(unitOf(v.Text), to) != nil }) {
			s.match.conv.notes = append(s.match.conv.notes, "its unit stands in "+lastName(beside[0].path)+": "+list(beside[0].values(3), 3))
			continue
		}
		if len(told) == 1 && src.node.Present() > 1 || len(told) == 1 && m.request.Profile.Documents == 1 {
			s.match.inUnit(unitOf(told[0].Text), to, lastName(beside[0].path)+" is "+told[0].Text)
			continue
		}
		s.match.conv.notes = append(s.match.conv.notes, "in units that differ, see "+lastName(beside[0].path)+": "+list(beside[0].values(3), 3))
	}
}

// inUnit makes a row convert.
func (c *match) inUnit(from, to, why string) {
	if from == to || value.CheckUnits(from, to) != nil {
		return
	}
	c.conv.keys = append([]string{"unit: " + from + " -> " + to}, c.conv.keys...)
	c.conv.notes = append(c.conv.notes, why)
}

// unitOf is the short name of a unit as people write it, "" for none.
func unitOf(text string) string {
	u, known := unit.Find(text)
	if !known {
		u, _ = unit.Find(unit.Word(text))
	}
	return u.Name
}

// unitIn is the unit that a name ends with: kg of weight_kg.
func unitIn(name string) (string, bool) {
	words := likeness.Words(name)
	if len(words) < 2 {
		return "", false
	}
	last := words[len(words)-1]
	if slices.Contains([]string{"in", "m", "c", "f", "k", "t", "g", "l"}, last) {
		return "", false // a word or a letter as well
	}
	u := unitOf(last)
	return u, u != ""
}

// streets puts the lines of a street together where the target has one field for
// them: what stands in the second line belongs to the address, too.
func (m *mapper) streets(all []*slot) {
	second := slices.ContainsFunc(all, func(s *slot) bool { return s.match != nil && strings.Contains(s.match.src.how, "its second line") })
	for _, s := range all {
		if second || s.match == nil || !strings.Contains(s.match.src.how, "its first line") {
			continue
		}
		src := &s.match.src
		src.how = strings.Replace(src.how, "its first line", "its lines put together", 1)
		if inner, found := strings.CutSuffix(src.expr, "[0])"); found {
			src.expr = inner + ` | map(values) | join(", "))`
		} else {
			src.expr = strings.TrimSuffix(src.expr, "[0]") + ` | map(values) | join(", ")`
		}
	}
}

// cents warns of an amount that may be counted in the smallest coin: beside its
// currency, and never with a fraction.
func (m *mapper) cents(all []*slot, scalars []source) {
	for _, s := range all {
		if s.match == nil || s.shape.Type.Base != value.Fixed || !likeness.Has(lastName(s.path), "price", "total", "amount", "cost", "net", "tax") {
			continue
		}
		src := s.match.src
		if n := src.node; n.Fractions > 0 || n.Numbers == 0 || n.Longest > 0 || !slices.ContainsFunc(n.Values, func(v profile.Value) bool { return len(v.Text) > 2 }) || besideOf(src, scalars, "currency") == nil {
			continue
		}
		s.match.conv.notes = append(s.match.conv.notes, "never a fraction: where it counts cents, from: exact_div("+src.expr+"; 100; 2)")
	}
}

// partsOf is the field by which items of a list name another item as the one they
// are part of, "" where none does: a set and its parts are not ordered twice.
func partsOf(items *profile.Node) string {
	for _, name := range items.Order {
		f := items.Fields[name]
		if !slices.Contains(likeness.Words(name), "parent") || len(f.Values) == 0 || f.Present() == items.Objects {
			continue
		}
		for _, other := range items.Order {
			if o := items.Fields[other]; other != name && !slices.ContainsFunc(f.Values, func(v profile.Value) bool {
				return !slices.ContainsFunc(o.Values, func(w profile.Value) bool { return w.Text == v.Text })
			}) {
				return name
			}
		}
	}
	return ""
}
