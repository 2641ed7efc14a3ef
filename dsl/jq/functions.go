package jq

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// Example is a use of a function with its input and its result as JSON.
type Example struct{ In, Cell, Out string }

// Function is a function that crossdock adds to jq. Its documentation is
// generated from this table and every example is a test.
type Function struct {
	Name     string
	Params   []string
	Doc      string // what it does; the first sentence stands alone
	Examples []Example

	call  func(in any, args []any) any           // a result, or an error as a value
	bound func(opt Options) func(any, []any) any // instead of call
}

func (f Function) bind(opt Options) func(any, []any) any {
	if f.bound != nil {
		return f.bound(opt)
	}
	return f.call
}

// Functions returns what crossdock adds to jq, in the order of its docs.
func Functions() []Function { return functions }

// textOf returns strings as they are and numbers as they were written.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case int, float64, *big.Int:
		b, err := gojq.Marshal(v)
		return string(b), err == nil
	}
	return "", false
}

func preview(v any) string {
	if v == nil {
		return "null"
	}
	return gojq.TypeOf(v) + " (" + gojq.Preview(v) + ")"
}

func padLeft(in any, args []any) any {
	if in == nil {
		return nil
	}
	s, ok := textOf(in)
	if !ok {
		return fmt.Errorf("pad_left cannot be applied to: %s", preview(in))
	}
	n, ok := gojq.ToInt(args[0])
	if !ok || n > maxPad {
		return fmt.Errorf("pad_left needs a width up to %d but got: %s", maxPad, preview(args[0]))
	}
	c, ok := textOf(args[1])
	if !ok || utf8.RuneCountInString(c) != 1 {
		return fmt.Errorf("pad_left needs one character to fill with but got: %s", preview(args[1]))
	}
	if missing := n - utf8.RuneCountInString(s); missing > 0 {
		return strings.Repeat(c, missing) + s
	}
	return s
}

const maxPad = 10_000

func digits(in any, _ []any) any {
	if in == nil {
		return nil
	}
	s, ok := textOf(in)
	if !ok {
		return fmt.Errorf("digits cannot be applied to: %s", preview(in))
	}
	var b strings.Builder
	for _, r := range s {
		if '0' <= r && r <= '9' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func blank(in any, _ []any) any {
	switch v := in.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func bindLookup(columns bool) func(opt Options) func(any, []any) any {
	return func(opt Options) func(any, []any) any {
		return func(in any, args []any) any {
			name, _ := args[0].(string)
			column := ""
			if columns {
				var ok bool
				if column, ok = args[1].(string); !ok {
					return fmt.Errorf("lookup needs the name of a column but got: %s", preview(args[1]))
				}
			}
			if in == nil {
				return nil
			}
			key, ok := textOf(in)
			if b, isBool := in.(bool); isBool {
				key, ok = fmt.Sprint(b), true
			}
			if !ok {
				return fmt.Errorf("lookup(%q) needs a text or a number to look for but got: %s", name, preview(in))
			}
			if opt.Lookup == nil {
				return fmt.Errorf("there is no lookup %q", name)
			}
			table, ok := opt.Lookup(name)
			if !ok {
				return fmt.Errorf("there is no lookup %q", name)
			}
			v, err := table.Find(key, column)
			if err != nil {
				return err
			}
			return v
		}
	}
}
