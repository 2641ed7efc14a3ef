package rule

import "time"

// Arithmetic of the machine, but that whole numbers never wrap around: what
// does not fit 64 bits becomes a float64.

// maxText bounds the texts that `+` builds and that are taken apart.
const maxText = 64 << 10

func plusCall(args ...any) (any, error) {
	switch a := args[0].(type) {
	case int:
		if b, ok := args[1].(int); ok {
			if s := a + b; (s > a) == (b > 0) {
				return s, nil
			}
		}
	case string:
		if b, ok := args[1].(string); ok {
			if len(a)+len(b) > maxText {
				return nil, &Error{Code: "limit", Message: "`+` would build a text of more than 64 KiB"}
			}
			return a + b, nil
		}
	case time.Time:
		if b, ok := args[1].(time.Duration); ok {
			return a.Add(b), nil
		}
	case time.Duration:
		switch b := args[1].(type) {
		case time.Duration:
			return a + b, nil
		case time.Time:
			return b.Add(a), nil
		}
	}
	a, b, ok := floats(args)
	if !ok {
		return nil, errOperand
	}
	return a + b, nil
}

func minusCall(args ...any) (any, error) {
	switch a := args[0].(type) {
	case int:
		if b, ok := args[1].(int); ok {
			if d := a - b; (d < a) == (b > 0) {
				return d, nil
			}
		}
	case time.Time:
		switch b := args[1].(type) {
		case time.Time:
			return a.Sub(b), nil
		case time.Duration:
			return a.Add(-b), nil
		}
	case time.Duration:
		if b, ok := args[1].(time.Duration); ok {
			return a - b, nil
		}
	}
	a, b, ok := floats(args)
	if !ok {
		return nil, errOperand
	}
	return a - b, nil
}

func timesCall(args ...any) (any, error) {
	switch a := args[0].(type) {
	case int:
		switch b := args[1].(type) {
		case int:
			if p := a * b; a == 0 || p/a == b && !(a == -1 && p == b && b != 0) {
				return p, nil
			}
		case time.Duration:
			return time.Duration(a) * b, nil
		}
	case time.Duration:
		if b, ok := args[1].(int); ok {
			return a * time.Duration(b), nil
		}
	}
	a, b, ok := floats(args)
	if !ok {
		return nil, errOperand
	}
	return a * b, nil
}

// floats takes two numbers as float64.
func floats(args []any) (a, b float64, ok bool) {
	a, ok1 := float(args[0])
	b, ok2 := float(args[1])
	return a, b, ok1 && ok2
}

func float(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
