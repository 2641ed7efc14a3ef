package value

import (
	"crossdock/dsl/unit"
	"encoding/json"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Options refine a conversion. The zero Options change nothing.
type Options struct {
	Parse       string   // pattern, or several separated by " | ", of a date, time or number
	Format      string   // pattern of the result of a date, time or number
	Zone        string   // IANA zone, or "A -> B": the zone of the input and that of the result
	Unit        string   // "lb -> kg"
	TrueValues  []string // boolean: the texts that mean true
	FalseValues []string // boolean: the texts that mean false
	Choices     []string // choice: what is allowed
	Trim        bool     // remove white space around the resulting text
	MaxLength   int      // most characters of the resulting text; 0 is no limit
}

// Converter is a conversion made ready once and used for every message. It is
// immutable and safe for concurrent use.
type Converter struct {
	typ      Type
	opt      Options
	temporal *temporal
	written  *written // numbers with a pattern, else nil
	asIs     bool     // a JSON number of the type needs no work
	item     *Converter
	unitFrom string
	unitTo   string
}

// NewConverter checks the type and its options and makes them ready. Its error
// is of code "definition", "zone" or "unit".
func NewConverter(t Type, opt Options) (*Converter, error) {
	c := &Converter{typ: t, opt: opt}
	if err := c.checkOptions(); err != nil {
		return nil, err
	}
	if opt.Unit != "" {
		from, to, ok := SplitArrow(opt.Unit)
		if !ok {
			return nil, &Error{Code: CodeUnit, Message: "unit " + quote(opt.Unit) + " does not say from what to what", Hint: "write `" + arrowMeant(opt.Unit) + "`"}
		}
		if err := CheckUnits(from, to); err != nil {
			return nil, err
		}
		c.unitFrom, c.unitTo = from, to
	}
	if t.Temporal() {
		temporal, err := newTemporal(t.Base, opt)
		if err != nil {
			return nil, err
		}
		c.temporal = temporal
	}
	if t.Numeric() {
		written, err := newWritten(t, opt)
		if err != nil {
			return nil, err
		}
		c.written = written
		c.asIs = written == nil && opt.Unit == "" && t.Base != Fixed
	}
	if t.Base == List && t.Item != nil {
		itemOptions := opt
		itemOptions.Trim, itemOptions.MaxLength = false, 0
		item, err := NewConverter(*t.Item, itemOptions)
		if err != nil {
			return nil, err
		}
		c.item = item
	}
	return c, nil
}

func (c *Converter) checkOptions() error {
	inner := c.typ.Innermost()
	misplaced := func(option, types string) error {
		if inner.Base == Any {
			return &Error{Code: CodeDefinition, Message: option + " has no meaning without a type", Hint: c.missingType(types)}
		}
		return &Error{Code: CodeDefinition, Message: option + " has no meaning for type " + c.typ.String(), Hint: "it belongs to " + types}
	}
	switch {
	case !inner.Temporal() && !inner.Numeric() && c.opt.Parse != "":
		return misplaced("parse", "date, datetime, time, integer, number and decimal(n)")
	case !inner.Temporal() && !inner.Numeric() && c.opt.Format != "":
		return misplaced("format", "date, datetime, time, integer, number and decimal(n)")
	case !inner.Temporal() && c.opt.Zone != "":
		return misplaced("zone", "date, datetime and time")
	case c.opt.Unit != "" && !inner.Numeric() && inner.Base != Any:
		return misplaced("unit", "integer, number and decimal(n)")
	case inner.Base != Boolean && len(c.opt.TrueValues)+len(c.opt.FalseValues) > 0:
		return misplaced("true_values", "boolean")
	case c.opt.MaxLength < 0:
		return &Error{Code: CodeDefinition, Message: "max_length cannot be negative"}
	}
	for _, v := range c.opt.TrueValues {
		if slices.Contains(c.opt.FalseValues, v) {
			return &Error{Code: CodeDefinition, Message: quote(v) + " stands in true_values and in false_values"}
		}
	}
	return nil
}

// missingType says which type the options beside it are of.
func (c *Converter) missingType(types string) string {
	for _, pattern := range []string{c.opt.Parse, c.opt.Format} {
		if n, ok := scanNotation(Alternatives(pattern)[0]); ok && n.point != "" {
			return "add `type: number`, or decimal(2) for two decimals"
		} else if ok {
			return "add `type: integer`"
		}
	}
	return "add a `type`: it belongs to " + types
}

// SplitArrow splits "a -> b" and trims both sides.
func SplitArrow(s string) (from, to string, ok bool) {
	from, to, ok = strings.Cut(s, "->")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	return from, to, ok && from != "" && to != ""
}

// arrowWord is an arrow as people say it: g to kg, g/kg, g nach kg.
var arrowWord = regexp.MustCompile(`^\s*(\S+?)\s*(?:\s(?:to|into|in|nach|zu|a|en)\s|[=—–-]+>?|>|:|/|,|→|⇒|\s)\s*(\S+)\s*$`)

// arrowMeant writes two units with an arrow between them, an example where they are
// not known.
func arrowMeant(text string) string {
	if m := arrowWord.FindStringSubmatch(text); m != nil {
		from, known := unit.Find(m[1])
		to, both := unit.Find(m[2])
		if known && both {
			return from.Name + " -> " + to.Name
		}
	}
	return "lb -> kg"
}

// Convert converts v once; see NewConverter for work that repeats.
func Convert(v any, t Type, opt Options) (any, error) {
	c, err := NewConverter(t, opt)
	if err != nil {
		return nil, err
	}
	return c.Convert(v)
}

// Convert returns v as a value of the converter's type, or an *Error. Null
// stays null. The value itself is never changed; a list may be copied.
func (c *Converter) Convert(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	out, err := c.typed(v)
	if err != nil {
		return nil, err
	}
	if c.opt.Trim || c.opt.MaxLength > 0 {
		return c.finish(out)
	}
	return out, nil
}

// Check reports whether Convert would succeed, at less cost.
func (c *Converter) Check(v any) error {
	if c.temporal != nil && v != nil && c.opt.MaxLength == 0 {
		_, err := c.temporal.moment(v)
		return err
	}
	_, err := c.Convert(v)
	return err
}

func (c *Converter) typed(v any) (any, error) {
	switch c.typ.Base {
	case Any:
		if c.unitFrom != "" {
			return c.number(v)
		}
		return v, nil
	case String:
		return toText(v)
	case Integer, Number, Fixed:
		return c.number(v)
	case Boolean:
		return c.boolean(v)
	case Date, DateTime, Time:
		return c.temporal.convert(v)
	case URL:
		return toURL(v)
	case Name:
		return toName(v)
	case Choice:
		return c.choice(v)
	case List:
		return c.list(v)
	case Object:
		if _, ok := v.(map[string]any); !ok {
			return nil, typeError("an object", v, "")
		}
	}
	return v, nil
}

func typeError(want string, v any, hint string) error {
	return &Error{Code: CodeType, Message: "expected " + want + ", found " + Describe(v), Hint: hint}
}

// Text returns the text of a JSON text, number or boolean; the digits of a
// number are those it was written with.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case *big.Int:
		return v.String(), true
	}
	return "", false
}

