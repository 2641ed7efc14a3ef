package rule

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"

	"crossdock/dsl/value"
)

// strict checks the rule as written against the types that the schema gives to
// the paths it reads, and that it answers yes or no.
func (c *compilation) strict() {
	defer func() {
		if r := recover(); r != nil {
			// The checker has no word for it: nothing is known.
			return
		}
	}()
	env := types.Map{}
	for name := range c.scope.Names {
		env[name] = types.Any
	}
	roots := map[string]*usage{}
	for _, p := range c.paths {
		u, ok := roots[p.Root]
		if !ok {
			u = &usage{shape: c.scope.Names[p.Root]}
			roots[p.Root] = u
		}
		u.add(p.Keys())
	}
	for name, u := range roots {
		if name == "vars" { // variables of the environment are texts
			for _, f := range u.fields {
				f.shape = &value.Shape{Type: value.Type{Base: value.String}}
			}
		}
		env[name] = u.typ()
	}
	config := newConfig()
	config.MaxNodes = maxNodes
	config.WithEnv(env)
	config.Expect, config.ExpectAny = reflect.Bool, true
	for i := range Functions {
		config.Functions[Functions[i].Name] = Functions[i].typed()
	}
	tree, err := parser.ParseWithConfig(c.src, config)
	if err != nil {
		return
	}
	if _, err := checker.Check(tree, config); err != nil {
		c.report(c.checkerProblem(err))
	}
}

// usage is the part of a shape that a rule reads. Only that is described to the
// checker, so that schemas may be large or refer to themselves.
type usage struct {
	shape  *value.Shape
	fields map[string]*usage
	item   *usage
}

func (u *usage) add(keys []string) {
	for _, k := range keys {
		if k == value.Items {
			if u.item == nil {
				u.item = &usage{}
				if u.shape != nil {
					u.item.shape = u.shape.Item
				}
			}
			u = u.item
			continue
		}
		if u.fields == nil {
			u.fields = map[string]*usage{}
		}
		next, ok := u.fields[k]
		if !ok {
			next = &usage{}
			if u.shape != nil {
				next.shape = u.shape.Fields[k]
			}
			u.fields[k] = next
		}
		u = next
	}
}

func (u *usage) typ() types.Type {
	switch {
	case len(u.fields) > 0:
		m := types.Map{types.Extra: types.Any}
		for name, f := range u.fields {
			m[name] = f.typ()
		}
		return m
	case u.item != nil:
		return types.Array(u.item.typ())
	case u.shape == nil:
		return types.Any
	}
	switch b := u.shape.Type.Base; {
	case b == value.Integer:
		return types.Int
	case u.shape.Type.Numeric():
		return types.Float64
	case b == value.Boolean:
		return types.Bool
	case u.shape.Type.Textual():
		return types.String
	case b == value.List:
		return types.Array(types.Any)
	case b == value.Object:
		return types.Map{types.Extra: types.Any}
	}
	return types.Any
}

// instead says what makes a yes or no of a rule that gives another type.
func (c *compilation) instead(typ string) string {
	src := strings.TrimSpace(c.src)
	switch {
	case !onePath.MatchString(src):
	case typeName(typ) == "a list":
		return "write `len(" + src + " ?? []) > 0` to ask whether there are any"
	case typeName(typ) == "text":
		return "compare it with something: ... == ..., or write `not blank(" + src + ")` to ask whether there is any"
	case typeName(typ) == "an object":
		return "write `" + src + " != nil` to ask whether it is there"
	}
	return "compare it with something: ... == ..."
}

// onePath is a rule that only names a value.
var onePath = regexp.MustCompile(`^\w+(\??\.\w+|\[-?\d+\])*$`)

