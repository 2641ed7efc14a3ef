package value

import (
	"encoding/json"
	"strings"
)

// number converts to integer, number and decimal(n), after the unit.
func (c *Converter) number(v any) (any, error) {
	if n, ok := v.(json.Number); ok && c.asIs {
		if c.typ.Base == Number || plainInteger(string(n)) {
			return v, nil
		}
	}
	d, err := c.decimal(v)
	if err != nil {
		return nil, err
	}
	if c.unitFrom != "" {
		if d, err = ConvertUnit(d, c.unitFrom, c.unitTo); err != nil {
			return nil, err
		}
	}
	switch c.typ.Base {
	case Integer:
		if !d.IsInteger() {
			return nil, c.fraction(v, d)
		}
		d = d.Round(0)
	case Fixed:
		d = d.Round(c.typ.Digits)
	}
	if c.written != nil && c.written.format != nil {
		return c.written.format.write(d), nil
	}
	return d.Number(), nil
}

// fraction is the error of a number that should be whole.
func (c *Converter) fraction(v any, d Decimal) error {
	e := &Error{Code: CodeType, Message: "expected a whole number, found " + shorten(d.String()), Hint: "`type: decimal(0)` rounds"}
	if s, isText := v.(string); isText && c.written == nil && c.unitFrom == "" {
		if other := readingHint(c.typ, strings.TrimSpace(s)); other != "" {
			e.Hint += "; " + other
		}
	}
	return e
}

// plainInteger reports whether s is an integer as JSON writes it.
func plainInteger(s string) bool {
	t := strings.TrimPrefix(s, "-")
	return t != "" && onlyDigits(t) && (t[0] != '0' || t == "0" && t == s)
}

// decimal reads numbers and texts that hold one; blanks around it are no part
// of it. A JSON number is taken as it is, whatever the pattern of texts.
func (c *Converter) decimal(v any) (Decimal, error) {
	s, ok := v.(string)
	if !ok {
		return DecimalOf(v)
	}
	if c.written != nil && c.written.parse != nil {
		return c.written.read(s, c.asWritten())
	}
	t := strings.TrimSpace(s)
	if t == "" {
		return Decimal{}, emptyText("a number")
	}
	d, err := ParseDecimal(t)
	if bad, ok := err.(*Error); ok && bad.Code == CodeParse {
		if bad.Hint = readingHint(c.asWritten(), t); bad.Hint != "" && c.typ.Base == Any {
			bad.Hint = "with `type: number`, " + bad.Hint
		}
	}
	return d, err
}

// asWritten is the type of the numbers before their unit is converted.
func (c *Converter) asWritten() Type {
	if c.unitFrom != "" {
		return Type{Base: Number}
	}
	return c.typ
}