func toText(v any) (any, error) {
	if _, ok := v.(string); ok {
		return v, nil
	}
	s, ok := Text(v)
	if !ok {
		hint := "take one of its fields, or `tojson` for all of it as text"
		if _, list := v.([]any); list {
			hint = "use `join(\", \")` or take one item with `first`"
		}
		return nil, typeError("text", v, hint)
	}
	return s, nil
}

func emptyText(want string) error {
	return &Error{Code: CodeParse, Message: "expected " + want + ", found an empty text", Hint: "`select(blank | not)` in jq makes it missing, so that `default` applies"}
}

func (c *Converter) boolean(v any) (any, error) {
	given := len(c.opt.TrueValues)+len(c.opt.FalseValues) > 0
	if b, ok := v.(bool); ok {
		return b, nil
	}
	s, ok := Text(v)
	if !ok {
		return nil, typeError("true or false", v, "")
	}
	t := strings.TrimSpace(s)
	if !given {
		switch t {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, typeError("true or false", v, "say which texts mean yes with `true_values: [X, Y]`")
	}
	switch {
	case slices.Contains(c.opt.TrueValues, t) || slices.Contains(c.opt.TrueValues, s):
		return true, nil
	case slices.Contains(c.opt.FalseValues, t) || slices.Contains(c.opt.FalseValues, s):
		return false, nil
	case len(c.opt.FalseValues) == 0:
		return false, nil
	case len(c.opt.TrueValues) == 0:
		return true, nil
	}
	return nil, &Error{Code: CodeType, Message: "expected one of " + strings.Join(slices.Concat(c.opt.TrueValues, c.opt.FalseValues), ", ") + ", found " + Describe(v)}
}

func (c *Converter) choice(v any) (any, error) {
	s, ok := Text(v)
	if !ok {
		return nil, typeError("one of the options", v, "")
	}
	if len(c.opt.Choices) > 0 && !slices.Contains(c.opt.Choices, s) {
		return nil, &Error{Code: CodeOption, Message: quote(s) + " is not one of the options", Hint: "options: " + strings.Join(c.opt.Choices, ", ")}
	}
	return s, nil
}

func (c *Converter) list(v any) (any, error) {
	items, ok := v.([]any)
	if !ok {
		return nil, typeError("a list", v, "put it into one with `[ ... ]`")
	}
	if c.item == nil || c.item.typ.Base == Any && c.item.unitFrom == "" {
		return v, nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		converted, err := c.item.Convert(item)
		if err != nil {
			if e, ok := err.(*Error); ok {
				err = &Error{Code: e.Code, Message: "item " + strconv.Itoa(i+1) + ": " + e.Message, Hint: e.Hint}
			}
			return nil, err
		}
		out[i] = converted
	}
	return out, nil
}

func toURL(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, typeError("a URL", v, "")
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(s, " \t\r\n") {
		return nil, &Error{Code: CodeParse, Message: quote(s) + " is not an absolute http or https address", Hint: "for example https://example.com/path"}
	}
	return v, nil
}

// IsName reports whether s is a name: lower-case letters, digits and hyphens,
// beginning with a letter, at most 63 of them.
func IsName(s string) bool {
	if s == "" || len(s) > 63 || s[0] < 'a' || s[0] > 'z' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func toName(v any) (any, error) {
	s, ok := v.(string)
	if !ok || !IsName(s) {
		return nil, typeError("a name", v, "lower-case letters, digits and hyphens, beginning with a letter")
	}
	return v, nil
}

// finish applies trim and max_length, which speak of texts. Nothing is ever
// cut: too long a text is an error.
func (c *Converter) finish(v any) (any, error) {
	if s, ok := v.(string); ok && c.opt.Trim {
		if t := strings.TrimSpace(s); len(t) != len(s) {
			v = t
		}
	}
	if c.opt.MaxLength > 0 {
		s, ok := Text(v)
		if !ok || len(s) <= c.opt.MaxLength {
			return v, nil
		}
		if n := utf8.RuneCountInString(s); n > c.opt.MaxLength {
			return nil, &Error{Code: CodeTooLong, Message: quote(s) + " has " + strconv.Itoa(n) + " characters, at most " + strconv.Itoa(c.opt.MaxLength) + " are allowed",
				Hint: "to cut it on purpose: `.[0:" + strconv.Itoa(c.opt.MaxLength) + "]` in jq"}
		}
	}
	return v, nil
}
