package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// fieldPath is a jq path of plain names, which may go through lists.
var fieldPath = regexp.MustCompile(`^(?:\.?(?:[A-Za-z_]\w*|"[^"]*")(?:\[[0-9]*\])?\??)+$`)

var fieldName = regexp.MustCompile(`[A-Za-z_]\w*|"[^"]*"`)

// lacking says of the first name of a path that no document has where it stands
// instead, or what there is; it is "" where every name is found, or where the path is
// more than names.
func lacking(path string, docs []document) string {
	if !fieldPath.MatchString(path) {
		return ""
	}
	var level []any
	for _, d := range docs {
		level = append(level, d.value)
	}
	at := ""
	for _, name := range fieldName.FindAllString(path, -1) {
		name = strings.Trim(name, `"`)
		there, below := map[string]bool{}, []any{}
		for _, v := range level {
			for _, o := range objects(v) {
				for key, inner := range o {
					there[key] = true
					if key == name {
						below = append(below, inner)
					}
				}
			}
		}
		if !there[name] {
			said := "; there is no `" + name + "`"
			if at != "" {
				said += " below `" + at + "`"
			}
			found := map[string]bool{}
			for _, d := range docs {
				standing(d.value, "", name, found)
			}
			if len(found) > 0 && len(found) <= 3 {
				return said + ", but it stands at `" + strings.Join(slices.Sorted(maps.Keys(found)), "`, `") + "`"
			}
			return said + suggestionOrAll(name, there)
		}
		at, level = at+step(name), below
	}
	return ""
}

// objects are the objects that a value is, or has in its list.
func objects(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var out []map[string]any
		for _, item := range v {
			out = append(out, objects(item)...)
		}
		return out
	}
	return nil
}

// standing notes the paths at which a name stands.
func standing(v any, at, name string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if key == name {
				into[at+step(key)] = true
			}
			standing(inner, at+step(key), name, into)
		}
	case []any:
		for _, item := range v {
			standing(item, at+"[]", name, into)
		}
	}
}

var plainName = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// step is a field of a jq path.
func step(name string) string {
	if plainName.MatchString(name) {
		return "." + name
	}
	return `."` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
