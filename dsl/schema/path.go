package schema

import (
	"strings"

	"crossdock/dsl/value"
)

// Join writes a path as people do: "lines[].sku". A name that would be read as
// something else, such as one with a dot in it, stands between double quotes.
func Join(path []string) string {
	var b strings.Builder
	for i, name := range path {
		if i > 0 && name != value.Items {
			b.WriteByte('.')
		}
		if name == value.Items || plainName(name) {
			b.WriteString(name)
			continue
		}
		b.WriteByte('"')
		for _, r := range []byte(name) {
			if r == '"' || r == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(r)
		}
		b.WriteByte('"')
	}
	return b.String()
}

// plainName reports whether a name can stand in a path as it is. Blanks inside
// are common in the columns of files.
func plainName(name string) bool {
	return name != "" && !strings.ContainsAny(name, ".[]\"\t\r\n") && strings.TrimSpace(name) == name
}

// Split reads a path as people write it: "lines[].sku". It takes any text; what
// is no path gives segments that no document has.
func Split(path string) []string {
	var out []string
	for rest := path; rest != ""; {
		var name string
		if rest[0] == '"' {
			name, rest = unquote(rest)
			out = append(out, name)
			if i := strings.IndexByte(rest, '.'); i >= 0 {
				name, rest = rest[:i], rest[i+1:]
			} else {
				name, rest = rest, ""
			}
		} else if i := strings.IndexByte(rest, '.'); i >= 0 {
			name, rest = rest[:i], rest[i+1:]
		} else {
			name, rest = rest, ""
		}
		lists := 0
		for strings.HasSuffix(name, value.Items) {
			name = strings.TrimSuffix(name, value.Items)
			lists++
		}
		if name != "" {
			out = append(out, name)
		}
		for range lists {
			out = append(out, value.Items)
		}
	}
	return out
}

// unquote reads the name between quotes that s begins with, and returns what is
// behind it. A quote that nothing closes ends with the text.
func unquote(s string) (name, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// checkName says what is wrong with the path of a field, "" where nothing is.
func checkName(s string) string {
	path := Split(s)
	switch {
	case s == "":
		return "it is empty"
	case len(path) > maxDepth:
		return "it is nested more than 32 deep"
	case len(path) == 0:
		return "a name is missing"
	}
	// A document that is a list: []. or [][]. at the front.
	if front := strings.TrimLeft(s, "[]"); strings.HasPrefix(front, ".") || front == "" {
		if strings.ReplaceAll(s[:len(s)-len(front)], value.Items, "") != "" {
			return "a list is written with []"
		}
		if front == "" || s == front {
			return map[bool]string{true: "a name is missing beside a dot"}[s == front]
		}
		return checkName(front[1:])
	}
	for rest, first := s, true; rest != "" || first; first = false {
		part := rest
		if strings.HasPrefix(rest, `"`) {
			name, behind := unquote(rest)
			if name == "" || name == value.Items {
				return "a name is missing between the quotes"
			}
			if len(behind) == 0 && !strings.HasSuffix(rest, `"`) {
				return "the quote is not closed"
			}
			part = behind
			if i := strings.IndexByte(part, '.'); i >= 0 {
				part = part[:i]
			}
			if strings.TrimLeft(part, "[]") != "" {
				return "behind a quoted name stands a dot or []"
			}
			rest = behind[len(part):]
		} else {
			if i := strings.IndexByte(rest, '.'); i >= 0 {
				part = rest[:i]
			}
			rest = rest[len(part):]
			if bad := checkPart(part); bad != "" {
				return bad
			}
		}
		if brackets := part[len(strings.TrimRight(part, "[]")):]; strings.Trim(strings.ReplaceAll(brackets, value.Items, ""), " ") != "" {
			return "a list is written with []"
		}
		if rest == "." {
			return "a name is missing beside a dot"
		}
		if rest == "" {
			break
		}
		rest = rest[1:]
	}
	return ""
}

func checkPart(part string) string {
	name := strings.TrimRight(part, "[]")
	switch {
	case name == "":
		return "a name is missing beside a dot"
	case strings.ContainsAny(name, "[]"):
		return "brackets cannot stand inside a name"
	case strings.ContainsAny(name, "\t\r\n\""), strings.TrimSpace(name) != name:
		return "blanks cannot stand at the ends of a name; put the name between double quotes where they belong to it"
	}
	return ""
}