// checkerProblem words an error of the checker.
func (c *compilation) checkerProblem(err error) Problem {
	p := Problem{To: len(c.src), Kind: KindType, Message: plainWords(err.Error())}
	var at *file.Error
	if !errors.As(err, &at) {
		// An answer that is not yes or no has no place of its own.
		if m := expected.FindStringSubmatch(err.Error()); m != nil {
			p.Kind = KindResult
			p.Message = "the rule must answer yes or no, but gives " + typeName(m[1])
			p.Hint = c.instead(m[1])
		}
		p.From, p.To = leading(c.src), len(c.src)-trailing(c.src)
		return p
	}
	p.From, p.To = c.bytes(at.From), c.bytes(at.To)
	message := strings.SplitN(at.Message, "\n", 2)[0]
	if m := expected.FindStringSubmatch(message); m != nil {
		p.Kind, p.Message, p.Hint = KindResult, "the rule must answer yes or no, but gives "+typeName(m[1]), c.instead(m[1])
		return p
	}
	if m := mismatch.FindStringSubmatch(message); m != nil {
		p.Message = fmt.Sprintf("`%s` cannot work with %s and %s", m[1], typeName(m[2]), typeName(m[3]))
		if m[1] == "==" || m[1] == "!=" {
			p.Message = fmt.Sprintf("%s is never equal to %s", typeName(m[2]), typeName(m[3]))
		}
		if typeName(m[2]) == "text" && typeName(m[3]) == "a number" || typeName(m[3]) == "text" && typeName(m[2]) == "a number" {
			p.Hint = "put the number between quotes, or write `float(...)` around the text"
		}
		if p.Hint == "" {
			p.Hint = mixed(typeName(m[2]), typeName(m[3]))
		}
		return p
	}
	if m := oneSided.FindStringSubmatch(message); m != nil {
		p.Message = fmt.Sprintf("`%s` works on true and false, and this is %s", m[1], typeName(m[2]))
		p.Hint = "compare it with something: `... == 0`, or `... == nil` where it may be missing"
		switch typeName(m[2]) {
		case "text", "a list", "an object":
			p.Hint = "write `blank(...)` for nothing in it, or compare it with something: `... == nil`"
		}
		return p
	}
	p.Message = plainWords(message)
	return p
}

// mixed says how two values of different types can be compared.
func mixed(a, b string) string {
	switch {
	case a == "true or false" && b == "text", a == "text" && b == "true or false":
		return "write true or false without the quotes"
	case a == "a list" && b != "a list", b == "a list" && a != "a list":
		return "write `x in list`, `any(list, ...)`, or `len(list)` for how many there are"
	}
	return ""
}

var (
	oneSided = regexp.MustCompile(`^invalid operation: (not|!) \(mismatched type (.+)\)$`)
	expected = regexp.MustCompile(`^expected bool, but got (.+)$`)
	mismatch = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (.+) and (.+)\)$`)
	goTypes  = regexp.MustCompile(`map\[string\]interface ?\{\}|map\[string\]any|\[\]interface ?\{\}|\[\]any|\[\]string|\[\]int|interface ?\{\}|\b(?:float64|int64|int|string|bool|unknown|nil)\b|Map\{[^}]*\}|Array\{[^}]*\}`)
)

// typeName returns the word for a type of the machine.
func typeName(t string) string {
	switch {
	case t == "int" || t == "int64" || t == "float64":
		return "a number"
	case t == "string":
		return "text"
	case t == "bool":
		return "true or false"
	case t == "nil" || t == "<nil>":
		return "nothing"
	case strings.HasPrefix(t, "map") || strings.HasPrefix(t, "Map"):
		return "an object"
	case strings.HasPrefix(t, "[]") || strings.HasPrefix(t, "Array"):
		return "a list"
	case t == "time.Time":
		return "a date"
	case t == "time.Duration":
		return "a duration"
	}
	return "a value"
}

// plainWords removes the names of types from a message.
func plainWords(message string) string {
	return goTypes.ReplaceAllStringFunc(strings.SplitN(message, "\n", 2)[0], typeName)
}

// typeWords names the type of a shape.
func typeWords(s *value.Shape) string {
	switch {
	case s.Type.Numeric():
		return "a number"
	case s.Type.Base == value.Boolean:
		return "true or false"
	case s.Type.Base == value.List:
		return "a list"
	case s.Type.Base == value.Object:
		return "an object"
	case s.Type.Temporal():
		return "a " + s.Type.String()
	}
	return "text"
}

func leading(s string) int  { return len(s) - len(strings.TrimLeft(s, " \t\r\n")) }
func trailing(s string) int { return len(s) - len(strings.TrimRight(s, " \t\r\n")) }
