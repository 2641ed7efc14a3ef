package rule

import (
	"encoding/json"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"time"

	"crossdock/dsl/value"
)

// same compares two JSON values exactly: numbers by value, whatever way they
// are written, lists and objects by content.
func same(a, b any, fuel *int) bool {
	if *fuel--; *fuel < 0 {
		return false
	}
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i], fuel) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !same(v, w, fuel) {
				return false
			}
		}
		return true
	}
	return sameNumber(a, b)
}

func sameNumber(a, b any) bool {
	if x, ok := a.(json.Number); ok {
		if y, ok := b.(json.Number); ok && x == y {
			return true
		}
	}
	x, err := value.DecimalOf(a)
	if err != nil {
		// Times and durations of expr's own functions.
		return comparable(a, b) && a == b
	}
	y, err := value.DecimalOf(b)
	return err == nil && x.Cmp(y) == 0
}

func comparable(a, b any) bool {
	if a == nil || b == nil {
		return true
	}
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable()
}

// maxCompared bounds the values one comparison looks at: a rule can build
// lists that share their items and would take for ever to compare.
const maxCompared = 1_000_000

func sameCall(args ...any) (any, error) {
	fuel := maxCompared
	equal := same(args[0], args[1], &fuel)
	if fuel < 0 {
		return nil, &Error{Code: "limit", Message: "the values to compare are too large"}
	}
	return equal, nil
}

// order compares numbers exactly, datetimes as instants and other texts by
// their characters.
func order(a, b any) (int, bool) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok {
			return 0, false
		}
		if s, ok := instant(x); ok {
			if t, ok := instant(y); ok {
				return s.Compare(t), true
			}
		}
		return strings.Compare(x, y), true
	case time.Time:
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	case time.Duration:
		y, ok := b.(time.Duration)
		return int(min(max(x-y, -1), 1)), ok
	case json.Number, int, int64, float64, *big.Int:
		x1, err1 := value.DecimalOf(a)
		y1, err2 := value.DecimalOf(b)
		if err1 != nil || err2 != nil {
			return 0, false
		}
		return x1.Cmp(y1), true
	}
	return 0, false
}

// member tests whether x is in a list, or a field of an object.
func member(x, in any) (bool, error) {
	switch t := in.(type) {
	case nil:
		return false, nil
	case *literals:
		return t.has(x), nil
	case []any:
		fuel := maxCompared
		for _, item := range t {
			if same(x, item, &fuel) {
				return true, nil
			}
		}
		return false, nil
	case map[string]any:
		name, ok := x.(string)
		if !ok {
			return false, nil
		}
		_, has := t[name]
		return has, nil
	}
	return false, &Error{Code: "type", Message: "`in` needs a list or an object on its right, found " + describe(in)}
}

// literals is a list of literals, made ready for membership tests.
type literals struct {
	texts map[string]struct{}
	rest  []any
}

func (l *literals) has(x any) bool {
	if s, ok := x.(string); ok {
		_, has := l.texts[s]
		return has
	}
	fuel := maxCompared
	for _, item := range l.rest {
		if same(x, item, &fuel) {
			return true
		}
	}
	return false
}

// expression is a regular expression small enough to run on any text.
type expression struct{ *regexp.Regexp }
