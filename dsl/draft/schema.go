package draft

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// maxText bounds a draft: a definition may have a mebibyte.
const maxText = 900 << 10

// Schema writes the schema that all documents of a profile keep to. sources
// names them for people. The documents must be objects, or lists.
func Schema(name string, p *profile.Profile, sources []string) ([]byte, error) {
	switch kinds := p.Root.Kinds(); {
	case p.Documents == 0:
		return nil, fmt.Errorf("there is no document to infer from")
	case len(kinds) != 1 || p.Root.Null > 0:
		return nil, fmt.Errorf("the documents are of different kinds (%s): they need schemas of their own", strings.Join(kinds, ", "))
	case kinds[0] == "list" && (p.Root.Item == nil || p.Root.Item.Null > 0):
		return nil, fmt.Errorf("the documents are lists without items")
	case kinds[0] != "object" && kinds[0] != "list":
		return nil, fmt.Errorf("a document is a %s: a schema describes objects and lists", kinds[0])
	case kinds[0] == "object" && len(p.Root.Order) == 0:
		return nil, fmt.Errorf("the documents have no fields")
	}
	w := &schemaWriter{}
	w.node(nil, p.Root, false)
	if len(w.lines) == 0 {
		return nil, fmt.Errorf("the documents have no fields with a name")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "schema: %s\n", name)
	for _, line := range head(p, sources) {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	b.WriteString("fields:\n")
	for _, l := range w.lines {
		if b.Len() > maxText {
			b.WriteString("  # more fields are not listed: the documents are too large to be described field by field\n")
			break
		}
		b.WriteString(l.text())
	}
	return laid(&b), nil
}

func head(p *profile.Profile, sources []string) []string {
	out := []string{"Inferred from " + plural(p.Documents, "document") + ": " + list(sources, 4) + "."}
	if p.Documents == 1 {
		out = append(out, "One document proves nothing about what may be missing: required is set only where items of a", "list agree. Infer again with more samples, or set it yourself.")
	} else {
		out = append(out, "Required is what each of them had; with more samples it may be less.")
	}
	return append(out, "Comments tell what was seen and not written down as a rule.")
}

// line is one field of a schema.
type line struct {
	path []string
	keys []string // "type: string"
	why  []string
}

func (l line) text() string {
	body := "{" + strings.Join(l.keys, ", ") + "}"
	out := "  " + key(schema.Join(l.path)) + ": " + body
	if len(l.why) > 0 {
		out += "   # " + comment(strings.Join(l.why, "; "))
	}
	return out + "\n"
}

type schemaWriter struct{ lines []line }

func below(path []string, name string) []string { return append(path[:len(path):len(path)], name) }

// node writes what stands at a place. required tells that it was there in all
// objects around it.
func (w *schemaWriter) node(path []string, n *profile.Node, required bool) {
	l := line{path: path}
	if required {
		l.keys = append(l.keys, "required: true")
	}
	kinds := n.Kinds()
	switch {
	case len(kinds) == 0:
		l.why = append(l.why, "always null")
	case len(kinds) == 1 && n.Objects > 0:
		w.object(l, n)
		return
	case len(kinds) == 1 && n.Lists > 0:
		w.list(l, n)
		return
	case n.OneOrMany() && len(kinds) == 2:
		l.why = append(l.why, fmt.Sprintf("one object in %d, a list in %d: `each` takes both", n.Objects, n.Lists))
	case len(kinds) > 1:
		l.why = append(l.why, strings.Join(kinds, " or "))
	default:
		w.scalar(&l, n)
	}
	w.add(l)
}

func (w *schemaWriter) add(l line) { w.lines = append(w.lines, l) }

func (w *schemaWriter) object(l line, n *profile.Node) {
	switch {
	case len(l.path) == 0:
	case len(n.Order) == 0 || n.Keyed():
		l.keys = slices.Insert(l.keys, 0, "type: object")
		if n.Keyed() {
			l.why = append(l.why, "its names are data: "+list(n.Order, 3))
		} else if !n.Deep {
			l.why = append(l.why, "always empty")
		}
		w.add(l)
		return
	case l.path[len(l.path)-1] != value.Items && !(len(l.keys) > 0 && w.promises(n)):
		// A required field inside would make it required too.
		l.keys = slices.Insert(l.keys, 0, "type: object")
		w.add(l)
	}
	for _, name := range n.Order {
		if f := n.Fields[name]; name != "" && name != value.Items {
			w.node(below(l.path, name), f, f.Null == 0 && f.Seen == n.Objects && n.Objects > 1)
		}
	}
}

// promises reports whether some field of an object is always there, which says
// that the object is.
func (w *schemaWriter) promises(n *profile.Node) bool {
	for _, f := range n.Fields {
		if f.Null == 0 && f.Seen == n.Objects && n.Objects > 1 {
			return true
		}
	}
	return false
}

func (w *schemaWriter) list(l line, n *profile.Node) {
	item := n.Item
	switch {
	case item == nil || item.Seen == 0:
		l.keys = slices.Insert(l.keys, 0, "type: list")
		if !n.Deep {
			l.why = append(l.why, "always empty")
		}
	case item.Null > 0:
		l.keys = slices.Insert(l.keys, 0, "type: list")
		l.why = append(l.why, "some items are null")
	case len(item.Kinds()) > 1:
		l.keys = slices.Insert(l.keys, 0, "type: list")
		l.why = append(l.why, "items are "+strings.Join(item.Kinds(), " or "))
	case item.Objects > 0 && len(item.Order) > 0 && !item.Keyed():
		if len(l.keys) > 0 {
			l.path = below(l.path, value.Items)
			w.add(l)
			l.path = l.path[:len(l.path)-1]
		}
		w.object(line{path: below(l.path, value.Items)}, item)
		return
	case item.Lists > 0:
		if item.Item != nil && item.Item.Objects == item.Item.Seen && len(item.Item.Order) > 0 {
			w.list(line{path: below(l.path, value.Items)}, item)
			return
		}
		l.keys = slices.Insert(l.keys, 0, "type: list")
		l.why = append(l.why, "lists in a list")
	default:
		l.path = below(l.path, value.Items)
		if item.Objects > 0 {
			l.keys = slices.Insert(l.keys, 0, "type: object")
		} else {
			required := slices.Contains(l.keys, "required: true")
			l.keys = nil
			w.scalar(&l, item)
			if required {
				l.keys = append(l.keys, "required: true")
			}
		}
	}
	if len(l.path) == 0 {
		l.path, l.keys = []string{value.Items}, nil
	}
	w.add(l)
}

// scalar writes the type of texts, numbers or booleans.
func (w *schemaWriter) scalar(l *line, n *profile.Node) {
	typ, pii := "string", personal(l.path, n)
	var options []string
	switch {
	case n.Booleans > 0:
		typ = "boolean"
	case n.Numbers > 0:
		typ = w.number(l, n)
	default:
		typ, options = w.text(l, n, pii)
	}
	keys := []string{"type: " + typ}
	if options != nil {
		keys = append(keys, "options: ["+strings.Join(options, ", ")+"]")
	}
	l.keys = append(keys, l.keys...)
	if pii {
		l.keys = append(l.keys, "pii: true")
		l.why = append(l.why, "pii is a guess")
	}
}

func (w *schemaWriter) number(l *line, n *profile.Node) string {
	name := lastName(l.path)
	if pattern := numericTime(name, n); pattern != "" {
		l.why = append(l.why, "a time: parse: "+pattern)
	}
	switch {
	case n.Fractions > 0:
		if n.Scale > 0 {
			l.why = append(l.why, fmt.Sprintf("up to %s behind the point", plural(n.Scale, "digit")))
		}
		return "number"
	case likeness.Has(name, "weight", "volume", "length", "width", "height", "quantity", "price", "amount", "total", "net", "tax", "cost", "latitude", "longitude", "temperature", "distance", "rate"):
		l.why = append(l.why, "only whole numbers seen, but the name speaks of a measure")
		return "number"
	}
	return "integer"
}

// text returns the type of texts, with its options where it is a choice.
func (w *schemaWriter) text(l *line, n *profile.Node, pii bool) (string, []string) {
	name := lastName(l.path)
	form, pattern := n.Form()
	if n.Present() == 0 {
		l.why = append(l.why, "always empty")
		return "string", nil
	}
	if n.Empty > 0 {
		l.why = append(l.why, fmt.Sprintf("empty in %d of %d", n.Empty, n.Seen))
	}
	if yes, ok := n.YesNo(); ok && !pii {
		l.why = append(l.why, "yes or no: type: boolean, true_values: ["+quote(yes)+"] in a row")
		return "string", nil
	}
	switch form {
	case profile.Date, profile.DateTime, profile.Clock, profile.URL:
		if n.Empty == 0 {
			return string(form), nil
		}
		l.why = append(l.why, "else a "+string(form))
	case profile.Local:
		if digitsOnly(n) && !temporalName(name) {
			break
		}
		why := "a time without zone: zone: Area/City"
		if pattern != "" {
			why += ", parse: " + pattern
		}
		l.why = append(l.why, why+" in a row")
	case profile.PatternDate, profile.PatternTime:
		if digitsOnly(n) && !temporalName(name) {
			break
		}
		why := "a date: parse: " + pattern
		if other := n.Ambiguous(); other != "" {
			why += ", or " + other
		}
		l.why = append(l.why, why+" in a row")
	case profile.LeadingZero:
		l.why = append(l.why, "digits with leading zeros stay text")
	case profile.IntegerText, profile.DecimalText:
		if !numbered(name) {
			l.why = append(l.why, "a number written as text")
		}
	case profile.Notation:
		if numbered(name) {
			break
		}
		why := "a number: parse: " + yamlPattern(pattern)
		if other := n.Ambiguous(); other != "" {
			why += ", or " + yamlPattern(other)
		}
		l.why = append(l.why, why+" in a row")
	}
	if pii || likeness.Has(name, "number", "reference", "tracking", "sku", "postal", "city", "name", "batch", "serial", "street", "description", "note") {
		return "string", nil
	}
	if n.Codes() {
		l.why = append(l.why, fmt.Sprintf("options are a guess from %s", plural(n.Texts, "value")))
		return "choice", texts(n)
	}
	if n.CodeLike() && likeness.Has(name, "status", "type", "reason", "code", "event", "unit", "currency", "service") {
		l.why = append(l.why, "codes seen: "+list(raw(n), 8))
	}
	return "string", nil
}

// numbered reports whether a name speaks of digits that count nothing.
func numbered(name string) bool {
	return likeness.Has(name, "number", "reference", "code", "postal", "phone", "tracking", "sku", "ean", "key")
}

func texts(n *profile.Node) []string {
	out := raw(n)
	slices.Sort(out)
	for i, t := range out {
		out[i] = quote(t)
	}
	return out
}

func raw(n *profile.Node) []string {
	var out []string
	for _, v := range n.Values {
		out = append(out, v.Text)
	}
	return out
}

func lastName(path []string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] != value.Items {
			return path[i]
		}
	}
	return ""
}

