package jq

import (
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"crossdock/dsl/diag"
)

// typeNames are all that `type` gives.
var typeNames = []string{"null", "boolean", "number", "string", "array", "object"}

// theirTypes are the names of types in other languages.
var theirTypes = map[string]string{
	"list": "array", "tuple": "array", "slice": "array", "map": "object", "dict": "object", "hash": "object", "struct": "object",
	"int": "number", "integer": "number", "float": "number", "decimal": "number", "double": "number", "numeric": "number",
	"text": "string", "str": "string", "bool": "boolean", "undefined": "null", "none": "null", "nil": "null",
}

// typeName reports a comparison of `type` with a word that it never gives.
func (c *checker) typeName(q *gojq.Query) {
	if q.Op != gojq.OpEq && q.Op != gojq.OpNe {
		return
	}
	for _, pair := range [][2]*gojq.Query{{q.Left, q.Right}, {q.Right, q.Left}} {
		text, isText := literalText(pair[1])
		if !isText || !givesType(pair[0]) || slices.Contains(typeNames, text) {
			continue
		}
		p := c.add(Unknown, c.pl.span(pair[1]), "`type` never gives `"+text+"`", "it gives "+strings.Join(typeNames, ", "))
		meant := theirTypes[strings.ToLower(text)]
		if near := diag.Nearest(text, typeNames); meant == "" && len(near) > 0 {
			meant = near[0]
		}
		if meant != "" {
			p.Hint, p.Replace = "write `\""+meant+"\"`", `"`+meant+`"`
		}
		return
	}
}

// givesType reports whether a query ends with `type`.
func givesType(q *gojq.Query) bool {
	for q != nil {
		switch {
		case q.Op == gojq.OpPipe && q.Right != nil:
			q = q.Right
			continue
		case q.Term != nil && q.Term.Type == gojq.TermTypeQuery && len(q.Term.SuffixList) == 0:
			q = q.Term.Query
			continue
		}
		break
	}
	return q != nil && q.Term != nil && q.Term.Type == gojq.TermTypeFunc && q.Term.Func != nil && q.Term.Func.Name == "type" && len(q.Term.Func.Args) == 0 && len(q.Term.SuffixList) == 0
}
