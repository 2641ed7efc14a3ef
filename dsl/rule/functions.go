package rule

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/expr-lang/expr/builtin"

	"crossdock/dsl/value"
)

// Function is one of the functions added to expr.
type Function struct {
	Name      string
	Signature string
	Doc       string
	Example   string // a rule that is true for data {}

	least, most int // number of arguments
	result      reflect.Kind
	call        func(args ...any) (any, error)
}

// Functions are the functions added to expr, in the order of the reference.
// in_lookup is one of them but is bound to the tables of a workspace.
var Functions = []Function{
	{Name: "blank", Signature: "blank(x)", Doc: "Yes where x is missing, null, an empty text, a text of blanks only, an empty list or an empty object. 0 and false are not blank.",
		Example: `blank("  ") and not blank(0)`, least: 1, most: 1, result: reflect.Bool, call: blankCall},
	{Name: "close_to", Signature: "close_to(a, b, abs, pct)", Doc: "Yes where a differs from b by at most abs, or by at most pct percent of b. Computed exactly; a and b are numbers or texts that hold one.",
		Example: `close_to(102.5, 100, 1.00, 2.5)`, least: 4, most: 4, result: reflect.Bool, call: closeTo},
	{Name: "hours_between", Signature: "hours_between(a, b)", Doc: "Hours from datetime a to datetime b; negative where b is earlier.",
		Example: `hours_between("2026-05-16T10:00:00Z", "2026-05-16T14:30:00+02:00") == 2.5`, least: 2, most: 2, result: reflect.Float64, call: hoursBetween},
	{Name: "within", Signature: `within(t, "22:00-06:00", zone)`, Doc: "Yes where the time of day of datetime t lies in the range, its end excluded; a range may go over midnight. Without zone the offset of t counts.",
		Example: `within("2026-05-16T21:30:00Z", "22:00-06:00", "Europe/Berlin")`, least: 2, most: 3, result: reflect.Bool, call: within},
	{Name: "in_lookup", Signature: "in_lookup(table, x)", Doc: "Yes where the lookup table has a row for x.",
		least: 2, most: 2, result: reflect.Bool},
}

func findFunction(name string) *Function {
	for i := range Functions {
		if Functions[i].Name == name {
			return &Functions[i]
		}
	}
	return nil
}

// typed returns the function as the checker knows it.
func (f *Function) typed() *builtin.Function {
	in := []reflect.Type{}
	for range f.least {
		in = append(in, anyType)
	}
	var types []reflect.Type
	for n := f.least; n <= f.most; n++ {
		types = append(types, reflect.FuncOf(in, []reflect.Type{resultType(f.result)}, false))
		in = append(in, anyType)
	}
	return &builtin.Function{Name: f.Name, Func: f.call, Types: types}
}

var anyType = reflect.TypeFor[any]()

func resultType(k reflect.Kind) reflect.Type {
	if k == reflect.Float64 {
		return reflect.TypeFor[float64]()
	}
	return reflect.TypeFor[bool]()
}

// Blank reports whether v is nothing, or empty; see the function blank.
func Blank(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(t) == ""
	case []any:
		return len(t) == 0
	case map[string]any:
		return len(t) == 0
	}
	return false
}

func blankCall(args ...any) (any, error) { return Blank(args[0]), nil }

func missing(function, what string) error {
	return &Error{Code: "missing", Message: function + ": " + what + " is missing", Hint: "give a value with `??`"}
}

// exact reads a number, or a text that holds one.
func exact(function, what string, v any) (value.Decimal, error) {
	if v == nil {
		return value.Decimal{}, missing(function, what)
	}
	n := v
	if s, ok := v.(string); ok {
		n = json.Number(strings.TrimSpace(s))
	}
	d, err := value.DecimalOf(n)
	if err != nil {
		return d, &Error{Code: "type", Message: function + ": " + what + " must be a number, found " + describe(v)}
	}
	return d, nil
}