func digitsOnly(n *profile.Node) bool {
	return !slices.ContainsFunc(n.Values, func(v profile.Value) bool { return strings.Trim(v.Text, "0123456789") != "" })
}

// temporalName reports whether a name speaks of a date or time.
func temporalName(name string) bool {
	return likeness.Has(name, "date", "time", "created", "updated", "requested", "planned", "estimated", "actual", "start", "end", "delivered")
}

// numericTime returns how numbers that stand for a time are read.
func numericTime(name string, n *profile.Node) string {
	if !temporalName(name) || len(n.Values) == 0 || n.Fractions > 0 {
		return ""
	}
	if form, pattern := n.Form(); form == profile.PatternDate || form == profile.Local {
		return pattern
	}
	for _, c := range []struct{ least, most, pattern string }{{"1000000000", "4102444799", "epoch"}, {"1000000000000", "4102444799999", "epoch_ms"}} {
		all := !slices.ContainsFunc(n.Values, func(v profile.Value) bool {
			return len(v.Text) != len(c.least) || v.Text < c.least || v.Text > c.most
		})
		if all {
			return c.pattern
		}
	}
	return ""
}

// people are the concepts whose names are those of persons.
var people = []string{"receiver", "billing", "driver", "contact", "buyer", "sender", "signer", "person", "user", "agent"}

