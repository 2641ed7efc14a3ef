package draft

import (
	"slices"
	"strings"
	"unicode"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/value"
)

// conversion is how a row makes the type of its target.
type conversion struct {
	fit   float64  // how well the values suit the target, 0 not at all
	pipe  string   // jq behind the source
	keys  []string // "type: date"
	notes []string // what is assumed
	known bool     // all values are options of a choice of many
}

// habits are what is taken for granted of values that do not tell.
type habits struct {
	zone     string // of times without one
	notation string // of numbers, as others of the same samples have it; "" where they do not say
}

// convert says how values of a source become the type of a target. What it
// returns was tried on every value that is known.
func convert(target *value.Shape, src source, as habits) conversion {
	n := src.node
	c := conversion{fit: 1}
	switch base := target.Type.Base; base {
	case value.Any:
	case value.String, value.Name:
		c.text(target, src)
	case value.URL:
		if form, _ := n.Form(); form != profile.URL {
			c.fit = 0
		}
	case value.Choice:
		c.choice(target, n)
	case value.Integer, value.Number, value.Fixed:
		c.number(target.Type, n, as.notation)
	case value.Boolean:
		c.boolean(n)
	case value.Date, value.DateTime, value.Time:
		c.temporal(target, src, as.zone)
	default:
		c.fit = 0
	}
	if c.fit > 0 && !c.works(target, n, as.zone) {
		c.fit = 0
	}
	return c
}

func (c *conversion) text(target *value.Shape, src source) {
	n := src.node
	switch {
	case n.Booleans > 0:
		c.fit = 0.3
		c.keys = append(c.keys, "type: string")
	case n.Numbers > 0:
		c.keys = append(c.keys, "type: string")
	case strings.Contains(target.Note, twoLetters) && !ofTwoLetters(n):
		c.fit = 0.7
		c.notes = append(c.notes, "needs a lookup to "+twoLetters)
	default:
		if form, _ := n.Form(); form == profile.DateTime || form == profile.Date || form == profile.URL {
			c.fit = 0.7
		}
	}
}

// twoLetters is what the note of a field says that takes the codes of countries.
const twoLetters = "ISO 3166-1 alpha-2"

// ofTwoLetters reports whether the values are written like codes of countries.
func ofTwoLetters(n *profile.Node) bool {
	return len(n.Values) > 0 && !slices.ContainsFunc(n.Values, func(v profile.Value) bool { return len(v.Text) != 2 })
}

func (c *conversion) choice(target *value.Shape, n *profile.Node) {
	known := func(v profile.Value) bool { return slices.Contains(target.Options, v.Text) }
	switch {
	case n.Texts == 0 || len(n.Values) == 0:
		c.fit = 0
	case !slices.ContainsFunc(n.Values, func(v profile.Value) bool { return !known(v) }) && !n.More:
		c.fit, c.known = 1.3, len(target.Options) > 3
	case n.CodeLike():
		c.fit = 0.9
		c.notes = append(c.notes, "needs a lookup to "+list(target.Options, 6))
	default:
		c.fit = 0.3
	}
}

func (c *conversion) number(t value.Type, n *profile.Node, notation string) {
	form, _ := n.Form()
	typed := "type: " + t.String()
	switch {
	case n.Booleans > 0:
		c.fit = 0
	case n.Numbers > 0 && n.Texts == 0:
		if t.Base == value.Fixed {
			c.keys = append(c.keys, typed)
		}
		if t.Base == value.Integer && n.Fractions > 0 {
			c.fit = 0
		}
	case form == profile.IntegerText || form == profile.LeadingZero || form == profile.DecimalText && fitting(t, n) && !marked(t, n, notation):
		c.keys, c.fit = append(c.keys, typed), 0.95
	case form == profile.Notation || form == profile.DecimalText:
		c.written(t, n, notation)
	default:
		c.fit = 0
	}
}

