package plan

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"crossdock/runtime/message"
)

// change is one place at which two values differ. A place that is missing is
// told from one that holds null.
type change struct {
	path          []string // names, and "[3]" for items
	before, after any
	lost, gained  bool // it was there before only, or is there now only
}

// differ lists where two JSON values differ. Numbers differ when they are
// written differently: 12.5 is not 12.50 for whoever reads it.
func differ(before, after any) []change { return walk(nil, nil, before, after) }

func walk(out []change, path []string, a, b any) []change {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		keys := maps.Clone(x)
		if keys == nil {
			keys = map[string]any{}
		}
		maps.Copy(keys, y)
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			p, had := x[k]
			q, has := y[k]
			out = member(out, append(path[:len(path):len(path)], k), p, q, had, has)
		}
		return out
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		for i := range max(len(x), len(y)) {
			at := append(path[:len(path):len(path)], "["+strconv.Itoa(i)+"]")
			var p, q any
			if i < len(x) {
				p = x[i]
			}
			if i < len(y) {
				q = y[i]
			}
			out = member(out, at, p, q, i < len(x), i < len(y))
		}
		return out
	}
	if same(a, b) {
		return out
	}
	return append(out, change{path: path, before: a, after: b})
}

// member compares what stands under one key. What appears or vanishes is told
// field by field, so that each field can be named.
func member(out []change, path []string, a, b any, had, has bool) []change {
	switch {
	case had && has:
		return walk(out, path, a, b)
	case had:
		return leaves(out, path, a, true)
	case has:
		return leaves(out, path, b, false)
	}
	return out
}

func leaves(out []change, path []string, v any, lost bool) []change {
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out = leaves(out, append(path[:len(path):len(path)], k), x[k], lost)
		}
		if len(x) > 0 {
			return out
		}
	case []any:
		for i, item := range x {
			out = leaves(out, append(path[:len(path):len(path)], "["+strconv.Itoa(i)+"]"), item, lost)
		}
		if len(x) > 0 {
			return out
		}
	}
	if lost {
		return append(out, change{path: path, before: v, lost: true})
	}
	return append(out, change{path: path, after: v, gained: true})
}

// same compares what is not built of others.
func same(a, b any) bool {
	for _, v := range []any{a, b} {
		switch v.(type) {
		case map[string]any, []any:
			return false // the other is something else, or walk would have gone on
		}
	}
	return bytes.Equal(message.Marshal(a), message.Marshal(b)) // numbers as they are written
}

// general writes a path as people do, with the same words for every item of a
// list: lines[].weight.
func general(path []string) string {
	var b strings.Builder
	for _, p := range path {
		switch {
		case strings.HasPrefix(p, "["):
			b.WriteString("[]")
		case b.Len() > 0:
			b.WriteString("." + p)
		default:
			b.WriteString(p)
		}
	}
	return b.String()
}
