package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// nullTexts calls f for every text of v that has the word null in it, as texts
// get it that hold a value which is not there.
func nullTexts(v any, path string, f func(path, text string)) {
	switch v := v.(type) {
	case string:
		if len(v) > len("null") && nullWord.MatchString(v) {
			f(path, v)
		}
	case []any:
		for i, item := range v {
			nullTexts(item, fmt.Sprintf("%s[%d]", path, i), f)
		}
	case map[string]any:
		for name, field := range v {
			below := name
			if path != "" {
				below = path + "." + name
			}
			nullTexts(field, below, f)
		}
	}
}

var nullWord = regexp.MustCompile(`\bnull\b`)

// hasText reports whether a word stands in any text of v.
func hasText(v any, word string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, word)
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return hasText(item, word) })
	case map[string]any:
		for _, field := range v {
			if hasText(field, word) {
				return true
			}
		}
	}
	return false
}
