package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// protection tells which outbound values nobody may change unseen.
type protection struct {
	named []string // of crossdock.yaml: lower-case paths, or last names
}

func newProtection(sides ...*compile.Workspace) *protection {
	p := &protection{}
	for _, ws := range sides {
		if ws.Spec == nil {
			continue
		}
		for _, f := range ws.Spec.Protected {
			p.named = append(p.named, strings.ToLower(f.Value))
		}
	}
	return p
}

// why says why a value is protected; "" where it is not.
func (p *protection) why(of pair, place string, path []string, ch change) string {
	if place != "body" && place != "query" && place != "with" {
		return ""
	}
	at := general(path)
	for _, name := range p.named {
		low := strings.ToLower(at)
		if low == name || strings.HasSuffix(low, "."+name) || strings.TrimSuffix(low, "[]") == name || low == strings.ToLower(of.b.target)+"."+name {
			return "listed below `protected` in crossdock.yaml"
		}
	}
	for _, c := range []call{of.b, of.a} {
		shape := shapeAt(c.shape, path)
		if shape != nil && shape.Protected != nil {
			if *shape.Protected {
				return "`protected` in its schema"
			}
			return ""
		}
	}
	for _, c := range []call{of.b, of.a} {
		if shape := shapeAt(c.shape, path); shape != nil && shape.Type.Base == value.Fixed {
			return shape.Type.String() + " in its schema"
		}
		if t := c.typed[at]; t != "" {
			return t + " in its row"
		}
	}
	return byNames(path, ch)
}

// shapeAt follows a path of a payload through a shape.
func shapeAt(s *value.Shape, path []string) *value.Shape {
	steps := make([]string, len(path))
	for i, name := range path {
		steps[i] = name
		if strings.HasPrefix(name, "[") {
			steps[i] = value.Items
		}
	}
	got, _, ok := s.At(steps)
	if !ok {
		return nil
	}
	return got.Shape
}

// The words that money, quantities and proofs of delivery go by. A value is
// taken for money or a quantity only where it is a number.
var (
	moneyWords    = []string{"amount", "price", "cost", "charge", "charges", "total", "subtotal", "tax", "vat", "duty", "discount", "fee", "surcharge", "freight", "cod", "net", "gross", "currency", "rate"}
	quantityWords = []string{"qty", "quantity", "weight", "volume", "pieces", "packages", "parcels", "pallets", "cartons", "units", "kg", "lb", "count"}
	proofWords    = []string{"pod", "proof", "signature", "signed", "signer", "signatory"}
	plainWords    = []string{"value", "sum"} // that say nothing without what stands around them
)

// byNames tells what the names on the way to a value say of it.
func byNames(path []string, ch change) string {
	var names [][]string
	for _, p := range path {
		if !strings.HasPrefix(p, "[") {
			names = append(names, words(p))
		}
	}
	if len(names) == 0 {
		return ""
	}
	for _, w := range names {
		if slices.ContainsFunc(w, func(s string) bool { return slices.Contains(proofWords, s) }) {
			return "proof of delivery, by its name"
		}
	}
	last := names[len(names)-1]
	if len(names) > 1 && (len(last) == 1 && slices.Contains(plainWords, last[0])) {
		last = append(last, names[len(names)-2]...)
	}
	has := func(list []string) bool {
		return slices.ContainsFunc(last, func(s string) bool { return slices.Contains(list, s) })
	}
	switch {
	case slices.Contains(last, "currency"):
		return "money, by its name"
	case !numeric(ch.before) && !numeric(ch.after):
		return ""
	case has(quantityWords):
		return "a quantity, by its name"
	case has(moneyWords):
		return "money, by its name"
	}
	return ""
}

func numeric(v any) bool {
	switch x := v.(type) {
	case json.Number:
		return true
	case string:
		_, err := value.DecimalOf(x)
		return err == nil && x != ""
	}
	return false
}

// words splits a name: grossWeight_kg is gross, weight, kg.
func words(name string) []string {
	var out []string
	var w strings.Builder
	flush := func() {
		if w.Len() > 0 {
			out = append(out, strings.ToLower(w.String()))
			w.Reset()
		}
	}
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			lower = false
			continue
		case unicode.IsUpper(r) && lower:
			flush()
		}
		lower = unicode.IsLower(r)
		w.WriteRune(r)
	}
	flush()
	return out
}

// types are what rows say of the values they make, by path.
type types map[string]string

// typed are the types of the rows that make the body of a step.
func (p *player) typed(s *compile.Step) types {
	out := types{}
	for _, m := range []*mapping.Mapping{s.Map} {
		if m != nil && p.ws.Mappings[m.Name] != nil {
			for k, v := range p.rows(p.ws.Mappings[m.Name]) {
				out[k] = v
			}
		}
	}
	if s.Spec != nil {
		collectTypes(out, "", s.Spec.With)
	}
	return out
}

// rows are the types of the rows of a mapping.
func (p *player) rows(m *compile.Mapping) types {
	if t, known := p.types[m.Name]; known {
		return t
	}
	t := types{}
	if m.Spec != nil {
		collectTypes(t, "", m.Spec.Fields)
	}
	p.types[m.Name] = t
	return t
}

func collectTypes(out types, at string, rows spec.Fields[spec.Row]) {
	for _, r := range rows {
		path := at + r.Key.Text
		row := r.Value
		switch {
		case row.Unit.Set():
			out[path] = "unit " + row.Unit.Value
		case strings.HasPrefix(row.Type.Value, "decimal"):
			out[path] = row.Type.Value
		}
		if len(row.Fields) > 0 {
			inner := path + "."
			if row.Each.Set() {
				inner = path + "[]."
			}
			collectTypes(out, inner, row.Fields)
		}
	}
}
