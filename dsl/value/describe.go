package value

import (
	"encoding/json"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// Kind returns the word for the JSON kind of v: "null", "boolean", "text",
// "number", "list" or "object".
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "text"
	case json.Number, int, int64, float64, *big.Int:
		return "number"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return "something unknown"
}

// Describe names a value for a message: its kind and, where it is short enough
// to help, the value itself.
func Describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return "the text " + quote(v)
	case json.Number:
		return "the number " + shorten(string(v))
	case int:
		return "the number " + strconv.Itoa(v)
	case int64:
		return "the number " + strconv.FormatInt(v, 10)
	case float64:
		return "the number " + strconv.FormatFloat(v, 'g', -1, 64)
	case *big.Int:
		return "the number " + shorten(v.String())
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return Kind(v)
}

// quote puts a text between double quotes, cut where it is long.
func quote(s string) string { return strconv.Quote(shorten(s)) }

func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most - 3
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