// personal guesses whether a text is about a person: names, phones, e-mail.
func personal(path []string, n *profile.Node) bool {
	if n.Texts == 0 {
		return false
	}
	name := lastName(path)
	if temporalName(name) {
		return false // last_changed_at is nobody's last name
	}
	if form, _ := n.Form(); form == profile.Email || form == profile.Phone {
		return true
	}
	if likeness.Has(name, "email", "phone", "given", "family", "signer") && !likeness.Has(name, "type", "url") {
		return n.Present() > 0 && !n.CodeLike() || likeness.Has(name, "given", "family", "signer") || likeness.Has(name, "phone") && dialled(n)
	}
	// Whose address it is, it need not say; that of a depot is nobody's.
	somebody := of(people, path) || of([]string{"address"}, path) && !of([]string{"location"}, path)
	if likeness.Has(name, "street", "street2") {
		return n.Present() > 0 && somebody
	}
	switch concepts := likeness.Concepts(name); {
	case slices.Equal(concepts, []string{"receiver"}):
		return n.Present() > 0 && !n.CodeLike() // deliver_to is a name or an address
	case slices.Equal(concepts, []string{"address"}):
		return n.Present() > 0 && spoken(n)
	}
	if !likeness.Has(name, "name") || likeness.Has(name, "company", "carrier", "sku", "location", "service", "event", "status", "country", "region", "city") {
		return likeness.Has(name, "contact") && !n.CodeLike()
	}
	return somebody
}

// spoken reports whether some value has several words, as the addresses of people
// have and those of machines do not.
func spoken(n *profile.Node) bool {
	return slices.ContainsFunc(n.Values, func(v profile.Value) bool { return strings.Contains(strings.TrimSpace(v.Text), " ") })
}

// of reports whether some name of a path speaks of one of the concepts.
func of(concepts, path []string) bool {
	return slices.ContainsFunc(path, func(name string) bool { return likeness.Has(name, concepts...) })
}

// dialled reports whether some value has the digits of a phone number, letters
// or not: 555-555-SHIP.
func dialled(n *profile.Node) bool {
	return slices.ContainsFunc(n.Values, func(v profile.Value) bool {
		digits := 0
		for _, r := range v.Text {
			if unicode.IsDigit(r) {
				digits++
			}
		}
		return digits > 4
	})
}
