package rule

import (
	"slices"
	"strings"

	"crossdock/dsl/value"
)

// operation is an operator or function of a rule and what stands on its sides.
type operation struct {
	operator string
	operands []operand
}

type operand struct {
	path    Path
	known   bool
	literal bool
}

// reading is the value of an operand at the time of a failure.
type reading struct {
	path  string
	value any
	item  bool // it belongs to the items of a list, so its value is not known
}

func (o operation) readings(env *Env) []reading {
	var out []reading
	for _, x := range o.operands {
		if !x.known {
			continue
		}
		r := reading{path: x.path.String()}
		steps := x.path.Segments
		for i, s := range steps {
			if s.Name == value.Items && !s.Indexed {
				r.item = true
				steps = steps[:i]
				break
			}
		}
		if root := rootIndex(x.path.Root); root >= 0 && !r.item {
			r.value, _ = follow(env.root(root), steps)
		}
		out = append(out, r)
	}
	return out
}

// wanted returns what an operator needs, in words, and whether a value is that.
func wanted(operator string) (words string, fits func(any) bool) {
	kind := func(k string) func(any) bool { return func(v any) bool { return value.Kind(v) == k } }
	switch operator {
	case "not", "!", "and", "&&", "or", "||", "if", "each":
		return "true or false", kind("boolean")
	case "-", "*", "/", "%", "**", "^", "..", "abs", "ceil", "floor", "round", "max", "min", "sum", "mean", "median":
		return "a number", kind("number")
	case "+":
		return "a number or text", func(v any) bool { k := value.Kind(v); return k == "number" || k == "text" }
	case "contains", "startsWith", "endsWith", "matches", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "indexOf", "lastIndexOf",
		"hasPrefix", "hasSuffix", "date", "duration":
		return "text", kind("text")
	case "len":
		return "a list, text or object", func(v any) bool { k := value.Kind(v); return k == "list" || k == "text" || k == "object" }
	case "all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "first", "last", "take":
		return "a list", kind("list")
	case "int", "float":
		return "a number, or text that holds one", kind("number")
	case "string":
		return "text, a number, true or false", kind("text")
	}
	return "another value", func(v any) bool { return v != nil }
}

// asking are the functions that put a yes/no question to each item.
var asking = []string{"all", "none", "any", "one", "filter", "find", "findIndex", "findLast", "findLastIndex", "count"}

// blame names the operand that does not fit.
func (o operation) blame(env *Env) *Error {
	readings := o.readings(env)
	for _, r := range readings {
		if r.value == nil && !r.item {
			return &Error{Code: "missing", Path: r.path, Message: r.path + " is missing, and `" + o.operator + "` needs a value", Hint: "give one with `" + r.path + " ?? ...`"}
		}
	}
	if strings.ContainsAny(o.operator, "<>") {
		return o.blameOrder(readings)
	}
	words, fits := wanted(o.operator)
	for _, r := range readings {
		if r.item {
			return &Error{Code: "type", Path: r.path, Message: r.path + ": in one of the items it is missing or not " + words}
		}
		if !fits(r.value) {
			e := &Error{Code: "type", Path: r.path, Message: "`" + o.operator + "` expects " + words + ", but " + r.path + " is " + describe(r.value)}
			if o.operator == "contains" && value.Kind(r.value) == "list" {
				e.Hint = "write `x in " + r.path + "`"
			}
			return e
		}
	}
	if slices.Contains(asking, o.operator) && len(readings) > 0 && len(o.operands) > 1 {
		return &Error{Code: "type", Path: readings[0].path, Message: "`" + o.operator + "` asks each item of " + readings[0].path + ", and the answer to one is not true or false"}
	}
	return &Error{Code: "type", Message: "`" + o.operator + "` expects " + words + ", but a value is missing or of another kind"}
}

func (o operation) blameOrder(readings []reading) *Error {
	switch {
	case len(readings) == 2 && !readings[0].item && !readings[1].item:
		return &Error{Code: "type", Path: readings[0].path,
			Message: "cannot put " + readings[0].path + " (" + describe(readings[0].value) + ") and " + readings[1].path + " (" + describe(readings[1].value) + ") in order"}
	case len(readings) > 0 && readings[0].item:
		return &Error{Code: "type", Path: readings[0].path, Message: readings[0].path + ": in one of the items it is missing or cannot be compared with `" + o.operator + "`"}
	case len(readings) > 0:
		e := &Error{Code: "type", Path: readings[0].path, Message: "`" + o.operator + "` cannot compare " + readings[0].path + ", which is " + describe(readings[0].value)}
		if s, ok := readings[0].value.(string); ok {
			if _, err := value.ParseDecimal(strings.TrimSpace(s)); err == nil {
				e.Hint = "it is text: write `float(" + readings[0].path + ")`"
			}
		}
		return e
	}
	return &Error{Code: "type", Message: "`" + o.operator + "` has values on its sides that cannot be compared"}
}