func closeTo(args ...any) (any, error) {
	var d [4]value.Decimal
	for i, what := range [4]string{"the first value", "the second value", "the amount", "the percentage"} {
		var err error
		if d[i], err = exact("close_to", what, args[i]); err != nil {
			return nil, err
		}
	}
	diff := d[0].Sub(d[1]).Abs()
	if diff.Cmp(d[2]) <= 0 {
		return true, nil
	}
	// diff <= |b| * pct / 100, without a division.
	share, err := d[1].Abs().Mul(d[3])
	if err != nil {
		return nil, &Error{Code: "limit", Message: "close_to: " + err.Error()}
	}
	hundred, err := diff.Mul(value.DecimalFromInt(100))
	if err != nil {
		return nil, &Error{Code: "limit", Message: "close_to: " + err.Error()}
	}
	return hundred.Cmp(share) <= 0, nil
}

var datetime = func() *value.Converter {
	c, err := value.NewConverter(value.Type{Base: value.DateTime}, value.Options{})
	if err != nil {
		panic(err)
	}
	return c
}()

// instant reads a datetime with an offset.
func instant(v any) (time.Time, bool) {
	s, ok := v.(string)
	if !ok || len(s) < 16 || len(s) > 40 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	out, err := datetime.Convert(s)
	if err != nil {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, out.(string))
	return t, err == nil
}

func instantOf(function, what string, v any) (time.Time, error) {
	if v == nil {
		return time.Time{}, missing(function, what)
	}
	t, ok := instant(v)
	if !ok {
		return t, &Error{Code: "type", Message: function + ": " + what + " must be a datetime with an offset such as 2026-05-16T14:30:00+02:00, found " + describe(v)}
	}
	return t, nil
}

func hoursBetween(args ...any) (any, error) {
	a, err := instantOf("hours_between", "the first datetime", args[0])
	if err != nil {
		return nil, err
	}
	b, err := instantOf("hours_between", "the second datetime", args[1])
	if err != nil {
		return nil, err
	}
	return float64(b.Unix()-a.Unix())/3600 + float64(b.Nanosecond()-a.Nanosecond())/3.6e12, nil
}

// clockRange is a part of the day, never an empty one: "22:00-06:00" in minutes of the day.
type clockRange struct{ from, to int }

func parseRange(s string) (clockRange, bool) {
	a, b, ok := strings.Cut(s, "-")
	from, ok1 := minutes(strings.TrimSpace(a))
	to, ok2 := minutes(strings.TrimSpace(b))
	return clockRange{from, to}, ok && ok1 && ok2 && from != to
}

func minutes(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	t, err := time.Parse("15:04", s)
	if s == "24:00" {
		return 24 * 60, true
	}
	return t.Hour()*60 + t.Minute(), err == nil
}

func (r clockRange) holds(t time.Time) bool {
	now := t.Hour()*60 + t.Minute()
	if r.from <= r.to {
		return r.from <= now && now < r.to
	}
	return now >= r.from || now < r.to
}

func within(args ...any) (any, error) {
	t, err := instantOf("within", "the datetime", args[0])
	if err != nil {
		return nil, err
	}
	text, _ := args[1].(string)
	r, ok := parseRange(text)
	if !ok {
		return nil, &Error{Code: "type", Message: "within: " + describe(args[1]) + " is not a range of the day", Hint: `write "22:00-06:00"`}
	}
	if len(args) < 3 {
		return r.holds(t), nil
	}
	name, _ := args[2].(string)
	zone, err := value.LoadZone(name)
	if err != nil {
		return nil, &Error{Code: "type", Message: "within: " + err.Error()}
	}
	return r.holds(t.In(zone)), nil
}

// inLookup is in_lookup bound to the tables of a scope.
func inLookup(lookup func(string) (func(string) bool, bool)) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		table, _ := args[0].(string)
		if lookup == nil {
			return nil, &Error{Code: "rule", Message: "in_lookup: there are no lookup tables here"}
		}
		has, ok := lookup(table)
		if !ok {
			return nil, &Error{Code: "rule", Message: "in_lookup: there is no lookup table " + table}
		}
		if args[1] == nil {
			return false, nil
		}
		code, ok := value.Text(args[1])
		if !ok {
			return nil, &Error{Code: "type", Message: "in_lookup: a code is text or a number, found " + describe(args[1])}
		}
		return has(code), nil
	}
}