// fitting reports whether all values are numbers of a type without a pattern: 1.234
// is no whole number, unless the point stands between groups.
func fitting(t value.Type, n *profile.Node) bool {
	conv, err := value.NewConverter(t, value.Options{})
	return err == nil && !slices.ContainsFunc(n.Values, func(v profile.Value) bool { return conv.Check(v.Text) != nil })
}

// marked reports whether all values are numbers by a notation, too, and others
// than without it: by that of the other numbers 1.000 is a thousand.
func marked(t value.Type, n *profile.Node, notation string) bool {
	if notation == "" || n.Numbers > 0 {
		return false
	}
	other := false
	for _, v := range n.Values {
		by, err := value.Convert(v.Text, t, value.Options{Parse: notation})
		if err != nil {
			return false
		}
		without, err := value.Convert(v.Text, t, value.Options{})
		other = other || err != nil || by != without
	}
	return other
}

// written reads numbers in their own notation.
func (c *conversion) written(t value.Type, n *profile.Node, notation string) {
	found := value.Readings(t, raw(n)...)
	if len(found) == 0 {
		c.fit = 0
		return
	}
	pattern, note := found[0].Pattern, "written "+found[0].Pattern
	switch {
	case marked(t, n, notation):
		pattern, note = notation, "written "+notation+" like other numbers"
	case len(found) > 1:
		note += "; or is it " + found[1].Pattern + "?"
	}
	c.keys, c.fit = append(c.keys, "type: "+t.String(), "parse: "+yamlPattern(pattern)), 0.95
	c.notes = append(c.notes, note)
}

func (c *conversion) boolean(n *profile.Node) {
	if n.Booleans > 0 {
		return
	}
	yes, ok := n.YesNo()
	if !ok {
		c.fit = 0
		return
	}
	c.keys = append(c.keys, "type: boolean", "true_values: ["+quote(yes)+"]")
	c.notes = append(c.notes, "yes is written "+yes)
}

// temporal reads dates and times in the notation that was recognised.
func (c *conversion) temporal(target *value.Shape, src source, zone string) {
	n, base := src.node, target.Type.Base
	form, pattern := n.Form()
	if n.Numbers > 0 || digitsOnly(n) {
		if pattern = numericTime(lastName(src.path), n); pattern == "" {
			c.fit = 0
			return
		}
		form = profile.PatternTime
		if strings.HasPrefix(pattern, "yyyy") {
			form = map[bool]profile.Form{true: profile.Local, false: profile.PatternDate}[strings.Contains(pattern, "HH")]
		}
	}
	c.keys = append(c.keys, "type: "+target.Type.String())
	if pattern != "" {
		c.keys = append(c.keys, "parse: "+yamlPattern(pattern))
		c.notes = append(c.notes, "written "+pattern)
	}
	if other := n.Ambiguous(); other != "" {
		c.notes = append(c.notes, "or is it "+other+"?")
	}
	assume := func() {
		c.keys = append(c.keys, "zone: "+zone)
		c.notes = append(c.notes, "the zone is assumed")
	}
	day := form == profile.Date || form == profile.PatternDate
	switch {
	case base == value.Time:
		if form != profile.Clock {
			c.fit = 0
		}
	case form == profile.Clock || form == profile.NoForm || !day && form != profile.DateTime && form != profile.Local && form != profile.PatternTime:
		c.fit = 0
	case base == value.Date && day:
	case base == value.Date:
		c.fit = 0.8
		assume()
	case day:
		c.fit = 0.7
		c.notes = append(c.notes, "only a day is known: midnight")
		if pattern == "" {
			c.pipe, c.keys = ` + "T00:00:00"`, c.keys[:1]
		}
		assume()
	case form == profile.Local:
		assume()
	}
}

func yamlPattern(p string) string {
	if strings.ContainsAny(p, "':,|#") || p[0] == '1' || p[0] == '(' {
		return `"` + p + `"`
	}
	return p
}

