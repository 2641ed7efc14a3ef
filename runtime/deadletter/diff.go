package deadletter

import (
	"fmt"
	"maps"
	"slices"

	"crossdock/runtime/message"
)

// Difference is one place at which two payloads differ. Nil stands for nothing
// there as well as for null.
type Difference struct {
	Path   string `json:"path"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// Diff lists where two payloads differ, in the order of their paths.
func Diff(before, after any) []Difference { return diff(nil, "", before, after) }

func diff(out []Difference, path string, a, b any) []Difference {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		keys := maps.Clone(x)
		maps.Copy(keys, y)
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			out = diff(out, path+"."+k, x[k], y[k])
		}
		return out
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		for i := range max(len(x), len(y)) {
			var p, q any
			if i < len(x) {
				p = x[i]
			}
			if i < len(y) {
				q = y[i]
			}
			out = diff(out, fmt.Sprintf("%s[%d]", path, i), p, q)
		}
		return out
	}
	if message.Equal(a, b) {
		return out
	}
	if path == "" {
		path = "."
	}
	return append(out, Difference{path, a, b})
}
