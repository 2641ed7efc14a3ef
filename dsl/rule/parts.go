package rule

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Part is one condition of a rule that joins several with and, or with or.
type Part struct {
	Source string
	Answer bool
	Err    error // why it has no answer
	Reads  []Reading
}

// Why answers the conditions of a rule one by one, which tells why the rule
// answers as it does. A rule of one condition is its own only part. It is
// slower than Eval and meant for people who ask.
func (p *Program) Why(env Env) []Part {
	parts := []*Program{p}
	if p.parts != nil {
		if split := p.parts(); len(split) > 1 {
			parts = split
		}
	}
	out := make([]Part, len(parts))
	for i, part := range parts {
		answer, err := part.Eval(env)
		out[i] = Part{Source: part.source, Answer: answer, Err: err, Reads: part.Explain(env)}
	}
	return out
}

// split compiles the conditions that the root of the tree joins; nil where it
// joins none.
func (c *compilation) split(root ast.Node) []*Program {
	b, ok := root.(*ast.BinaryNode)
	if !ok {
		return nil
	}
	var words []string
	switch b.Operator {
	case "and", "&&":
		words = []string{"and", "&&"}
	case "or", "||":
		words = []string{"or", "||"}
	default:
		return nil
	}
	var out []*Program
	for _, src := range splitAt(c.src, words) {
		p, _ := Compile(src, c.scope)
		if p == nil {
			return nil
		}
		out = append(out, p)
	}
	return out
}

// splitAt splits a source at the given operators outside brackets and texts.
func splitAt(src string, words []string) []string {
	var out []string
	depth, start := 0, 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '"', '\'', '`':
			i = skipText(src, i)
			continue
		case '(', '[', '{':
			depth++
			continue
		case ')', ']', '}':
			depth--
			continue
		}
		if depth > 0 {
			continue
		}
		for _, w := range words {
			if strings.HasPrefix(src[i:], w) && stands(src, i, len(w)) {
				out = append(out, strings.TrimSpace(src[start:i]))
				i += len(w) - 1
				start = i + 1
				break
			}
		}
	}
	return append(out, strings.TrimSpace(src[start:]))
}

// stands reports whether the word of n bytes at i is not part of a longer name.
func stands(src string, i, n int) bool {
	if src[i] == '&' || src[i] == '|' {
		return true
	}
	inName := func(j int) bool {
		return j >= 0 && j < len(src) && (src[j] == '_' || src[j] == '.' || src[j] == '$' || src[j] >= 0x80 || src[j] >= '0' && src[j] <= '9' || src[j]|0x20 >= 'a' && src[j]|0x20 <= 'z')
	}
	return !inName(i-1) && !inName(i+n)
}
