package lineage

import (
	"slices"
	"strings"

	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// ParsePath reads a place as people write it: partners[].zip, .partners[0].zip or
// /partners/0/zip. Positions in lists stand for all items.
func ParsePath(text string) []string {
	if pointer, ok := strings.CutPrefix(text, "/"); ok {
		var out []string
		for part := range strings.SplitSeq(pointer, "/") {
			part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
			switch {
			case part == "":
			case strings.Trim(part, "0123456789") == "" || part == "-" || part == "*":
				out = append(out, value.Items)
			default:
				out = append(out, part)
			}
		}
		return out
	}
	var b strings.Builder
	for rest := strings.TrimPrefix(text, "."); rest != ""; {
		before, behind, ok := strings.Cut(rest, "[")
		b.WriteString(before)
		if !ok {
			break
		}
		index, tail, _ := strings.Cut(behind, "]")
		if name := strings.Trim(index, `"`); name != index {
			b.WriteString("." + name)
		} else {
			b.WriteString(value.Items)
		}
		rest = tail
	}
	return schema.Split(b.String())
}

// Written returns a path as people write it; the whole document is a dot.
func Written(path []string) string {
	if len(path) == 0 {
		return "."
	}
	return schema.Join(path)
}

func same(a, b []string) bool { return slices.Equal(a, b) }

// under reports whether path lies at or below prefix, and what remains of it.
// Items of a list stand for nothing as well, because `each` takes one object
// for a list, and for any name, because jq walks over objects with [] too.
func under(prefix, path []string) (rest []string, ok bool) {
	switch {
	case len(prefix) == 0:
		return path, true
	case prefix[0] == value.Items:
		if len(path) > 0 && path[0] == value.Items {
			return under(prefix[1:], path[1:])
		}
		if rest, ok := under(prefix[1:], path); ok {
			return rest, true
		}
		if len(path) > 0 {
			return under(prefix[1:], path[1:])
		}
		return nil, false
	case len(path) == 0:
		return nil, false
	case path[0] == value.Items:
		if rest, ok := under(prefix, path[1:]); ok {
			return rest, true
		}
		return under(prefix[1:], path[1:])
	case prefix[0] == path[0]:
		return under(prefix[1:], path[1:])
	}
	return nil, false
}

// Covers reports whether what is at path is the field, holds it, or is a part of
// it.
func Covers(path, field []string) bool {
	if _, ok := under(path, field); ok {
		return true
	}
	_, ok := under(field, path)
	return ok
}
