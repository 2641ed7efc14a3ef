package value

import (
	"strconv"
	"strings"

	"crossdock/dsl/diag"
)

// Base is a type of the language without its arguments.
type Base uint8

// The types of the language. Any is the zero Base: no type was given and a
// value stays as it is.
const (
	Any Base = iota
	String
	Integer
	Number
	Boolean
	Fixed // written decimal(n): exactly n digits after the point
	Date
	DateTime
	Time
	URL
	Name // lower-case letters, digits and hyphens, beginning with a letter
	Choice
	List
	Object
)

var baseNames = [...]string{"any", "string", "integer", "number", "boolean", "decimal", "date", "datetime", "time", "url", "name", "choice", "list", "object"}

// String returns the word used in definitions.
func (b Base) String() string { return baseNames[b] }

// Type is a type as written in a definition. The zero Type is "any".
type Type struct {
	Base   Base
	Digits int   // Fixed: digits after the point
	Item   *Type // List: the type of the items, nil where any
}

// String returns the type as it is written in a definition.
func (t Type) String() string {
	switch {
	case t.Base == Fixed:
		return "decimal(" + strconv.Itoa(t.Digits) + ")"
	case t.Base == List && t.Item != nil:
		return "list(" + t.Item.String() + ")"
	}
	return t.Base.String()
}

// Numeric reports whether values of the type are JSON numbers.
func (t Type) Numeric() bool { return t.Base == Integer || t.Base == Number || t.Base == Fixed }

// Temporal reports whether values of the type are dates or times.
func (t Type) Temporal() bool { return t.Base == Date || t.Base == DateTime || t.Base == Time }

// Textual reports whether values of the type are JSON texts.
func (t Type) Textual() bool {
	return t.Base == String || t.Base == URL || t.Base == Name || t.Base == Choice || t.Temporal()
}

// Innermost returns the type of what is inside lists of lists.
func (t Type) Innermost() Type {
	for t.Base == List && t.Item != nil {
		t = *t.Item
	}
	return t
}

// maxFixedDigits bounds n in decimal(n); maxListDepth bounds list(list(...)).
const (
	maxFixedDigits = 18
	maxListDepth   = 4
)

// Types other languages call differently.
var foreignTypes = map[string]string{
	"text": "string", "str": "string", "varchar": "string", "char": "string", "int": "integer", "long": "integer", "float": "number",
	"double": "number", "numeric": "decimal(2)", "money": "decimal(2)", "bool": "boolean", "flag": "boolean", "timestamp": "datetime",
	"date-time": "datetime", "instant": "datetime", "uri": "url", "enum": "choice", "array": "list", "map": "object", "struct": "object",
}

// ParseType reads a type as written in a definition: string, integer, number,
// boolean, decimal(n), date, datetime, time, url, name, choice, list, list(T)
// or object. "any" and "" give the zero Type.
func ParseType(s string) (Type, error) { return parseType(strings.TrimSpace(s), 0) }

func parseType(s string, depth int) (Type, error) {
	if s == "" {
		return Type{}, nil
	}
	word, arg, hasArg := s, "", false
	if i := strings.IndexByte(s, '('); i >= 0 && strings.HasSuffix(s, ")") {
		word, arg, hasArg = strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:len(s)-1]), true
	}
	base, ok := findBase(word)
	if !ok {
		return Type{}, unknownType(word)
	}
	switch {
	case base == Fixed:
		if !hasArg {
			return Type{}, &Error{Code: CodeDefinition, Message: "decimal needs its number of digits after the point", Hint: "write decimal(2)"}
		}
		n, err := strconv.Atoi(arg)
		if _, scale, two := strings.Cut(arg, ","); two { // precision and scale, as databases have them
			if n, err := strconv.Atoi(strings.TrimSpace(scale)); err == nil && n >= 0 && n <= maxFixedDigits {
				return Type{}, &Error{Code: CodeDefinition, Message: "decimal(" + shorten(arg) + ") is not possible", Hint: "only the digits after the point are said: decimal(" + strconv.Itoa(n) + ")"}
			}
		}
		if err != nil || n < 0 || n > maxFixedDigits {
			return Type{}, &Error{Code: CodeDefinition, Message: "decimal(" + shorten(arg) + ") is not possible", Hint: "digits after the point: 0 to 18"}
		}
		return Type{Base: Fixed, Digits: n}, nil
	case base == List && hasArg:
		if depth >= maxListDepth {
			return Type{}, &Error{Code: CodeDefinition, Message: "lists are nested too deeply"}
		}
		item, err := parseType(arg, depth+1)
		if err != nil {
			return Type{}, err
		}
		return Type{Base: List, Item: &item}, nil
	case hasArg && base == String && strings.Trim(arg, "0123456789") == "" && arg != "":
		return Type{}, &Error{Code: CodeDefinition, Message: "string takes nothing in parentheses", Hint: "write `type: string, max_length: " + arg + "`"}
	case hasArg:
		return Type{}, &Error{Code: CodeDefinition, Message: word + " takes nothing in parentheses", Hint: "write " + word}
	}
	return Type{Base: base}, nil
}

func findBase(word string) (Base, bool) {
	for i, name := range baseNames {
		if name == word {
			return Base(i), true
		}
	}
	return Any, false
}

func unknownType(word string) error {
	e := &Error{Code: CodeDefinition, Message: "unknown type " + quote(word)}
	if ours, ok := foreignTypes[strings.ToLower(word)]; ok {
		e.Hint = "did you mean `" + ours + "`?"
		return e
	}
	names := append([]string(nil), baseNames[1:]...)
	if e.Hint = diag.DidYouMean(word, names); e.Hint == "" {
		e.Hint = "types: string, integer, number, boolean, decimal(n), date, datetime, time, url, choice, list, list(T), object"
	}
	return e
}

// TypeNames returns the words a type can begin with, for completion.
func TypeNames() []string { return append([]string(nil), baseNames[1:]...) }