// works tries the conversion on every value that is known.
func (c *conversion) works(target *value.Shape, n *profile.Node, zone string) bool {
	if len(c.keys) == 0 || n.Booleans > 0 {
		return true
	}
	opt := value.Options{}
	for _, k := range c.keys {
		name, text, _ := strings.Cut(k, ": ")
		switch name {
		case "parse":
			opt.Parse = strings.Trim(text, `"`)
		case "zone":
			opt.Zone = zone
		case "true_values":
			yes, _ := n.YesNo()
			opt.TrueValues = []string{yes}
		}
	}
	conv, err := value.NewConverter(target.Type, opt)
	if err != nil {
		return false
	}
	for _, v := range n.Values {
		text := v.Text
		if c.pipe != "" {
			text += "T00:00:00"
		}
		if conv.Check(text) != nil {
			return false
		}
	}
	return true
}

// alike is how well a source suits a target: by its name, by where it stands,
// and by its values.
func alike(target []string, src source, fit float64) float64 {
	name := likeness.Suits(target, src.path)
	switch leaf := lastName(target); {
	case likeness.Has(leaf, "country") && ofTwoLetters(src.node):
		name *= 1.1
	case likeness.Has(leaf, "name", "description") && wordless(src.node):
		name *= 0.5 // nobody is called #9999
	case measured(src.path) && !likeness.Has(leaf, measures...):
		name *= 0.5 // product_uom_qty is a quantity and no product
	case likeness.Has(leaf, "country") && src.node.Longest > 3:
		name *= 0.8 // a code where there is one
	case likeness.Has(leaf, "number") && entry(src.path, target):
		name *= 0.5 // 11 of status.id is a code that many messages have
	}
	if called(target, src) {
		name = max(name, 0.5)
	}
	if src.node.Present() == 0 {
		name *= 0.8
	}
	// Of names that mean the same, the one with the same words.
	ours := likeness.Words(lastName(target))
	for _, w := range likeness.Words(lastName(src.path)) {
		if slices.Contains(ours, w) {
			name *= 1.01
		}
	}
	if of([]string{"sender"}, target) && !of([]string{"sender"}, src.path) {
		name *= 0.8 // an address without more is where something goes
	}
	return name * src.far * fit
}

// called reports whether a source is what an item of a list is called, where its
// description is asked for.
func called(target []string, src source) bool {
	return slices.Contains(target, value.Items) && slices.Contains(src.path, value.Items) && src.far == 1 && !wordless(src.node) &&
		slices.Equal(likeness.Concepts(lastName(target)), []string{"description"}) && slices.Equal(likeness.Concepts(lastName(src.path)), []string{"name"}) &&
		src.path[len(src.path)-2] == value.Items
}

// measures are the concepts of which a name that ends with one is the measure of what
// it names in front.
var measures = []string{"quantity", "price", "amount", "weight", "volume", "length", "width", "height", "total", "tax", "cost", "date", "time", "created", "updated", "actual", "requested", "planned", "estimated"}

// measured reports whether the last name of a path is that of a measure.
func measured(path []string) bool {
	list := likeness.Concepts(lastName(path))
	return len(list) > 0 && slices.Contains(measures, list[len(list)-1])
}

// wordless reports whether there is no letter in any value.
func wordless(n *profile.Node) bool {
	return len(n.Values) > 0 && !slices.ContainsFunc(n.Values, func(v profile.Value) bool {
		return strings.ContainsFunc(v.Text, unicode.IsLetter)
	})
}

// lists are the concepts of which partners send an entry of a list, with its id.
var lists = []string{"status", "reason", "type", "service", "country", "carrier", "unit", "currency"}

// entry reports whether a path is the id of an entry of a list: of a status, a
// reason or a country, where the target is about something else.
func entry(path, target []string) bool {
	if len(path) < 2 || !slices.Equal(likeness.Concepts(lastName(path)), []string{"number"}) {
		return false
	}
	around := path[len(path)-2]
	return slices.ContainsFunc(lists, func(c string) bool {
		return likeness.Has(around, c) && !slices.ContainsFunc(target, func(name string) bool { return likeness.Has(name, c) })
	})
}
