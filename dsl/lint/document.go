package lint

import (
	"encoding/json"

	"crossdock/dsl/value"
)

// deepest bounds documents that are made of schemas, which may refer to themselves.
const deepest = 8

// documentOf is a document with all the fields that a schema lists, one item in each
// list; whole is false where there may be others.
func documentOf(s *value.Shape, depth int) (doc any, whole bool) {
	switch {
	case !s.Known(), s.Open, depth > deepest:
		return nil, false
	case s.Type.Base == value.List:
		item, whole := documentOf(s.Item, depth+1)
		return []any{item}, whole
	case len(s.Fields) > 0:
		object := make(map[string]any, len(s.Fields))
		for name, field := range s.Fields {
			v, whole := documentOf(field, depth+1)
			if !whole {
				return nil, false
			}
			object[name] = v
		}
		return object, true
	case s.Type.Base == value.Object, s.Type.Base == value.Any:
		return nil, false
	case s.Type.Base == value.Boolean:
		return true, true
	case s.Type.Numeric():
		return json.Number("1"), true
	case len(s.Options) > 0:
		return s.Options[0], true
	}
	return "text", true
}
